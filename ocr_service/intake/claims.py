"""Photos are handed to readers by lease and come back as drafts, or with the reason why not."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from ocr_service.database import drafts, leases, photos
from ocr_service.database.models import Photo
from ocr_service.database.types import utc_now
from ocr_service.database.values import Claim
from ocr_service.errors import NotFoundError
from ocr_service.intake.shots import attach_shots
from ocr_service.records import Reading, ReadingStatus, RejectReason
from ocr_service.states import PhotoState


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
    for photo in leases.expired(session, now):
        _give_back(session, photo, f"its reader fell silent ({photo.lease_owner})", max_attempts, now)
    session.flush()
    return leases.claim(session, owner, limit, lease_s, now)


def has_work(session: Session, *, now: datetime | None = None) -> bool:
    """Whether ``claim_photos`` would find anything; takes no lock."""
    return leases.has_work(session, now or utc_now())


def begin(session: Session, claim: Claim, *, lease_s: float, now: datetime | None = None) -> Claim | None:
    """Say that reading starts now: counts a try and renews the lease. None where the claim was lost.

    Tries are counted here and not when claiming, so that the neighbours of a photo that kills its reader stay innocent.
    """
    return leases.begin(session, claim, lease_s, now or utc_now())


def finish(session: Session, claim: Claim, reading: Reading, *, now: datetime | None = None) -> bool:
    """Store what was read and end the claim, in one transaction.

    False where the claim was lost (lease over, photo taken by another): then nothing is stored, the other one's result
    counts.
    """
    now = now or utc_now()
    state, facts = _outcome(reading)
    if not leases.leave_reading(session, claim, state, now, **facts):
        return False
    _keep(session, photos.get(session, claim.photo_id), reading, now)
    return True


def fail(session: Session, claim: Claim, detail: str, *, max_attempts: int, now: datetime | None = None) -> bool:
    """The reader broke on a photo: try again, or set it aside with the evidence. False where the claim was lost."""
    spent = claim.attempts >= max_attempts
    return leases.leave_reading(
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
    held = leases.held_by(session, owner)
    for photo in held:
        _give_back(session, photo, detail, max_attempts, now or utc_now())
    return len(held)


def release(session: Session, claim: Claim, *, now: datetime | None = None) -> bool:
    """Hand a photo back that was not begun, at a graceful stop. False where the claim was lost."""
    return leases.leave_reading(session, claim, PhotoState.RECEIVED, now or utc_now())


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
        session.flush()
        attach_shots(session, photo, now)


def _give_back(session: Session, photo: Photo, detail: str, max_attempts: int, now: datetime) -> None:
    if photo.attempts >= max_attempts:
        evidence = f"given up after {photo.attempts} tries; the last time {detail}"
        photos.move(session, photo, PhotoState.FAILED, now, reason=RejectReason.READER_FAILED, detail=evidence)
    else:
        photos.move(session, photo, PhotoState.RECEIVED, now, detail=detail)
