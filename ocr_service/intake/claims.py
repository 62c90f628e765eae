"""Photos are handed to readers by lease and come back as drafts, or with the reason why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import literal
from sqlalchemy.orm import Session

from ocr_service.database import drafts, leases, photos, shots
from ocr_service.database.documents import storable_text
from ocr_service.database.models import Photo
from ocr_service.database.types import utc_now
from ocr_service.database.values import Claim, HeldPhoto
from ocr_service.errors import NotFoundError
from ocr_service.intake.shots import attach_shots
from ocr_service.records import Reading, ReadingStatus, RejectReason
from ocr_service.states import PhotoState, Priority

# The flag of a reading's record; reading.outcome has it too, but needs the reader's libraries.
REPHOTOGRAPH_FLAG = "needs_rephotograph"


def claim_photos(
    session: Session,
    owner: str,
    *,
    limit: int,
    lease_s: float,
    max_attempts: int,
    ids: Sequence[int] | None = None,
    priority: Priority | None = None,
    now: datetime | None = None,
) -> list[Claim]:
    """Lease up to ``limit`` photos to ``owner``; those whose lease ran out go back first, or have failed.

    By priority, then the oldest first. ``ids`` are those that a message names: of these, the ones that still wait.
    ``priority`` takes photos of that priority only.
    """
    now = now or utc_now()
    give_back_expired(session, max_attempts=max_attempts, now=now)
    return leases.claim(session, owner, limit, lease_s, now, ids, priority)


def has_work(session: Session, *, now: datetime | None = None) -> bool:
    """Whether ``claim_photos`` would find anything; takes no lock."""
    return leases.has_work(session, now or utc_now())


def begin(session: Session, claim: Claim, *, lease_s: float, now: datetime | None = None) -> Claim | None:
    """``begin_many`` for one. None where the claim was lost."""
    begun = begin_many(session, [claim], lease_s=lease_s, now=now)
    return begun[0] if begun else None


def begin_many(
    session: Session, claims: Sequence[Claim], *, lease_s: float, now: datetime | None = None
) -> list[Claim]:
    """Say that reading starts now: counts a try and renews the lease of each. Claims that were lost are left out.

    Tries are counted here and not when claiming, so that the neighbours of a photo that kills its reader stay innocent.
    """
    return leases.begin(session, claims, lease_s, now or utc_now())


def finish(session: Session, claim: Claim, reading: Reading, *, now: datetime | None = None) -> bool:
    """``finish_many`` for one."""
    return finish_many(session, [(claim, reading)], now=now)[0]


def finish_many(session: Session, done: Sequence[tuple[Claim, Reading]], *, now: datetime | None = None) -> list[bool]:
    """Store what was read and end the claims, in one transaction. ``group_shots`` is to follow in another.

    False where a claim was lost (lease over, photo taken by another): then nothing of it is stored, the other one's
    result counts.
    """
    now = now or utc_now()
    prepared = [drafts.prepare(reading) for _, reading in done]  # before the first statement takes locks
    kept = leases.lock_held(session, [claim for claim, _ in done])
    leases.leave_reading(
        session,
        [
            (row.id, *_outcome(reading, row.batch_id))
            for row, (_, reading) in zip(kept, done, strict=True)
            if row is not None
        ],
        now,
    )
    drafts.add_many(session, [(row, ready) for row, ready in zip(kept, prepared, strict=True) if row is not None], now)
    return [row is not None for row in kept]


def fail(session: Session, claim: Claim, detail: str, *, max_attempts: int, now: datetime | None = None) -> bool:
    """The reader broke on a photo: try again, or set it aside with the evidence. False where the claim was lost."""
    spent = claim.attempts >= max_attempts
    facts = {"reason": RejectReason.READER_FAILED if spent else None, "detail": storable_text(detail)}
    return _leave(session, claim, PhotoState.FAILED if spent else PhotoState.RECEIVED, facts, now)


def release(session: Session, claim: Claim, *, now: datetime | None = None) -> bool:
    """Hand a photo back that was not begun, at a graceful stop. False where the claim was lost."""
    return _leave(session, claim, PhotoState.RECEIVED, {}, now)


def give_back_claims(
    session: Session, owner: str, detail: str, *, max_attempts: int, now: datetime | None = None
) -> int:
    """Take back what a reader held that is known to be dead, without waiting for its lease. Number of photos."""
    return leases.give_back(session, Photo.lease_owner == owner, literal(detail), max_attempts, now or utc_now())


def give_back_expired(session: Session, *, max_attempts: int, now: datetime | None = None) -> int:
    """Take back what readers held that let their leases run out. Number of photos."""
    now = now or utc_now()
    return leases.give_back(session, Photo.lease_until < now, leases.FELL_SILENT, max_attempts, now)


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
        state, facts = _outcome(reading, photo.batch_id)
        photos.move(session, photo, state, now, **facts)
        session.flush()
        held = HeldPhoto(photo.id, photo.cemetery_id, photo.grave_id, photo.batch_id)
        drafts.add_many(session, [(held, drafts.prepare(reading))], now)
        if photo.batch_id is not None and photo.shots_due:
            shots.hold_batch(session, photo.batch_id)
            attach_shots(session, photo.batch_id, [photo.id], now)
    return drafts.id_of_photo(session, photo.id)


def _leave(
    session: Session, claim: Claim, state: PhotoState, facts: Mapping[str, object], now: datetime | None
) -> bool:
    (held,) = leases.lock_held(session, [claim])
    if held is not None:
        leases.leave_reading(session, [(held.id, state, facts)], now or utc_now())
    return held is not None


def _outcome(reading: Reading, batch_id: int | None) -> tuple[PhotoState, dict[str, object]]:
    width_px, height_px = reading.size_px or (None, None)
    flags = reading.record.get("flags")
    read = reading.status is ReadingStatus.READ
    return (PhotoState.IN_VERIFICATION if read else PhotoState.REJECTED), {
        "reason": reading.reason,
        "detail": storable_text(reading.detail) if reading.detail else None,
        "photo_type": reading.photo_type,
        "width_px": width_px,
        "height_px": height_px,
        "needs_rephotograph": flags is not None and REPHOTOGRAPH_FLAG in flags.value,
        "shots_due": read and batch_id is not None,  # photos of no batch have no neighbours
    }
