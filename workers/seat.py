"""One reading process and its successors, looked after by whoever holds the seat."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import secrets
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ocr_service import intake, metrics
from ocr_service.database import Database
from ocr_service.settings import Settings
from workers.process import GROWN, LoadReader, Ties, read_in_process, resident_bytes

log = structlog.get_logger(__name__)

_MAX_RESTART_DELAY_S = 30.0
_KILLED_AT_TIMES_THE_LIMIT = 2  # a photo that needs so much takes the machine's memory from its neighbours

spawning = multiprocessing.get_context("spawn")  # a forked child of a process that ran onnxruntime can hang


class Seat:
    """Keeps one reading process: replaces one that dies, ends one that hangs or grows, gives its photos back at once.

    A new process has a new name, so leases tell them apart. ``look_after`` is to be called a few times a second, by one
    thread. Where ``takes_orders``, the process reads what ``order`` names, else whatever waits.
    """

    def __init__(
        self,
        index: int,
        settings: Settings,
        database: Database,
        load: LoadReader,
        *,
        takes_orders: bool = False,
    ) -> None:
        self._index = index
        self._settings = settings
        self._database = database
        self._load = load
        self._takes_orders = takes_orders
        self._stop: Event = spawning.Event()
        self._busy_since: Synchronized[float] = spawning.Value("d", 0.0)
        self._limit_bytes: Synchronized[int] = spawning.Value("Q", 0)
        self._owner = ""
        self._process: SpawnProcess | None = None
        self._orders: Connection | None = None
        self._ordered: Sequence[int] = ()
        self._was_told = False
        self._killed_for: str | None = None
        self._failures = 0
        self._not_before = 0.0

    def order(self, ids: Sequence[int]) -> None:
        """Have these photos read; ``look_after`` until ``is_idle``."""
        self._was_told = False  # first: another thread may look after the seat
        self._ordered = tuple(ids)

    @property
    def is_idle(self) -> bool:
        """Whether nothing of the last order is left to do."""
        return not self._ordered

    def look_after(self) -> None:
        """Start, replace, end or give an order to its process, as need be; never waits long."""
        process = self._process
        if process is None:
            if time.monotonic() >= self._not_before:
                self._start()
        elif process.is_alive():
            self._end_if_it_hangs_or_grows(process)
            self._talk()
        else:
            self._mourn(process)

    def stop(self) -> None:
        """Tell its process to finish the photo in hand and leave."""
        self._stop.set()

    def see_off(self, deadline: float) -> None:
        """Wait for its process, end it at ``deadline`` (monotonic), and hand back what is still in its name."""
        if self._process is None:
            return
        self._process.join(max(deadline - time.monotonic(), 0.0))
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        try:
            self._give_back("its reader was stopped")
        except SQLAlchemyError as error:
            log.error("photos come back when their leases end", owner=self._owner, error=str(error.__cause__ or error))
        self._forget()

    def _start(self) -> None:
        self._owner = f"{socket.gethostname()}/{os.getpid()}/{self._index}/{secrets.token_hex(4)}"
        self._busy_since.value = 0.0
        self._limit_bytes.value = 0
        self._killed_for = None
        self._was_told = False
        theirs = None
        if self._takes_orders:
            self._orders, theirs = spawning.Pipe()
        ties = Ties(self._owner, self._stop, self._busy_since, self._limit_bytes, theirs)
        arguments = (self._settings, self._load, ties)
        name = f"reader-{self._index}"
        self._process = spawning.Process(target=read_in_process, args=arguments, name=name, daemon=True)
        with _without_interrupts():
            self._process.start()
        if theirs is not None:
            theirs.close()

    def _end_if_it_hangs_or_grows(self, process: SpawnProcess) -> None:
        since, limit_s = self._busy_since.value, self._settings.photo_timeout_s
        most_bytes = self._limit_bytes.value * _KILLED_AT_TIMES_THE_LIMIT
        if since and time.monotonic() - since > limit_s:
            self._killed_for = f"its reader took more than {limit_s:g} s"
            process.kill()
        elif since and most_bytes and resident_bytes(process.pid or 0) > most_bytes:
            self._killed_for = f"its reader took up more than {most_bytes // 10**6} MB"
            process.kill()

    def _talk(self) -> None:
        if self._orders is None:
            return
        with contextlib.suppress(OSError, EOFError):  # it died this moment: it will be mourned
            if self._ordered and not self._was_told:
                self._orders.send(self._ordered)
                self._was_told = True
            while self._orders.poll():
                if self._orders.recv() == self._ordered:
                    self._ordered = ()

    def _mourn(self, process: SpawnProcess) -> None:
        was_reading = bool(self._busy_since.value)
        detail = self._killed_for or _last_words(process.exitcode)
        try:
            self._give_back(detail)
        except SQLAlchemyError as error:
            # next time; nobody else is started in its place before, or leases would be given back that are not its own
            log.error("the database does not answer", owner=self._owner, error=str(error.__cause__ or error))
            return
        if process.exitcode != GROWN:
            log.error("a reading process ended", owner=self._owner, detail=detail, reading=was_reading)
        metrics.READERS_RESTARTED.inc()
        # A photo that kills its reader is set aside after its tries; a reader that cannot even start must not spin.
        self._failures = 0 if was_reading or process.exitcode == GROWN else self._failures + 1
        self._not_before = time.monotonic() + min(2.0**self._failures - 1.0, _MAX_RESTART_DELAY_S)
        self._forget()

    def _give_back(self, detail: str) -> None:
        with self._database.writing() as session:
            intake.give_back_claims(session, self._owner, detail, max_attempts=self._settings.max_attempts)

    def _forget(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None
        if self._orders is not None:
            self._orders.close()
            self._orders = None


def _last_words(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        with contextlib.suppress(ValueError):
            return f"its reader was ended by {signal.Signals(-exit_code).name}"
    return f"its reader ended with exit code {exit_code}"


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Whatever is started in the block is born with SIGINT held back, until it has said what to do about it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
