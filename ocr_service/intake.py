"""Photos come in, are handed to readers, and come back as drafts for verification. Use cases do not commit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

from sqlalchemy.orm import Session

from ocr_service.database import drafts, photos
from ocr_service.database.models import Photo
from ocr_service.database.types import utc_now
from ocr_service.database.values import Claim, PhotoView
from ocr_service.errors import NotFoundError
from ocr_service.records import Context, Reading, ReadingStatus, RejectReason
from ocr_service.states import PhotoState
from ocr_service.storage import HEAD_BYTES, ObjectStore, StoredObject, chunks_of
from preprocess.sniff import name_other_type, starts_like_image

MAX_FILENAME_CHARS = 255
DEFAULT_MAX_BYTES = 64 * 1024**2


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


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file is not taken in; ``detail`` is one sentence that says what to do."""

    reason: RejectReason
    detail: str


class Taking:
    """A file on its way into the store, before any transaction; what is no picture, or too long, is not kept."""

    def __init__(self, store: ObjectStore, max_bytes: int) -> None:
        self._incoming = store.incoming()
        self._max_bytes = max_bytes
        self._size_bytes = 0
        self._head = b""
        self._refusal: Refusal | None = None

    def write(self, chunk: bytes) -> None:
        """Take further bytes; after a refusal they are let go by. Raises ``StorageError``."""
        if self._refusal is not None:
            return
        head_was_full = len(self._head) >= HEAD_BYTES
        self._size_bytes += len(chunk)
        if self._size_bytes > self._max_bytes:
            limit = f"The file has more than {self._max_bytes / 1e6:.0f} MB; save it as JPEG."
            self._refuse(Refusal(RejectReason.TOO_LARGE_FILE, limit))
            return
        if not head_was_full:
            self._head += chunk[: HEAD_BYTES - len(self._head)]
            if len(self._head) >= HEAD_BYTES:
                self._refuse(_judge(self._head, self._size_bytes))
        if self._refusal is None:
            self._incoming.write(chunk)

    def finish(self) -> StoredObject | Refusal:
        """The object, durable, or why it was not kept. Raises ``StorageError``."""
        if self._refusal is None:
            self._refuse(_judge(self._head, self._size_bytes))
        return self._refusal or self._incoming.finish()

    def discard(self) -> None:
        """Forget what came; harmless at any time."""
        self._incoming.discard()

    def _refuse(self, refusal: Refusal | None) -> None:
        if refusal is not None:
            self._refusal = refusal
            self._incoming.discard()


def take(store: ObjectStore, source: bytes | Path, max_bytes: int) -> StoredObject | Refusal:
    """Bring a value or a file into the store, or say why not. Raises ``StorageError``, and ``OSError`` of a path."""
    taking = Taking(store, max_bytes)
    try:
        for chunk in chunks_of(source):
            taking.write(chunk)
        return taking.finish()
    finally:
        taking.discard()


def open_batch(session: Session, label: str, created_by: str, *, now: datetime | None = None) -> int:
    """Id of a new batch: photos that are handed in together."""
    return photos.add_batch(session, label, created_by, now or utc_now())


