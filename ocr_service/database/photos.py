"""Queries on photos: receive, claim, finish, list."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ocr_service.database import keyset
from ocr_service.database.models import Arrival, Base, Batch, Cemetery, Grave, Photo, ReadingRow, RecordRow
from ocr_service.database.search_keys import toneless
from ocr_service.database.values import PhotoView
from ocr_service.errors import ConflictError, NotFoundError
from ocr_service.records import Context, Origin, RejectReason
from ocr_service.states import PhotoState, check_photo_move


def context_to_document(context: Context) -> dict[str, Any]:
    """Only what is known is kept."""
    return {name: value for name, value in dataclasses.asdict(context).items() if value is not None}


def get(session: Session, photo_id: int) -> Photo:
    """The row of a photo. Raises ``NotFoundError``."""
    photo = session.get(Photo, photo_id)
    if photo is None:
        raise NotFoundError(f"there is no photo {photo_id}")
    return photo


def find_by_sha256(session: Session, sha256: str) -> Photo | None:
    """The one photo with these bytes."""
    return session.scalar(select(Photo).where(Photo.sha256 == sha256))


def get_by_sha256(session: Session, sha256: str) -> Photo:
    """The photo with these bytes. Raises ``NotFoundError``."""
    photo = find_by_sha256(session, sha256)
    if photo is None:
        raise NotFoundError(f"there is no photo {sha256[:12]}…")
    return photo


def add_if_new(session: Session, row: Base) -> bool:
    """Add a row that may be there once only; False where another transaction was faster (not on SQLite)."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def view(session: Session, photo: Photo) -> PhotoView:
    """The value of a row."""
    record_id = session.scalar(select(RecordRow.id).where(RecordRow.photo_id == photo.id))
    return _view(photo, record_id)


def page(
    session: Session,
    *,
    state: PhotoState | None = None,
    batch_id: int | None = None,
    before_id: int | None = None,
    limit: int,
) -> list[PhotoView]:
    """Photos, newest first, older than ``before_id``."""
    query = select(Photo, RecordRow.id).outerjoin(RecordRow, RecordRow.photo_id == Photo.id).limit(limit)
    if batch_id is not None:
        query = keyset.earlier(session, query, Photo.batch_id, batch_id, Photo.id, before_id)
        query = query if state is None else query.where(Photo.state == state)
    elif state is not None:
        query = keyset.earlier(session, query, Photo.state, state, Photo.id, before_id)
    else:
        query = query.order_by(Photo.id.desc())
        query = query if before_id is None else query.where(Photo.id < before_id)
    return [_view(photo, record_id) for photo, record_id in session.execute(query)]


def counts(session: Session, batch_id: int | None = None) -> dict[PhotoState, int]:
    """How many photos are in each state; states without photos are 0."""
    query = select(Photo.state, func.count()).group_by(Photo.state)
    if batch_id is not None:
        query = query.where(Photo.batch_id == batch_id)
    found = dict(session.execute(query).all())
    return {state: found.get(state, 0) for state in PhotoState}


def add_batch(session: Session, label: str, created_by: str, now: datetime) -> int:
    """A new batch."""
    batch = Batch(label=label, created_by=created_by, created_at=now)
    session.add(batch)
    session.flush()
    return batch.id


def add_arrival(
    session: Session,
    *,
    photo_id: int | None,
    batch_id: int | None,
    filename: str,
    now: datetime,
    by: str,
    duplicate: bool = False,
    reason: RejectReason | None = None,
    detail: str | None = None,
) -> None:
    """Note that a file was handed in, whatever became of it."""
    session.add(
        Arrival(
            photo_id=photo_id,
            batch_id=batch_id,
            filename=filename,
            duplicate=duplicate,
            reason=reason,
            detail=detail,
            at=now,
            by=by,
        )
    )


def place(session: Session, context: Context, now: datetime) -> tuple[int | None, int | None]:
    """Ids of the cemetery and the grave that a context names, made on first mention; None where it names none."""
    if not context.cemetery:
        return None, None
    keys = [toneless(text or "") for text in (context.cemetery, context.cemetery_province, context.cemetery_commune)]
    same = (Cemetery.name_key == keys[0], Cemetery.province_key == keys[1], Cemetery.commune_key == keys[2])
    cemetery_id = session.scalar(select(Cemetery.id).where(*same))
    if cemetery_id is None:
        cemetery = Cemetery(
            name=context.cemetery,
            province=context.cemetery_province,
            commune=context.cemetery_commune,
            name_key=keys[0],
            province_key=keys[1],
            commune_key=keys[2],
            created_at=now,
        )
        added = add_if_new(session, cemetery)
        cemetery_id = cemetery.id if added else session.scalars(select(Cemetery.id).where(*same)).one()
    return cemetery_id, _grave(session, cemetery_id, context.plot, now) if context.plot else None


def _grave(session: Session, cemetery_id: int, plot: str, now: datetime) -> int:
    key = toneless(plot)
    same = (Grave.cemetery_id == cemetery_id, Grave.plot_key == key)
    grave_id = session.scalar(select(Grave.id).where(*same))
    if grave_id is None:
        grave = Grave(cemetery_id=cemetery_id, plot=plot, plot_key=key, created_at=now)
        added = add_if_new(session, grave)
        grave_id = grave.id if added else session.scalars(select(Grave.id).where(*same)).one()
    return grave_id


def move(session: Session, photo: Photo, state: PhotoState, now: datetime, **facts: Any) -> None:
    """Bring a photo into ``state`` whoever held it; a late reader finds its token gone. Raises ``ConflictError``."""
    check_photo_move(photo.state, state)
    photo.state = state
    photo.lease_owner = photo.lease_until = photo.queued_at = None
    photo.lease_token += 1
    photo.changed_at = now
    for name, value in facts.items():
        setattr(photo, name, value)


def retry(session: Session, photo: Photo, now: datetime) -> None:
    """Put a rejected or failed photo back into the queue. Raises ``ConflictError`` for any other."""
    if photo.state not in (PhotoState.REJECTED, PhotoState.FAILED):
        raise ConflictError(f"photo {photo.id} is {photo.state}; only rejected and failed photos can be read again")
    move(session, photo, PhotoState.RECEIVED, now, reason=None, detail=None, attempts=0)


def latest_reading(session: Session, photo_id: int) -> ReadingRow | None:
    """The newest reading of a photo."""
    return session.scalar(
        select(ReadingRow).where(ReadingRow.photo_id == photo_id).order_by(ReadingRow.id.desc()).limit(1)
    )


def _view(photo: Photo, record_id: int | None) -> PhotoView:
    size_px = (photo.width_px, photo.height_px) if photo.width_px and photo.height_px else None
    return PhotoView(
        id=photo.id,
        sha256=photo.sha256,
        size_bytes=photo.size_bytes,
        filename=photo.filename,
        state=photo.state,
        reason=photo.reason,
        detail=photo.detail,
        photo_type=photo.photo_type,
        size_px=size_px,
        attempts=photo.attempts,
        batch_id=photo.batch_id,
        grave_id=photo.grave_id,
        context=Context(**photo.context),
        received_at=photo.received_at,
        received_by=photo.received_by,
        changed_at=photo.changed_at,
        record_id=record_id,
        origin=Origin(**(photo.origin or {})),
        is_queued=photo.queued_at is not None,
        needs_rephotograph=photo.needs_rephotograph,
    )
