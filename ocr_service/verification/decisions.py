"""A person decides on a draft, or takes a decision back. Nothing is overwritten without a trace."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ocr_service import metrics
from ocr_service.database import audit, drafts, graves, photos
from ocr_service.database.documents import field_from_document, field_to_document, fields_to_document
from ocr_service.database.models import RecordRow
from ocr_service.database.types import utc_now
from ocr_service.database.values import DecisionView, RecordField, RecordView
from ocr_service.errors import ConflictError, NotFoundError, UsageError
from ocr_service.states import PHOTO_STATE_OF, STATE_AFTER, VERIFIED_STATES, RecordState, Verdict, check_record_move
from ocr_service.verification.corrections import Correction, clean, corrected

_SHOT_OF = "shot_of"
"""What the log calls the best photo of a record's grave, by id; its own where a person set it apart."""


@dataclass(frozen=True, slots=True)
class _Word:
    """What a person says at one time: one action in the log, on several records where those show one grave.

    The record that was spoken of is written last; ``undoes`` is the action that this one takes back.
    """

    verdict: Verdict
    reviewer: str
    reason: str | None
    at: datetime
    undoes: str | None = None
    action: str = field(default_factory=lambda: uuid.uuid4().hex)


def decide(
    session: Session,
    draft_id: int,
    verdict: Verdict,
    *,
    reviewer: str,
    expected_version: int,
    values: Mapping[str, Correction] | None = None,
    reason: str | None = None,
    shots: Collection[int] | None = None,
    now: datetime | None = None,
) -> RecordView:
    """Put a person's verdict on a draft, or a later one on a record, and write it into the audit chain.

    ``values`` belong to ``Verdict.CORRECT``. Other drafts of the grave end as further shots of what is verified:
    ``shots`` are those that the person saw beside it, None means all; they are drafts again once it is verified no
    more. Raises ``ConflictError`` where the record is not at ``expected_version``, is with another reviewer, or may not
    take this verdict; ``UsageError`` for values without sense; ``NotFoundError``.
    """
    word = _Word(verdict, reviewer, clean(reason), now or utc_now())
    row = drafts.get(session, draft_id, lock=True)
    _check_free(row, reviewer, expected_version, word.at)
    if verdict is Verdict.UNDO:
        raise UsageError("an undo is asked for as such, not as a verdict")
    after_state = STATE_AFTER[verdict]
    check_record_move(row.state, after_state)
    if values and verdict is not Verdict.CORRECT:
        raise UsageError(f"values come with the verdict 'correct', not with '{verdict}'")
    same_grave = _check_grave(session, row, after_state)
    before = drafts.fields_of(row)
    context = photos.view(session, photos.get(session, row.photo_id)).context
    after = corrected(before, values or {}, context, reviewer)
    if verdict is Verdict.CORRECT and after == before:
        raise UsageError("nothing was changed; accept the draft instead")
    if after_state in VERIFIED_STATES:
        _end_others(session, row, word, shots)
    elif row.state in VERIFIED_STATES:
        _bring_back_others(session, row, word)
    moved = _set_apart(session, row, word) if verdict is Verdict.DETACH else None
    _write(session, row, word, after_state, before, after, same_grave=same_grave, moved=moved)
    session.flush()
    return drafts.view(session, row)


def undo(session: Session, reviewer: str, *, reason: str | None = None, now: datetime | None = None) -> RecordView:
    """Take back the reviewer's last decision, by a further one. Can be repeated, back to their first.

    With it go the other shots that it ended or brought back, but for those that somebody decided on since. Raises
    ``NotFoundError`` where there is nothing to take back, ``ConflictError`` where somebody decided after them.
    """
    last = audit.last_standing_action(session, reviewer)
    if last is None:
        raise NotFoundError(f"{reviewer} has no decision that could be taken back")
    word = _Word(Verdict.UNDO, reviewer, clean(reason), now or utc_now(), undoes=last.action)
    said = audit.of_action(session, last.action)
    rows = {one: drafts.get(session, one, lock=True) for one in dict.fromkeys([last.record_id, *_records(said)])}
    row = rows.pop(last.record_id)
    if not _stands(session, row, last.action):
        raise ConflictError(f"record {row.id} was decided again since; look at it before changing it")
    for other in rows.values():
        if _stands(session, other, last.action):
            _take_back(session, other, said, word, row.id)
    if row.state in VERIFIED_STATES and last.before not in VERIFIED_STATES:
        _bring_back_others(session, row, word)
    _take_back(session, row, said, word)
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
    if row.state is RecordState.DRAFT and not _is_free(row, reviewer, now):
        raise ConflictError(f"draft {row.id} is with another reviewer; take the next one")


def _is_free(row: RecordRow, reviewer: str, now: datetime) -> bool:
    leased = row.lease_owner is not None and row.lease_until is not None and row.lease_until > now
    return not leased or row.lease_owner == reviewer