def receive(
    session: Session,
    store: ObjectStore,
    source: bytes | Path | StoredObject | Refusal,
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


def claim_photos(
    session: Session,
    owner: str,
    *,
    limit: int,
    lease_s: float,
    max_attempts: int,
    now: datetime | None = None,
) -> list[Claim]:
    """Lease up to ``limit`` photos to ``owner``; those whose lease ran out go back first, or have failed."""
    now = now or utc_now()
    for photo in photos.expired(session, now):
        _give_back(session, photo, f"its reader fell silent ({photo.lease_owner})", max_attempts, now)
    session.flush()
    return photos.claim(session, owner, limit, lease_s, now)


def has_work(session: Session, *, now: datetime | None = None) -> bool:
    """Whether ``claim_photos`` would find anything; takes no lock."""
    return photos.has_work(session, now or utc_now())


def begin(session: Session, claim: Claim, *, lease_s: float, now: datetime | None = None) -> Claim | None:
    """Say that reading starts now: counts a try and renews the lease. None where the claim was lost.

    Tries are counted here and not when claiming, so that the neighbours of a photo that kills its reader stay innocent.
    """
    return photos.begin(session, claim, lease_s, now or utc_now())


def finish(session: Session, claim: Claim, reading: Reading, *, now: datetime | None = None) -> bool:
    """Store what was read and end the claim, in one transaction.

    False where the claim was lost (lease over, photo taken by another): then nothing is stored, the other one's result
    counts.
    """
    now = now or utc_now()
    state, facts = _outcome(reading)
    if not photos.leave_reading(session, claim, state, now, **facts):
        return False
    _keep(session, photos.get(session, claim.photo_id), reading, now)
    return True


def fail(session: Session, claim: Claim, detail: str, *, max_attempts: int, now: datetime | None = None) -> bool:
    """The reader broke on a photo: try again, or set it aside with the evidence. False where the claim was lost."""
    spent = claim.attempts >= max_attempts
    return photos.leave_reading(
        session,
        claim,
        PhotoState.FAILED if spent else PhotoState.RECEIVED,
        now or utc_now(),
        reason=RejectReason.READER_FAILED if spent else None,
        detail=detail,
    )


def give_back_claims(
    session: Session, owner: str, detail: str, *, max_attempts: int, now: datetime | None = None
) -> int:
    """Take back what a reader held that is known to be dead, without waiting for its lease. Number of photos."""
    held = photos.held_by(session, owner)
    for photo in held:
        _give_back(session, photo, detail, max_attempts, now or utc_now())
    return len(held)


def release(session: Session, claim: Claim, *, now: datetime | None = None) -> bool:
    """Hand a photo back that was not begun, at a graceful stop. False where the claim was lost."""
    return photos.leave_reading(session, claim, PhotoState.RECEIVED, now or utc_now())


def store_reading(session: Session, reading: Reading, *, now: datetime | None = None) -> int | None:
    """Store a reading that was made elsewhere (the command line) for a received photo, found by its SHA-256.

    Gives the id of its draft, None for a photo that was rejected. A photo that was read already keeps its draft.
    Raises ``NotFoundError`` for a photo that was never received.
    """
    now = now or utc_now()
    photo = photos.find_by_sha256(session, reading.sha256)
    if photo is None:
        raise NotFoundError(f"photo {reading.photo} was not received; hand it in first")
    if photo.state in (PhotoState.REJECTED, PhotoState.FAILED) and reading.status is ReadingStatus.READ:
        photos.retry(session, photo, now)
    if photo.state in (PhotoState.RECEIVED, PhotoState.READING):
        state, facts = _outcome(reading)
        photos.move(session, photo, state, now, **facts)
        session.flush()
        _keep(session, photo, reading, now)
    return drafts.id_of_photo(session, photo.id)


def retry(session: Session, photo_id: int, *, now: datetime | None = None) -> PhotoView:
    """Read a rejected or failed photo again. Raises ``NotFoundError``, ``ConflictError``."""
    photo = photos.get(session, photo_id)
    photos.retry(session, photo, now or utc_now())
    session.flush()
    return photos.view(session, photo)


def get_photo(session: Session, photo_id: int) -> PhotoView:
    """One photo. Raises ``NotFoundError``."""
    return photos.view(session, photos.get(session, photo_id))


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


def _file_name(given: str) -> str:
    """The last part of a path that some browser on some system sent, as it can be kept and shown."""
    name = PurePath(given.replace("\\", "/")).name
    printable = "".join(c if c.isprintable() else "_" for c in name.encode("utf-8", "replace").decode())
    return printable[-MAX_FILENAME_CHARS:] or "photo"


def _judge(head: bytes, size_bytes: int) -> Refusal | None:
    """Why a file is not worth queueing. Whatever begins like a picture is judged by the reader, which sees it all."""
    if size_bytes <= len(head) and not head.strip(b"\0"):
        return Refusal(RejectReason.EMPTY, "The file holds no data; copy it again from the camera or the original.")
    other = name_other_type(head)
    if other is not None:
        return Refusal(RejectReason.UNSUPPORTED_TYPE, f"This is {other}, not a photo; save the photo as JPEG or PNG.")
    if not starts_like_image(head):
        return Refusal(
            RejectReason.NOT_AN_IMAGE, "The content is no picture; check that this is the file that was meant."
        )
    return None


def _photo_of(
    session: Session,
    stored: StoredObject,
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
    session.add(photo)
    session.flush()
    return photo, False


def _outcome(reading: Reading) -> tuple[PhotoState, dict[str, object]]:
    width_px, height_px = reading.size_px or (None, None)
    facts: dict[str, object] = {
        "reason": reading.reason,
        "detail": reading.detail,
        "photo_type": reading.photo_type,
        "width_px": width_px,
        "height_px": height_px,
    }
    read = reading.status is ReadingStatus.READ
    return (PhotoState.IN_VERIFICATION if read else PhotoState.REJECTED), facts


def _keep(session: Session, photo: Photo, reading: Reading, now: datetime) -> None:
    reading_id = drafts.add_reading(session, photo.id, reading, now)
    if reading.status is ReadingStatus.READ:
        drafts.add_draft(session, photo, reading_id, reading, now)


def _give_back(session: Session, photo: Photo, detail: str, max_attempts: int, now: datetime) -> None:
    if photo.attempts >= max_attempts:
        evidence = f"given up after {photo.attempts} tries; the last time {detail}"
        photos.move(session, photo, PhotoState.FAILED, now, reason=RejectReason.READER_FAILED, detail=evidence)
    else:
        photos.move(session, photo, PhotoState.RECEIVED, now, detail=detail)
