"""Room for photos that one process reads side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Lanes:
    """Lets ``count`` photos be in work at a time, each in its thread; at any time one of them may have all the room.

    ``on_oldest`` is told the monotonic time when the longest of them was begun, and 0 when none is left, so that a
    process that hangs at a photo can be told from one that is busy with many.
    """

    def __init__(self, count: int, on_oldest: Callable[[float], None]) -> None:
        self._count = count
        self._on_oldest = on_oldest
        self._free = threading.Semaphore(count)
        self._arriving = threading.Lock()
        self._telling = threading.Lock()
        self._begun: dict[int, float] = {}

    @contextmanager
    def take(self, *, alone: bool) -> Iterator[None]:
        """Wait for room, hold it for the block; ``alone`` waits until nothing else is in work and keeps others out."""
        wanted = self._count if alone else 1
        with self._arriving:  # or two that want all of it would wait for each other with half of it each
            for _ in range(wanted):
                self._free.acquire()
        self._tell(time.monotonic())
        try:
            yield
        finally:
            self._tell(None)
            self._free.release(wanted)

    def _tell(self, begun: float | None) -> None:
        with self._telling:
            if begun is None:
                del self._begun[threading.get_ident()]
            else:
                self._begun[threading.get_ident()] = begun
            self._on_oldest(min(self._begun.values(), default=0.0))
