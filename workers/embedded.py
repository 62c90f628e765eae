"""The embedded reader: ``python -m workers.embedded --data DIR`` keeps processes that read what was received.

It may be killed at any moment, whole or in part: leases bring back what was in hand, fencing tokens keep late results
out.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import get_args

import structlog

from models.choices import PHOTOS_SIDE_BY_SIDE, Device, EngineName
from ocr_service import intake
from ocr_service.database import Database, connect_database, open_database
from ocr_service.errors import HeadstoneError
from ocr_service.records import Context, Reading
from ocr_service.settings import Settings, load_settings
from ocr_service.storage import LocalStore
from workers.logs import log_to_stderr
from workers.loop import Desk, ReadPhoto, read_side_by_side

log = structlog.get_logger(__name__)

LoadReader = Callable[[Settings], ReadPhoto]

_TICK_S = 0.2
_MAX_RESTART_DELAY_S = 30.0
_NO_READER = 3  # exit code of a process whose bundle or engine is missing, as for the command line

_spawn = multiprocessing.get_context("spawn")  # a forked child of a process that ran onnxruntime can hang


def load_photo_reader(settings: Settings) -> ReadPhoto:
    """The real reader: one bundle on one engine, loaded once. Raises BundleError, EngineError."""
    from ocr_service.reading import read_photo, reader_of  # loads onnxruntime, which only reading processes need

    reader = reader_of(settings)

    def read(data: bytes, photo: str, context: Context) -> Reading:
        return read_photo(data, photo, reader, context)

    return read


@dataclass(slots=True)
class _Seat:
    """One reading process and its successors; a new process has a new name, so leases tell them apart."""

    index: int
    owner: str = ""
    process: SpawnProcess | None = None
    busy_since: Synchronized[float] = field(default_factory=lambda: _spawn.Value("d", 0.0))
    killed_for: str | None = None
    failures: int = 0
    not_before: float = 0.0


def supervise(
    settings: Settings, *, load: LoadReader = load_photo_reader, stopping: Callable[[], bool] = lambda: False
) -> None:
    """Keep ``settings.worker_processes`` reading processes until ``stopping``, then let each finish its photo.

    A process that dies is replaced and its photos are given back at once; one that is longer at a photo than
    ``photo_timeout_s`` is killed first.
    """
    database = open_database(settings.resolved_database_url)
    stop = _spawn.Event()
    seats = [_Seat(index) for index in range(settings.worker_processes)]
    try:
        while not stopping():
            for seat in seats:
                _look_after(seat, settings, database, stop, load)
            time.sleep(_TICK_S)
    finally:
        stop.set()
        _see_off(seats, settings, database)
        database.close()


def _look_after(seat: _Seat, settings: Settings, database: Database, stop: Event, load: LoadReader) -> None:
    if seat.process is None:
        if time.monotonic() >= seat.not_before:
            _start(seat, settings, stop, load)
        return
    if seat.process.is_alive():
        _kill_if_stuck(seat, settings)
    else:
        _mourn(seat, settings, database)


def _start(seat: _Seat, settings: Settings, stop: Event, load: LoadReader) -> None:
    seat.owner = f"{socket.gethostname()}/{os.getpid()}/{seat.index}/{secrets.token_hex(4)}"
    seat.busy_since.value = 0.0
    seat.killed_for = None
    arguments = (settings, load, seat.owner, stop, seat.busy_since)
    seat.process = _spawn.Process(target=_read_in_process, args=arguments, name=f"reader-{seat.index}", daemon=True)
    with _without_interrupts():
        seat.process.start()


def _kill_if_stuck(seat: _Seat, settings: Settings) -> None:
    since = seat.busy_since.value
    if seat.process is not None and since and time.monotonic() - since > settings.photo_timeout_s:
        seat.killed_for = f"its reader took more than {settings.photo_timeout_s:g} s"
        seat.process.kill()


def _mourn(seat: _Seat, settings: Settings, database: Database) -> None:
    assert seat.process is not None  # noqa: S101 - only a seat that was taken is mourned
    was_reading = bool(seat.busy_since.value)
    detail = seat.killed_for or _last_words(seat.process.exitcode)
    log.error("a reading process ended", owner=seat.owner, detail=detail, reading=was_reading)
    with database.writing() as session:
        intake.give_back_claims(session, seat.owner, detail, max_attempts=settings.max_attempts)
    seat.process.close()
    seat.process = None
    # A photo that kills its reader is set aside after its tries; a reader that cannot even start must not spin.
    seat.failures = 0 if was_reading else seat.failures + 1
    seat.not_before = time.monotonic() + min(2.0**seat.failures - 1.0, _MAX_RESTART_DELAY_S)


def _last_words(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        with contextlib.suppress(ValueError):
            return f"its reader was ended by {signal.Signals(-exit_code).name}"
    return f"its reader ended with exit code {exit_code}"


def _see_off(seats: Sequence[_Seat], settings: Settings, database: Database) -> None:
    """Wait for each to finish its photo, end those that do not, and hand back what is still in their names."""
    deadline = time.monotonic() + settings.photo_timeout_s
    for seat in seats:
        if seat.process is None:
            continue
        seat.process.join(max(deadline - time.monotonic(), 0.0))
        if seat.process.is_alive():
            seat.process.kill()
            seat.process.join()
        with database.writing() as session:
            intake.give_back_claims(session, seat.owner, "its reader was stopped", max_attempts=settings.max_attempts)


def _read_in_process(
    settings: Settings, load: LoadReader, owner: str, stop: Event, busy_since: Synchronized[float]
) -> None:
    """Body of a reading process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor says when to stop
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    log_to_stderr()
    _leave_with_parent(stop, settings.photo_timeout_s)
    try:
        read = load(settings)
    except HeadstoneError as error:
        log.error("the reader cannot be loaded", owner=owner, detail=str(error))
        sys.exit(_NO_READER)
    database = connect_database(settings.resolved_database_url)
    desk = Desk(database, LocalStore(settings.objects_dir), read, owner, settings)

    def on_oldest(since: float) -> None:
        busy_since.value = since

    try:
        read_side_by_side(desk, PHOTOS_SIDE_BY_SIDE[settings.engine], stop.is_set, on_oldest)
    finally:
        database.close()


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


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Whatever is started in the block is born with SIGINT held back, until it has said what to do about it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # api.serve starts us with it held back
    yield asked.is_set


