"""Where photos stand, and another try for those that could not be read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from ocr_service.database import drafts, photos
from ocr_service.database.types import utc_now
from ocr_service.database.values import PhotoView
from ocr_service.records import Reading
from ocr_service.states import PhotoState


def get_photo(session: Session, photo_id: int) -> PhotoView:
    """One photo. Raises ``NotFoundError``."""
    return photos.view(session, photos.get(session, photo_id))


def find_photo(session: Session, sha256: str) -> PhotoView | None:
    """The photo with these bytes, None where they never came. Takes nothing in and notes no arrival."""
    photo = photos.find_by_sha256(session, sha256)
    return None if photo is None else photos.view(session, photo)


def get_reading(session: Session, photo_id: int) -> Reading | None:
    """What was last read in a photo, None before that. Raises ``NotFoundError``."""
    photos.get(session, photo_id)
    return drafts.latest_reading(session, photo_id)


def list_photos(
    session: Session,
    *,
    state: PhotoState | None = None,
    batch_id: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[PhotoView]:
    """Photos, newest first; go on with ``before_id`` of the last one."""
    return photos.page(session, state=state, batch_id=batch_id, before_id=before_id, limit=limit)


def count_photos(session: Session, batch_id: int | None = None) -> dict[PhotoState, int]:
    """How many photos stand in each state."""
    return photos.counts(session, batch_id)


def retry(session: Session, photo_id: int, *, now: datetime | None = None) -> PhotoView:
    """Read a rejected or failed photo again. Raises ``NotFoundError``, ``ConflictError``."""
    photo = photos.get(session, photo_id)
    photos.retry(session, photo, now or utc_now())
    session.flush()
    return photos.view(session, photo)
