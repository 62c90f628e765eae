"""The audit chain: decisions are only ever added, and each one's hash covers the one before it.

``hash`` is SHA-256 over the canonical JSON (UTF-8, sorted keys, no spaces) of the row without ``id`` and ``hash``; the
first ``prev_hash`` is 64 zeros. ``audit_head`` keeps length and last hash, so a chain cut short shows as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ocr_service.database.models import AuditHead, Decision
from ocr_service.database.values import ChainReport, DecisionView
from ocr_service.errors import StorageError
from ocr_service.states import Verdict

GENESIS = "0" * 64
STATE_FIELD = "state"


@dataclass(frozen=True, slots=True)
class Change:
    """One fact before and after; ``evidence`` is what the person had before their eyes."""

    field: str
    before: Any
    after: Any
    evidence: Mapping[str, Any]


def canonical(document: Any) -> bytes:
    """The one way to write a JSON value down."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def append(
    session: Session,
    *,
    record_id: int,
    action: str,
    undoes: str | None,
    version: int,
    at: datetime,
    reviewer: str,
    verdict: Verdict,
    reason: str | None,
    changes: list[Change],
) -> None:
    """Add the rows of one decision to the end of the chain."""
    head = session.get(AuditHead, 1, with_for_update=True)
    if head is None:
        raise StorageError("the audit chain has lost its head; restore the database from a backup")
    for change in changes:
        row = Decision(
            record_id=record_id,
            action=action,
            undoes=undoes,
            version=version,
            at=at,
            reviewer=reviewer,
            verdict=verdict,
            field=change.field,
            before=change.before,
            after=change.after,
            reason=reason,
            evidence=dict(change.evidence),
            prev_hash=head.hash,
        )
        row.hash = _hash(row)
        session.add(row)
        session.flush()  # ids must follow the order of the chain
        head.hash, head.length = row.hash, head.length + 1
    session.flush()


def verify_audit_chain(session: Session) -> ChainReport:
    """Walk the whole chain and say whether every row still is what was written."""
    length, expected = 0, GENESIS
    for row in session.scalars(select(Decision).order_by(Decision.id).execution_options(yield_per=1000)):
        if row.prev_hash != expected:
            return ChainReport(length, False, row.id, "a decision before this one is missing or out of order")
        if row.hash != _hash(row):
            return ChainReport(length, False, row.id, "this decision was changed after it was written")
        length, expected = length + 1, row.hash
    head = session.get(AuditHead, 1)
    if head is None or (head.length, head.hash) != (length, expected):
        return ChainReport(length, False, None, "decisions are missing at the end of the chain")
    return ChainReport(length, True)


def of_record(session: Session, record_id: int) -> list[DecisionView]:
    """Every decision on a record, oldest first."""
    rows = session.scalars(select(Decision).where(Decision.record_id == record_id).order_by(Decision.id))
    return [_view(row) for row in rows]


def of_action(session: Session, action: str) -> list[DecisionView]:
    """The rows of one decision; on each record, its state first."""
    return [
        _view(row) for row in session.scalars(select(Decision).where(Decision.action == action).order_by(Decision.id))
    ]


def page(session: Session, *, record_id: int | None, before_id: int | None, limit: int) -> list[DecisionView]:
    """Decisions, newest first, older than ``before_id``."""
    query = select(Decision).order_by(Decision.id.desc()).limit(limit)
    if record_id is not None:
        query = query.where(Decision.record_id == record_id)
    if before_id is not None:
        query = query.where(Decision.id < before_id)
    return [_view(row) for row in session.scalars(query)]


def last_state(session: Session, record_id: int) -> DecisionView | None:
    """The state row of the last decision on a record, undo or not."""
    query = select(Decision).where(Decision.record_id == record_id, Decision.field == STATE_FIELD)
    row = session.scalar(query.order_by(Decision.id.desc()).limit(1))
    return None if row is None else _view(row)


def last_standing_action(session: Session, reviewer: str) -> DecisionView | None:
    """The state row of a reviewer's last decision that is no undo and was not undone.

    Of one on several records, that of the last: the one that the person spoke of.
    """
    undone = select(Decision.undoes).where(Decision.undoes.is_not(None), Decision.reviewer == reviewer)
    row = session.scalar(
        select(Decision)
        .where(
            Decision.reviewer == reviewer,
            Decision.field == STATE_FIELD,
            Decision.verdict != Verdict.UNDO,
            Decision.action.not_in(undone),
        )
        .order_by(Decision.id.desc())
        .limit(1)
    )
    return None if row is None else _view(row)


def standing_actions(session: Session, record_id: int) -> list[DecisionView]:
    """The state rows of what was decided on a record and not taken back, oldest first."""
    rows = [row for row in of_record(session, record_id) if row.field == STATE_FIELD]
    undone = {row.undoes for row in rows}
    return [row for row in rows if row.undoes is None and row.action not in undone]


def _hash(row: Decision) -> str:
    content = {
        "record_id": row.record_id,
        "action": row.action,
        "undoes": row.undoes,
        "version": row.version,
        "at": row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "reviewer": row.reviewer,
        "verdict": str(row.verdict),
        "field": row.field,
        "before": row.before,
        "after": row.after,
        "reason": row.reason,
        "evidence": row.evidence,
        "prev_hash": row.prev_hash,
    }
    return hashlib.sha256(canonical(content)).hexdigest()


def _view(row: Decision) -> DecisionView:
    return DecisionView(
        id=row.id,
        record_id=row.record_id,
        action=row.action,
        undoes=row.undoes,
        version=row.version,
        at=row.at,
        reviewer=row.reviewer,
        verdict=row.verdict,
        field=row.field,
        before=row.before,
        after=row.after,
        reason=row.reason,
        evidence=row.evidence,
        prev_hash=row.prev_hash,
        hash=row.hash,
    )
