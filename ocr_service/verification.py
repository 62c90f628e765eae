"""People look at drafts and decide. Every word of theirs is kept; nothing is overwritten without a trace."""

from __future__ import annotations

import dataclasses
import hashlib
import unicodedata
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ocr_service.database import audit, drafts, photos
from ocr_service.database.documents import field_from_document, field_to_document, fields_to_document
from ocr_service.database.models import RecordRow
from ocr_service.database.types import utc_now
from ocr_service.database.values import ChainReport, DecisionView, RecordField, RecordView
from ocr_service.errors import ConflictError, NotFoundError, UsageError
from ocr_service.fields import parse_text
from ocr_service.records import Context
from ocr_service.states import PHOTO_STATE_OF, STATE_AFTER, RecordState, Verdict, check_record_move

DEFAULT_LEASE_S = 600.0
MAX_TEXT_CHARS = 2000

DATE_FIELDS = frozenset({"birth", "enlist", "death"})
CORRECTABLE_FIELDS = DATE_FIELDS | {
    "kind",
    "unknown_wording",
    "header",
    "name",
    "name_status",
    "aliases",
    "name_variants",
    "honorific",
    "title",
    "age",
    "war",
    "death_place",
    "hometown",
    "rank",
    "position",
    "unit",
    "party",
    "loc",
    "burial",
    "award",
    "persons",
    "redact",
}


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person says about one field.

    ``raw`` alone: this is cut on the stone, normalise it. ``value`` alone: the cut text stays, its meaning is this.
    Both: both. Neither: the stone does not say; an honest blank.
    """

    raw: str | None = None
    value: Any = None


def queue(session: Session, *, after_id: int = 0, limit: int = 20) -> list[RecordView]:
    """Drafts in the order in which they came; go on with ``after_id`` of the last one. Leases nothing."""
    return drafts.views(session, drafts.waiting(session, after_id=after_id, limit=limit))


def count_waiting(session: Session) -> int:
    """How many drafts wait for a person."""
    return drafts.count_waiting(session)


def next_draft(
    session: Session,
    reviewer: str,
    *,
    after_id: int = 0,
    lease_s: float = DEFAULT_LEASE_S,
    now: datetime | None = None,
) -> RecordView | None:
    """The next draft after ``after_id`` that no other reviewer is looking at, leased to this one; None at the end."""
    draft_id = drafts.lease_next(session, reviewer, after_id=after_id, lease_s=lease_s, now=now or utc_now())
    return None if draft_id is None else drafts.view(session, drafts.get(session, draft_id))


def open_draft(
    session: Session,
    draft_id: int,
    reviewer: str,
    *,
    lease_s: float = DEFAULT_LEASE_S,
    now: datetime | None = None,
) -> RecordView:
    """One draft, leased to the reviewer. Raises ``NotFoundError``; ``ConflictError`` where it cannot be leased."""
    row = drafts.get(session, draft_id)
    if not drafts.lease_one(session, draft_id, reviewer, lease_s=lease_s, now=now or utc_now()):
        held = row.state is RecordState.DRAFT
        raise ConflictError(f"draft {draft_id} is " + ("with another reviewer; take the next" if held else "decided"))
    return drafts.view(session, row)


def get_record(session: Session, record_id: int) -> RecordView:
    """A draft or record as staff see it, whatever its state. Raises ``NotFoundError``."""
    return drafts.view(session, drafts.get(session, record_id))


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
    after = _corrected(session, row, before, values or {}, reviewer)
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


def history(session: Session, record_id: int) -> list[DecisionView]:
    """Everything that was decided on a record, oldest first, for staff. Raises ``NotFoundError``."""
    drafts.get(session, record_id)
    return audit.of_record(session, record_id)


def audit_page(
    session: Session, *, record_id: int | None = None, before_id: int | None = None, limit: int = 50
) -> list[DecisionView]:
    """The audit log, newest first; go on with ``before_id`` of the last one."""
    return audit.page(session, record_id=record_id, before_id=before_id, limit=limit)


def verify_audit_chain(session: Session) -> ChainReport:
    """Whether every decision still is what was written, and every decided record what follows from them."""
    report = audit.verify_audit_chain(session)
    if not report.intact:
        return report
    for row in drafts.decided(session):
        last = audit.last_state(session, row.id)
        digest = _digest(drafts.fields_of(row))
        if last is None or (last.after, last.evidence["fields_sha256"]) != (str(row.state), digest):
            problem = f"record {row.id} is not what was decided"
            return dataclasses.replace(report, intact=False, broken_at=last.id if last else None, problem=problem)
    return report


def normalised(name: str, raw: str, context: Context = Context()) -> tuple[Any, tuple[str, ...]]:  # noqa: B008
    """Normal form of a text as cut, and what was unusual; a date that cannot be told is None, never a guess."""
    parsed = parse_text(raw, dataclasses.replace(context, field=name)).record.get(name)
    if parsed is not None and parsed.value is not None:
        return parsed.value, parsed.flags
    if name in DATE_FIELDS:
        return None, ("not_normalised",)
    return raw, ()


def _check_free(row: RecordRow, reviewer: str, expected_version: int, now: datetime) -> None:
    if row.version != expected_version:
        raise ConflictError(
            f"record {row.id} is at version {row.version}, not {expected_version}; load it again to see why"
        )
    leased = row.lease_owner is not None and row.lease_until is not None and row.lease_until > now
    if row.state is RecordState.DRAFT and leased and row.lease_owner != reviewer:
        raise ConflictError(f"draft {row.id} is with another reviewer; take the next one")


def _corrected(
    session: Session,
    row: RecordRow,
    before: Mapping[str, RecordField],
    values: Mapping[str, Correction],
    reviewer: str,
) -> dict[str, RecordField]:
    unknown = sorted(set(values) - CORRECTABLE_FIELDS)
    if unknown:
        raise UsageError(f"there is no field '{unknown[0]}'; fields are {', '.join(sorted(CORRECTABLE_FIELDS))}")
    context = photos.view(session, photos.get(session, row.photo_id)).context
    after = dict(before)
    for name, correction in values.items():
        old = before.get(name, RecordField(None, None))
        new = _apply(name, old, correction, context)
        if (new.raw, new.value) != (old.raw, old.value):
            after[name] = dataclasses.replace(new, decided_by=reviewer)
    return after


def _apply(name: str, old: RecordField, correction: Correction, context: Context) -> RecordField:
    raw = _clean(correction.raw)
    if raw is None and correction.value is None:
        return dataclasses.replace(old, raw=None, value=None, confidence=1.0, flags=())
    if raw is None:
        return dataclasses.replace(old, value=correction.value, confidence=1.0, flags=())
    if correction.value is not None:
        return dataclasses.replace(old, raw=raw, value=correction.value, confidence=1.0, flags=())
    if raw == old.raw:
        return old
    value, flags = normalised(name, raw, context)
    return dataclasses.replace(old, raw=raw, value=value, confidence=1.0, flags=flags)


def _clean(text: str | None) -> str | None:
    """NFC, without control characters, spaces collapsed within lines; empty is None."""
    if text is None:
        return None
    lines = unicodedata.normalize("NFC", text[:MAX_TEXT_CHARS]).splitlines()
    kept = "\n".join(" ".join("".join(c for c in line if c.isprintable() or c.isspace()).split()) for line in lines)
    return kept.strip() or None


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
        reason=_clean(reason),
        changes=changes,
    )
    row.state = state
    row.lease_owner = row.lease_until = None
    drafts.set_fields(session, row, after)
    photo = photos.get(session, row.photo_id)
    if photo.state is not PHOTO_STATE_OF[state]:
        photos.move(session, photo, PHOTO_STATE_OF[state], now)


def _evidence(session: Session, row: RecordRow, after: Mapping[str, RecordField]) -> dict[str, Any]:
    """What the person looked at, and a digest of all fields as they stand after the word."""
    photo = photos.get(session, row.photo_id)
    reading = drafts.reading_of(session, row)
    return {
        "photo_sha256": photo.sha256,
        "reading_id": row.reading_id,
        "bundle": reading.bundle,
        "fields_sha256": _digest(after),
    }


def _digest(fields: Mapping[str, RecordField]) -> str:
    return hashlib.sha256(audit.canonical(fields_to_document(fields))).hexdigest()


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
