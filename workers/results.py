"""What becomes of a photo that was read, or that broke its reader."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ocr_service import intake, metrics
from ocr_service.database import Database
from ocr_service.database.values import Claim
from ocr_service.errors import HeadstoneError
from ocr_service.records import Reading, ReadingStatus
from ocr_service.states import PhotoState

log = structlog.get_logger(__name__)

_MAX_DETAIL_CHARS = 500
_GROUP_AT_MOST_S = 5.0


@dataclass(frozen=True, slots=True)
class Done:
    """A photo that was read, or broke its reader, and is not stored yet."""

    claim: Claim
    result: Reading | Exception
    seconds: float


def store_results(session: Session, done: Sequence[Done], max_attempts: int) -> list[bool]:
    """Store readings, and note who broke the reader; False where a claim was lost meanwhile."""
    readings = [(one.claim, one.result) for one in done if isinstance(one.result, Reading)]
    claims = (claim.photo_id for claim, _ in readings)
    kept = dict(zip(claims, intake.finish_many(session, readings) if readings else [], strict=True))
    for one in done:
        if isinstance(one.result, Exception):
            seen = _what_was_seen(one.result)
            kept[one.claim.photo_id] = intake.fail(session, one.claim, seen, max_attempts=max_attempts)
    return [kept[one.claim.photo_id] for one in done]


def note(done: Done, kept: bool, max_attempts: int) -> None:
    """Log and count what was stored."""
    about = {"photo_id": done.claim.photo_id, "batch_id": done.claim.batch_id, "seconds": round(done.seconds, 3)}
    if not kept:
        metrics.CLAIMS_LOST.inc()
        log.warning("photo was taken by another meanwhile", **about)
    elif isinstance(done.result, Reading):
        state = PhotoState.IN_VERIFICATION if done.result.status is ReadingStatus.READ else PhotoState.REJECTED
        metrics.PHOTOS_FINISHED.labels(state=str(state)).inc()
        metrics.READ_SECONDS.observe(done.seconds)
        log.info("photo read", status=str(done.result.status), **about)
    else:
        metrics.PHOTOS_BROKEN.inc()
        if done.claim.attempts >= max_attempts:
            metrics.PHOTOS_FINISHED.labels(state=str(PhotoState.FAILED)).inc()
        log.warning("photo not read", attempts=done.claim.attempts, **about)


def group_shots(database: Database) -> None:
    """Tell which of the photos that were just read show one grave, for a few seconds at most; the rest stays due."""
    end = time.monotonic() + _GROUP_AT_MOST_S
    try:
        told = 1
        while told and time.monotonic() < end:
            with database.writing() as session:
                told = intake.group_shots(session)
    except SQLAlchemyError as error:
        log.error("shots are grouped later", error=str(error.__cause__ or error))


def _what_was_seen(error: Exception) -> str:
    seen = str(error) if isinstance(error, HeadstoneError) else f"{type(error).__name__}: {error}"
    return seen.replace("\0", "")[:_MAX_DETAIL_CHARS]  # PostgreSQL's text holds no NUL
