"""What one reading process does all day: claim photos, read each, store what was read."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ocr_service import intake
from ocr_service.database import Database
from ocr_service.database.values import Claim
from ocr_service.errors import HeadstoneError
from ocr_service.records import Context, Reading
from ocr_service.settings import Settings
from ocr_service.storage import ObjectStore

log = structlog.get_logger(__name__)

ReadPhoto = Callable[[bytes, str, Context], Reading]
"""Bytes, file name and context become a reading; expected failures are readings with a reason."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a reading process works with. ``owner`` names it in leases."""

    database: Database
    store: ObjectStore
    read: ReadPhoto
    owner: str
    settings: Settings


def read_until(desk: Desk, stopping: Callable[[], bool], on_photo: Callable[[float], None]) -> None:
    """Read whatever waits until ``stopping`` says so; photos that were claimed and not begun are handed back.

    ``on_photo`` is told the monotonic time when a photo is begun, and 0 when it is done. A database that does not
    answer is waited for: leases bring back what was in hand.
    """
    while not stopping():
        try:
            if not _read_some(desk, stopping, on_photo):
                time.sleep(desk.settings.poll_s)
        except SQLAlchemyError as error:
            log.error("the database does not answer", owner=desk.owner, error=str(error.__cause__ or error))
            on_photo(0.0)
            time.sleep(max(desk.settings.poll_s, 1.0))


def _read_some(desk: Desk, stopping: Callable[[], bool], on_photo: Callable[[float], None]) -> bool:
    with desk.database.reading() as session:
        if not intake.has_work(session):
            return False
    with desk.database.writing() as session:
        claims = intake.claim_photos(
            session,
            desk.owner,
            limit=desk.settings.claim_size,
            lease_s=desk.settings.lease_s,
            max_attempts=desk.settings.max_attempts,
        )
    for claim in claims:
        if stopping():
            with desk.database.writing() as session:
                intake.release(session, claim)
        else:
            on_photo(time.monotonic())
            _read_one(desk, claim)
            on_photo(0.0)
    return bool(claims)


def _read_one(desk: Desk, claim: Claim) -> None:
    with desk.database.writing() as session:
        begun = intake.begin(session, claim, lease_s=desk.settings.lease_s)
    if begun is None:
        return
    started = time.monotonic()
    try:
        reading = desk.read(desk.store.read(begun.sha256), begun.filename, begun.context)
    except Exception as error:
        # one photo that breaks the reader must not stop the others; its row keeps what was seen
        log.exception("a photo broke the reader", photo_id=begun.photo_id, sha256=begun.sha256)
        seen = str(error) if isinstance(error, HeadstoneError) else f"{type(error).__name__}: {error}"
        with desk.database.writing() as session:
            intake.fail(session, begun, seen[:500], max_attempts=desk.settings.max_attempts)
        return
    with desk.database.writing() as session:
        kept = intake.finish(session, begun, reading)
    log.info(
        "photo read" if kept else "photo was taken by another meanwhile",
        photo_id=begun.photo_id,
        status=str(reading.status),
        seconds=round(time.monotonic() - started, 3),
    )
