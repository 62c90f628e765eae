"""The reading processes of a worker that is told by messages what to read."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence

import structlog

from ocr_service.database import connect_database
from ocr_service.settings import Settings
from workers.embedded import see_off
from workers.process import LoadReader, load_photo_reader
from workers.seat import Seat

log = structlog.get_logger(__name__)

_TICK_S = 0.05


class Crew:
    """``settings.worker_processes`` seats, looked after by one thread and ordered about by others."""

    def __init__(self, settings: Settings, load: LoadReader = load_photo_reader) -> None:
        self._settings = settings
        self._database = connect_database(settings.resolved_database_url)
        processes = range(settings.worker_processes)
        self._seats = [Seat(index, settings, self._database, load, takes_orders=True) for index in processes]
        self._free: queue.SimpleQueue[Seat] = queue.SimpleQueue()
        for seat in self._seats:
            self._free.put(seat)
        self._stopping = threading.Event()
        self._looking_after = threading.Thread(target=self._look_after, name="supervisor", daemon=True)
        self._looking_after.start()

    def read(self, ids: Sequence[int]) -> bool:
        """Have these photos read by the next process that is free; False where the crew was stopped before the end."""
        seat = self._next_free()
        if seat is None:
            return False
        seat.order(ids)
        while not seat.is_idle:
            if self._stopping.wait(_TICK_S):
                return False
        self._free.put(seat)
        return True

    def stop(self) -> None:
        """Tell every process to finish the photo in hand and leave; returns at once."""
        self._stopping.set()
        for seat in self._seats:
            seat.stop()

    def close(self) -> None:
        """Stop and wait for the processes."""
        self.stop()
        self._looking_after.join()
        see_off(self._seats, self._settings.photo_timeout_s)
        self._database.close()

    def _next_free(self) -> Seat | None:
        while not self._stopping.is_set():
            try:
                return self._free.get(timeout=_TICK_S)
            except queue.Empty:
                continue
        return None

    def _look_after(self) -> None:
        while not self._stopping.is_set():
            try:
                for seat in self._seats:
                    seat.look_after()
            except Exception:  # no memory for another process, say: a worker that nobody looks after would stand still
                log.exception("a reading process cannot be looked after")
                time.sleep(1.0)
            time.sleep(_TICK_S)