def main(arguments: Sequence[str] | None = None) -> int:
    """Read until told to stop (SIGTERM, SIGINT) or until the process named by ``--parent`` is gone."""
    parser = argparse.ArgumentParser(prog="python -m workers.embedded", description="Read the photos of a data folder.")
    parser.add_argument("--data", type=Path, help="data folder; default: HEADSTONE_DATA_DIR or ./headstone-data")
    parser.add_argument("--processes", type=int, help="how many photos are read at once")
    parser.add_argument("--bundle", help="model bundle; default: the newest one of the profile")
    parser.add_argument("--profile", help="accurate or fast")
    parser.add_argument("--engine", choices=get_args(EngineName), help="what runs the bundle")
    parser.add_argument("--device", choices=get_args(Device), help="where the engine runs")
    parser.add_argument("--parent", type=int, help="stop when this process is no longer the parent")
    chosen = parser.parse_args(arguments)
    given = {
        "data_dir": chosen.data,
        "worker_processes": chosen.processes,
        "bundle": chosen.bundle,
        "profile": chosen.profile,
        "engine": chosen.engine,
        "device": chosen.device,
    }
    log_to_stderr()
    try:
        settings = load_settings(**given)
        with _stop_signals() as asked:
            supervise(
                settings, stopping=lambda: asked() or (chosen.parent is not None and os.getppid() != chosen.parent)
            )
    except HeadstoneError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
