"""A file that was taken becomes a photo, once, whatever its name and however often it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

from sqlalchemy.orm import Session

from ocr_service.database import announcements, incoming
from ocr_service.database.incoming import KnownPhoto, NewPhoto
from ocr_service.database.types import utc_now
from ocr_service.intake.counting import count_file
from ocr_service.intake.taking import DEFAULT_MAX_BYTES, Refusal, Taken, take
from ocr_service.records import Context, RejectReason
from ocr_service.states import PhotoState, Priority
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
    """Id of a new batch: photos that are handed in together, by a person who waits for them."""
    batch, _ = announcements.open_batch(session, label, created_by, now or utc_now(), priority=Priority.WAITING)
    return batch.id


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
    taken = take(store, source, max_bytes) if isinstance(source, bytes | Path) else source
    (received,) = note_received(
        session, [(filename, taken)], received_by=received_by, context=context, batch_id=batch_id, now=now
    )
    return received


def note_received(
    session: Session,
    files: Sequence[tuple[str, Taken | Refusal]],
    *,
    received_by: str,
    context: Context = Context(),  # noqa: B008 - frozen value
    batch_id: int | None = None,
    now: datetime | None = None,
) -> list[ReceivedPhoto]:
    """Note files that came without being announced, each under the name it was sent with."""
    now = now or utc_now()
    named = [(_file_name(name), outcome) for name, outcome in files]
    first = {taken.sha256: (name, taken) for name, taken in reversed(named) if isinstance(taken, Taken)}
    new = incoming.add_photos(
        session,
        [NewPhoto(sha256, taken.size_bytes, name, context, taken.origin) for sha256, (name, taken) in first.items()],
        batch_id=batch_id,
        priority=Priority.WAITING,  # a person looks at the page
        now=now,
        by=received_by,
    )
    photos = incoming.known_photos(session, first)
    received = []
    for name, outcome in named:
        if isinstance(outcome, Refusal):
            received.append(ReceivedPhoto(name, None, None, None, reason=outcome.reason, detail=outcome.detail))
        else:
            # the first file with these bytes is the photo, later ones are copies of it
            duplicate = new.pop(outcome.sha256, None) is None
            received.append(_received(name, outcome.sha256, photos[outcome.sha256], duplicate))
        count_file(outcome, duplicate=received[-1].duplicate)
    incoming.add_arrivals(
        session,
        [
            {
                "photo_id": file.photo_id,
                "batch_id": batch_id,
                "filename": file.filename,
                "duplicate": file.duplicate,
                "reason": file.reason if file.photo_id is None else None,
                "detail": file.detail if file.photo_id is None else None,
                "sha256": file.sha256,
                "at": now,
                "by": received_by,
            }
            for file in received
        ],
    )
    return received


def _received(name: str, sha256: str, photo: KnownPhoto, duplicate: bool) -> ReceivedPhoto:
    return ReceivedPhoto(name, photo.id, sha256, photo.state, duplicate, photo.reason, photo.detail)


def _file_name(given: str) -> str:
    """The last part of a path that some browser on some system sent, as it can be kept and shown."""
    name = PurePath(given.replace("\\", "/")).name
    printable = "".join(c if c.isprintable() else "_" for c in name.encode("utf-8", "replace").decode())
    return printable[-MAX_FILENAME_CHARS:] or "photo"
