"""The body of a reading process: it reads whatever waits, or what its supervisor orders, until it is told to stop."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from models.choices import PHOTOS_SIDE_BY_SIDE
from ocr_service import intake
from ocr_service.database import Database, connect_database
from ocr_service.errors import HeadstoneError
from ocr_service.operations.logs import log_to_stderr
from ocr_service.records import Context, Reading
from ocr_service.settings import Settings
from ocr_service.storage import open_store
from workers.loop import Desk, ReadingLoop, ReadPhoto
from workers.sources import named, whatever_waits

log = structlog.get_logger(__name__)

LoadReader = Callable[[Settings], ReadPhoto]

NO_READER = 3
"""Exit code of a process whose bundle or engine is missing, as for the command line."""
GROWN = 4
"""Exit code of a process that took up too much memory and is to be replaced."""

_LISTEN_S = 0.2


@dataclass(frozen=True, slots=True)
class Ties:
    """What ties a reading process to its supervisor.

    It says since when (monotonic, 0 for idle) it is busy with the photo that takes longest, and how much memory it may
    take up (0 while the reader is being loaded). ``orders`` is None where it reads whatever waits.
    """

    owner: str
    stop: Event
    busy_since: Synchronized[float]
    limit_bytes: Synchronized[int]
    orders: Connection | None


def load_photo_reader(settings: Settings) -> ReadPhoto:
    """The real reader: one bundle on one engine, loaded once. Raises BundleError, EngineError."""
    from ocr_service.reading import read_photo, reader_of  # loads onnxruntime, which only reading processes need

    reader = reader_of(settings)

    def read(data: bytes, photo: str, context: Context) -> Reading:
        return read_photo(data, photo, reader, context)

    return read


def read_in_process(settings: Settings, load: LoadReader, ties: Ties) -> None:
    """Load the reader and work until told to stop; ends with ``NO_READER`` or ``GROWN`` otherwise."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor says when to stop
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    log_to_stderr()
    _leave_with_parent(ties.stop, settings.photo_timeout_s)
    try:
        read = load(settings)
        store = open_store(settings)
    except HeadstoneError as error:
        log.error("the reader cannot be loaded", owner=ties.owner, detail=str(error))
        sys.exit(NO_READER)
    # what a reader takes up from the start is no growth: an engine on a GPU may fill more than the limit
    limit_bytes = max(settings.worker_max_memory_mb * 10**6, resident_bytes(os.getpid()) * 3 // 2)
    ties.limit_bytes.value = limit_bytes

    def has_grown() -> bool:
        return resident_bytes(os.getpid()) > limit_bytes

    def on_oldest(since: float) -> None:
        ties.busy_since.value = since

    database = connect_database(settings.resolved_database_url)
    desk = Desk(database, store, read, ties.owner, settings)

    def stopping() -> bool:
        return ties.stop.is_set() or has_grown()

    try:
        with ReadingLoop(desk, PHOTOS_SIDE_BY_SIDE[settings.engine], stopping, on_oldest) as loop:
            if ties.orders is None:
                _read_whatever_waits(loop, database, settings, stopping)
            else:
                _read_what_is_ordered(loop, ties.orders, settings, stopping)
    finally:
        database.close()
    if has_grown() and not ties.stop.is_set():
        log.warning("a reading process took up too much memory", owner=ties.owner, limit_mb=limit_bytes // 10**6)
        sys.exit(GROWN)


def resident_bytes(pid: int) -> int:
    """Memory that a process takes up, 0 where that cannot be told (it is gone, or this is no Linux)."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _read_whatever_waits(
    loop: ReadingLoop, database: Database, settings: Settings, stopping: Callable[[], bool]
) -> None:
    source = whatever_waits(settings)
    while not stopping():
        if _has_work(database):
            loop.read(source)
        else:
            loop.rest()
            time.sleep(settings.poll_s)


def _has_work(database: Database) -> bool:
    try:
        with database.reading() as session:
            return intake.has_work(session)
    except SQLAlchemyError as error:
        log.error("the database does not answer", error=str(error.__cause__ or error))
        time.sleep(1.0)
        return False


def _read_what_is_ordered(
    loop: ReadingLoop, orders: Connection, settings: Settings, stopping: Callable[[], bool]
) -> None:
    """Read what each order names and send its ids back when nothing of it is left."""
    while not stopping():
        if not orders.poll(_LISTEN_S):
            loop.rest()
            continue
        try:
            ids: Sequence[int] = orders.recv()
        except EOFError:
            return
        loop.read(named(ids, settings))
        if not stopping():
            orders.send(ids)


def _leave_with_parent(stop: Event, grace_s: float) -> None:
    """Stop when the supervisor is gone, however it went; even a reader that hangs ends after ``grace_s``."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        wait([sentinel])
        stop.set()
        time.sleep(grace_s)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()