def _check_grave(session: Session, row: RecordRow, after: RecordState) -> int | None:
    """Keep graves at one verified record each; the record that a further shot belongs to."""
    if after is RecordState.FURTHER_SHOT:
        record_id = graves.verified_elsewhere(session, row.photo_id)
        if record_id is None:
            raise ConflictError(
                f"no other photo of the grave of record {row.id} has a verified record; verify one first"
            )
        return record_id
    if after in VERIFIED_STATES and row.state not in VERIFIED_STATES:
        record_id = graves.verified_elsewhere(session, row.photo_id)
        if record_id is not None:
            raise ConflictError(
                f"record {record_id} is of the same grave by what was read; say 'same_grave', or 'detach' this first"
            )
    return None


def _end_others(session: Session, row: RecordRow, word: _Word, seen: Collection[int] | None) -> None:
    """Other drafts of a grave end with its verified record, but for what another reviewer looks at or nobody saw."""
    told = replace(word, verdict=Verdict.SAME_GRAVE)
    for other in graves.hold_others(session, row.photo_id, RecordState.DRAFT):
        if (seen is None or other.id in seen) and _is_free(other, word.reviewer, word.at):
            fields = drafts.fields_of(other)
            _write(session, other, told, RecordState.FURTHER_SHOT, fields, fields, same_grave=row.id)


def _bring_back_others(session: Session, row: RecordRow, word: _Word) -> None:
    """Further shots are drafts again where the verified record that is given up is the only one of their grave."""
    if graves.verified_elsewhere(session, row.photo_id) is not None:
        return
    told = word if word.verdict is Verdict.UNDO else replace(word, verdict=Verdict.DETACH)
    for other in graves.hold_others(session, row.photo_id, RecordState.FURTHER_SHOT):
        fields = drafts.fields_of(other)
        _write(session, other, told, RecordState.DRAFT, fields, fields)


def _set_apart(session: Session, row: RecordRow, word: _Word) -> audit.Change:
    best = graves.set_apart(session, row.photo_id, word.at)
    if best is None:
        raise ConflictError(f"record {row.id} has no other shot of its grave; there is nothing to detach it from")
    return audit.Change(_SHOT_OF, best, row.photo_id, {})


def _take_back(
    session: Session, row: RecordRow, said: Sequence[DecisionView], word: _Word, same_grave: int | None = None
) -> None:
    """Bring a record back to where it was before an action that still stands."""
    mine = [one for one in said if one.record_id == row.id]
    state = RecordState(next(one.before for one in mine if one.field == audit.STATE_FIELD))
    check_record_move(row.state, state, undo=True)
    moved = next((one for one in mine if one.field == _SHOT_OF), None)
    if moved is not None:
        graves.point(session, row.photo_id, moved.before, word.at)
    if same_grave is None:
        same_grave = _check_grave(session, row, state)
    before = drafts.fields_of(row)
    change = audit.Change(_SHOT_OF, moved.after, moved.before, {}) if moved is not None else None
    _write(session, row, word, state, before, _taken_back(before, mine), same_grave=same_grave, moved=change)
    standing = audit.standing_actions(session, row.id) if state is not RecordState.DRAFT else []
    row.decided_at, row.decided_by = (standing[-1].at, standing[-1].reviewer) if standing else (None, None)


def _stands(session: Session, row: RecordRow, action: str) -> bool:
    """Whether nothing was decided on a record since an action."""
    return audit.standing_actions(session, row.id)[-1].action == action


def _records(said: Iterable[DecisionView]) -> list[int]:
    return sorted({one.record_id for one in said})


def _write(
    session: Session,
    row: RecordRow,
    word: _Word,
    state: RecordState,
    before: Mapping[str, RecordField],
    after: Mapping[str, RecordField],
    *,
    same_grave: int | None = None,
    moved: audit.Change | None = None,
) -> None:
    """Put one record into a state, by a word that names the record of its grave where it is a further shot of one."""
    row.version += 1
    evidence = _evidence(session, row, after)
    detail = None
    if state is RecordState.FURTHER_SHOT:
        evidence["record_id"] = same_grave
        detail = f"Shows the grave of record {same_grave}."
    audit.append(
        session,
        record_id=row.id,
        action=word.action,
        undoes=word.undoes,
        version=row.version,
        at=word.at,
        reviewer=word.reviewer,
        verdict=word.verdict,
        reason=word.reason,
        changes=[
            audit.Change(audit.STATE_FIELD, str(row.state), str(state), evidence),
            *([moved] if moved is not None else []),
            *_changes(before, after),
        ],
    )
    row.state = state
    row.verified = state in VERIFIED_STATES
    row.decided_at, row.decided_by = (None, None) if state is RecordState.DRAFT else (word.at, word.reviewer)
    row.lease_owner = row.lease_until = None
    drafts.set_fields(session, row, after)
    photo = photos.get(session, row.photo_id)
    if photo.state is not PHOTO_STATE_OF[state]:
        photos.move(session, photo, PHOTO_STATE_OF[state], word.at, detail=detail)
    metrics.DECISIONS.labels(verdict=str(word.verdict)).inc()


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
        if row.field in (audit.STATE_FIELD, _SHOT_OF):
            continue
        if row.before is None:
            after.pop(row.field, None)
        else:
            after[row.field] = field_from_document(row.before)
    return after
