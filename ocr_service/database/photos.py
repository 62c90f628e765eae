"""Queries on photos: receive, claim, finish, list."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ocr_service.database import keyset
from ocr_service.database.models import Photo, ReadingRow, RecordRow
from ocr_service.database.values import PhotoView
from ocr_service.errors import ConflictError, NotFoundError
from ocr_service.records import Context, Origin
from ocr_service.states import PhotoState, check_photo_move


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
