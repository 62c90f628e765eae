"""What one reading process does all day: claim photos, read each, store what was read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
from workers.lanes import Lanes

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


def read_side_by_side(
    desk: Desk, photos: int, stopping: Callable[[], bool], on_oldest: Callable[[float], None]
) -> None:
    """Run ``read_until`` in as many threads as ``photos`` are read at a time, with the desk shared among them.

    Where one of them breaks, the others finish what they have in hand and its error is raised.
    """
    lanes, broken = Lanes(photos, on_oldest), threading.Event()

    def work() -> None:
        try:
            read_until(desk, lambda: broken.is_set() or stopping(), lanes)
        except BaseException:
            broken.set()
            raise

    with ThreadPoolExecutor(photos, "reader") as threads:
        for ended in [threads.submit(work) for _ in range(photos)]:
            ended.result()


def read_until(desk: Desk, stopping: Callable[[], bool], lanes: Lanes) -> None:
    """Read whatever waits until ``stopping`` says so; photos that were claimed and not begun are handed back.

    A database that does not answer is waited for: leases bring back what was in hand.
    """
    while not stopping():
        try:
            if not _read_some(desk, stopping, lanes):
                time.sleep(desk.settings.poll_s)
        except SQLAlchemyError as error:
            log.error("the database does not answer", owner=desk.owner, error=str(error.__cause__ or error))
            time.sleep(max(desk.settings.poll_s, 1.0))


def _read_some(desk: Desk, stopping: Callable[[], bool], lanes: Lanes) -> bool:
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
        # a photo that was tried before may be one that kills its reader: it must not take its neighbours along again
        with lanes.take(alone=claim.attempts > 0):
            if stopping():
                with desk.database.writing() as session:
                    intake.release(session, claim)
            else:
                _read_one(desk, claim)
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
