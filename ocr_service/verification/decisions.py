"""A person decides on a draft, or takes a decision back. Nothing is overwritten without a trace."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ocr_service import metrics
from ocr_service.database import audit, drafts, photos
from ocr_service.database.documents import field_from_document, field_to_document, fields_to_document
from ocr_service.database.models import RecordRow
from ocr_service.database.types import utc_now
from ocr_service.database.values import DecisionView, RecordField, RecordView
from ocr_service.errors import ConflictError, NotFoundError, UsageError
from ocr_service.states import PHOTO_STATE_OF, STATE_AFTER, VERIFIED_STATES, RecordState, Verdict, check_record_move
from ocr_service.verification.corrections import Correction, clean, corrected


def decide(
    session: Session,
    draft_id: int,
    verdict: Verdict,
    *,
    reviewer: str,
    expected_version: int,
    values: Mapping[str, Correction] | None = None,
    reason: str | None = None,
    now: datetime | None = None,
) -> RecordView:
    """Put a person's verdict on a draft, or a later one on a record, and write it into the audit chain.

    ``values`` belong to ``Verdict.CORRECT``. Raises ``ConflictError`` where the record is not at ``expected_version``,
    is with another reviewer, or may not take this verdict; ``UsageError`` for values without sense; ``NotFoundError``.
    """
    now = now or utc_now()
    row = drafts.get(session, draft_id, lock=True)
    _check_free(row, reviewer, expected_version, now)
    if verdict is Verdict.UNDO:
        raise UsageError("an undo is asked for as such, not as a verdict")
    after_state = STATE_AFTER[verdict]
    check_record_move(row.state, after_state)
    if values and verdict is not Verdict.CORRECT:
        raise UsageError(f"values come with the verdict 'correct', not with '{verdict}'")
    before = drafts.fields_of(row)
    context = photos.view(session, photos.get(session, row.photo_id)).context
    after = corrected(before, values or {}, context, reviewer)
    if verdict is Verdict.CORRECT and after == before:
        raise UsageError("nothing was changed; accept the draft instead")
    _write(session, row, verdict, after_state, before, after, reviewer=reviewer, reason=reason, now=now)
    row.decided_at, row.decided_by = now, reviewer
    session.flush()
    return drafts.view(session, row)


def undo(session: Session, reviewer: str, *, reason: str | None = None, now: datetime | None = None) -> RecordView:
    """Take back the reviewer's last decision, by a further one. Can be repeated, back to their first.

    Raises ``NotFoundError`` where there is nothing to take back, ``ConflictError`` where somebody decided after them.
    """
    now = now or utc_now()
    last = audit.last_standing_action(session, reviewer)
    if last is None:
        raise NotFoundError(f"{reviewer} has no decision that could be taken back")
    row = drafts.get(session, last.record_id, lock=True)
    rows = audit.of_action(session, last.action)
    standing = audit.standing_actions(session, row.id)
    if standing[-1].action != last.action:
        raise ConflictError(f"record {row.id} was decided again since; look at it before changing it")
    before = drafts.fields_of(row)
    after = _taken_back(before, rows)
    state = RecordState(last.before)
    check_record_move(row.state, state, undo=True)
    earlier = standing[-2] if len(standing) > 1 else None
    _write(
        session, row, Verdict.UNDO, state, before, after, reviewer=reviewer, reason=reason, now=now, undoes=last.action
    )
    row.decided_at, row.decided_by = (earlier.at, earlier.reviewer) if earlier else (None, None)
    session.flush()
    return drafts.view(session, row)


def digest_of(fields: Mapping[str, RecordField]) -> str:
    """SHA-256 of all fields of a record; part of every decision, so the record itself can be checked against them."""
    return hashlib.sha256(audit.canonical(fields_to_document(fields))).hexdigest()


def _check_free(row: RecordRow, reviewer: str, expected_version: int, now: datetime) -> None:
    if row.version != expected_version:
        raise ConflictError(
            f"record {row.id} is at version {row.version}, not {expected_version}; load it again to see why"
        )
    leased = row.lease_owner is not None and row.lease_until is not None and row.lease_until > now
    if row.state is RecordState.DRAFT and leased and row.lease_owner != reviewer:
        raise ConflictError(f"draft {row.id} is with another reviewer; take the next one")


def _write(
    session: Session,
    row: RecordRow,
    verdict: Verdict,
    state: RecordState,
    before: Mapping[str, RecordField],
    after: Mapping[str, RecordField],
    *,
    reviewer: str,
    reason: str | None,
    now: datetime,
    undoes: str | None = None,
) -> None:
    row.version += 1
    changes = [
        audit.Change(audit.STATE_FIELD, str(row.state), str(state), _evidence(session, row, after)),
        *_changes(before, after),
    ]
    audit.append(
        session,
        record_id=row.id,
        action=uuid.uuid4().hex,
        undoes=undoes,
        version=row.version,
        at=now,
        reviewer=reviewer,
        verdict=verdict,
        reason=clean(reason),
        changes=changes,
    )
    row.state = state
    row.verified = state in VERIFIED_STATES
    row.lease_owner = row.lease_until = None
    drafts.set_fields(session, row, after)
    photo = photos.get(session, row.photo_id)
    if photo.state is not PHOTO_STATE_OF[state]:
        photos.move(session, photo, PHOTO_STATE_OF[state], now)
    metrics.DECISIONS.labels(verdict=str(verdict)).inc()


def _evidence(session: Session, row: RecordRow, after: Mapping[str, RecordField]) -> dict[str, Any]:
    """What the person looked at, and a digest of all fields as they stand after the word."""
    photo = photos.get(session, row.photo_id)
    reading = drafts.reading_of(session, row)
    return {
        "photo_sha256": photo.sha256,
        "reading_id": row.reading_id,
        "bundle": reading.bundle,
        "fields_sha256": digest_of(after),
    }


def _changes(before: Mapping[str, RecordField], after: Mapping[str, RecordField]) -> Iterable[audit.Change]:
    for name in sorted(set(before) | set(after)):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        evidence = {"lines": list(old.lines), "confidence": old.confidence} if old else {}
        yield audit.Change(
            name, field_to_document(old) if old else None, field_to_document(new) if new else None, evidence
        )


def _taken_back(fields: Mapping[str, RecordField], rows: Iterable[DecisionView]) -> dict[str, RecordField]:
    after = dict(fields)
    for row in rows:
        if row.field == audit.STATE_FIELD:
            continue
        if row.before is None:
            after.pop(row.field, None)
        else:
            after[row.field] = field_from_document(row.before)
    return after
