"""Queries on photos of one grave: who waits behind whom, what belongs together, what a person took apart.

The photos of a grave are one that all others point at (``Shot.best_photo_id``) and those that do. The draft that leads
them is the first of that photo and the others by their ids; the other drafts wait behind it. A photo that points at
itself is a grave of its own because a person said so.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, insert, select, update
from sqlalchemy.orm import Session, aliased

from ocr_service.database import shots
from ocr_service.database.documents import fields_from_document
from ocr_service.database.models import Photo, RecordRow, Shot
from ocr_service.database.values import OtherShot
from ocr_service.states import VERIFIED_STATES, RecordState


def _leads() -> ColumnElement[bool]:
    mine, earlier, first = aliased(Shot), aliased(Shot), aliased(RecordRow)
    behind = (mine.photo_id == RecordRow.photo_id, mine.best_photo_id != RecordRow.photo_id)
    is_draft = first.state == RecordState.DRAFT
    best = exists().where(*behind, first.photo_id == mine.best_photo_id, is_draft)
    of_same_best = (earlier.best_photo_id == mine.best_photo_id, earlier.photo_id < mine.photo_id)
    sibling = exists().where(*behind, *of_same_best, first.photo_id == earlier.photo_id, is_draft)
    return ~best & ~sibling


LEADS = _leads()
"""Whether no other draft of a record's grave comes before it."""


def other_shots(session: Session, photo_id: int) -> tuple[OtherShot, ...]:
    """The other photos of a photo's grave with what was read in them, the best first."""
    best, ids = _of_grave(session, photo_id)
    found = session.execute(
        select(Photo.id, Photo.filename, RecordRow)
        .join(RecordRow, RecordRow.photo_id == Photo.id)
        .where(Photo.id.in_(ids - {photo_id}))
        .order_by(Photo.id != best, Photo.id)
    )
    return tuple(
        OtherShot(other, filename, row.id, row.state, row.version, fields_from_document(row.fields))
        for other, filename, row in found
    )


def lead(session: Session, photo_id: int) -> int | None:
    """Id of the draft that leads a photo's grave."""
    best, ids = _of_grave(session, photo_id)
    drafts = select(RecordRow.id).where(RecordRow.photo_id.in_(ids), RecordRow.state == RecordState.DRAFT)
    return session.scalar(drafts.order_by(RecordRow.photo_id != best, RecordRow.photo_id).limit(1))


def hold_others(session: Session, photo_id: int, state: RecordState) -> list[RecordRow]:
    """Records in a state of the other photos of a grave, locked. Those that somebody is deciding on are left out."""
    _, ids = _of_grave(session, photo_id)
    return list(
        session.scalars(
            select(RecordRow)
            .where(RecordRow.photo_id.in_(ids - {photo_id}), RecordRow.state == state)
            .order_by(RecordRow.id)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
    )


def verified_elsewhere(session: Session, photo_id: int) -> int | None:
    """Id of the verified record that another photo of the grave has; it stays that until the transaction ends."""
    best, ids = _of_grave(session, photo_id)
    if len(ids) == 1:
        return None
    session.execute(
        select(Photo.id).where(Photo.id == best).with_for_update(key_share=True)
    )  # one at a time says what a grave has
    query = select(RecordRow.id).where(RecordRow.photo_id.in_(ids - {photo_id}), RecordRow.state.in_(VERIFIED_STATES))
    return session.scalar(query.order_by(RecordRow.id).limit(1))


def set_apart(session: Session, photo_id: int, now: datetime) -> int | None:
    """Make a photo a grave of its own; the best photo of the others that it was with, None where there are none.

    Where they pointed at it, the first of them is what they point at from now on.
    """
    _keep_from_grouping(session, photo_id)
    best, ids = _of_grave(session, photo_id)
    others = sorted(ids - {photo_id})
    if not others:
        return None
    if best == photo_id:
        best = others[0]
        session.execute(update(Shot).where(Shot.best_photo_id == photo_id).values(best_photo_id=best, at=now))
        point(session, best, None, now)
    point(session, photo_id, photo_id, now)
    return best


def point(session: Session, photo_id: int, best_photo_id: int | None, now: datetime) -> None:
    """Let a photo be a further shot of another one; None: of none."""
    _keep_from_grouping(session, photo_id)
    session.execute(delete(Shot).where(Shot.photo_id == photo_id))
    if best_photo_id is not None:
        session.execute(insert(Shot).values(photo_id=photo_id, best_photo_id=best_photo_id, at=now))


def _keep_from_grouping(session: Session, photo_id: int) -> None:
    """Nobody tells of the shots of a photo's batch meanwhile: both would write the same rows."""
    batch_id = session.scalar(select(Photo.batch_id).where(Photo.id == photo_id))
    if batch_id is not None:
        shots.hold_batch(session, batch_id)


def _of_grave(session: Session, photo_id: int) -> tuple[int, set[int]]:
    """The best photo of a photo's grave, and all of its photos."""
    best = session.scalar(select(Shot.best_photo_id).where(Shot.photo_id == photo_id)) or photo_id
    # their ids first: PostgreSQL goes through all photos to find those that are the best one or in a subquery
    return best, {best, photo_id, *session.scalars(select(Shot.photo_id).where(Shot.best_photo_id == best))}
