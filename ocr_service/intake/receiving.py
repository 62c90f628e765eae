"""A file that was taken becomes a photo, once, whatever its name and however often it comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

from sqlalchemy.orm import Session

from ocr_service.database import photos
from ocr_service.database.models import Photo
from ocr_service.database.types import utc_now
from ocr_service.intake.taking import DEFAULT_MAX_BYTES, Refusal, Taken, take
from ocr_service.records import Context, RejectReason
from ocr_service.states import PhotoState
from ocr_service.storage import ObjectStore

MAX_FILENAME_CHARS = 255


@dataclass(frozen=True, slots=True)
class ReceivedPhoto:
    """What became of a file handed in: a photo (new or known already) or a refusal with its reason."""

    filename: str
    photo_id: int | None
    sha256: str | None
    state: PhotoState | None
    duplicate: bool = False
    reason: RejectReason | None = None
    detail: str | None = None


def open_batch(session: Session, label: str, created_by: str, *, now: datetime | None = None) -> int:
    """Id of a new batch: photos that are handed in together."""
    return photos.add_batch(session, label, created_by, now or utc_now())


def receive(
    session: Session,
    store: ObjectStore,
    source: bytes | Path | Taken | Refusal,
    *,
    filename: str,
    received_by: str,
    context: Context = Context(),  # noqa: B008 - frozen value
    batch_id: int | None = None,
    max_bytes: int = DEFAULT_MAX_BYTES,
    now: datetime | None = None,
) -> ReceivedPhoto:
    """Take one file in. The same bytes twice are one photo; a file that is no picture is refused and noted.

    ``source`` may have been taken already: do so where transactions must stay short, for they hold others up.
    Raises ``StorageError`` where the bytes cannot be kept.
    """
    now = now or utc_now()
    filename = _file_name(filename)
    taken = take(store, source, max_bytes) if isinstance(source, bytes | Path) else source
    refusal = taken if isinstance(taken, Refusal) else None
    photo, known = (
        (None, False)
        if isinstance(taken, Refusal)
        else _photo_of(session, taken, filename, context, batch_id, received_by, now)
    )
    photos.add_arrival(
        session,
        photo_id=photo.id if photo else None,
        batch_id=batch_id,
        filename=filename,
        duplicate=known,
        reason=refusal.reason if refusal else None,
        detail=refusal.detail if refusal else None,
        now=now,
        by=received_by,
    )
    if photo is None:
        assert refusal is not None  # noqa: S101 - one of the two
        return ReceivedPhoto(filename, None, None, None, reason=refusal.reason, detail=refusal.detail)
    return ReceivedPhoto(filename, photo.id, photo.sha256, photo.state, known, photo.reason, photo.detail)


def _file_name(given: str) -> str:
    """The last part of a path that some browser on some system sent, as it can be kept and shown."""
    name = PurePath(given.replace("\\", "/")).name
    printable = "".join(c if c.isprintable() else "_" for c in name.encode("utf-8", "replace").decode())
    return printable[-MAX_FILENAME_CHARS:] or "photo"


def _photo_of(
    session: Session,
    stored: Taken,
    filename: str,
    context: Context,
    batch_id: int | None,
    received_by: str,
    now: datetime,
) -> tuple[Photo, bool]:
    """The photo with these bytes, and whether it was known before."""
    known = photos.find_by_sha256(session, stored.sha256)
    if known is not None:
        return known, True
    cemetery_id, grave_id = photos.place(session, context, now)
    photo = Photo(
        sha256=stored.sha256,
        size_bytes=stored.size_bytes,
        filename=filename,
        batch_id=batch_id,
        cemetery_id=cemetery_id,
        grave_id=grave_id,
        context=photos.context_to_document(context),
        received_at=now,
        received_by=received_by,
        state=PhotoState.RECEIVED,
        attempts=0,
        lease_token=0,
        changed_at=now,
    )
    if photos.add_if_new(session, photo):
        return photo, False
    return photos.get_by_sha256(session, stored.sha256), True
