"""Since when the longest photo in work is being read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class InWork:
    """Tells ``on_oldest`` the monotonic time when the longest photo in work was begun, and 0 when none is left.

    So that a process that hangs at a photo can be told from one that is busy with many. Threads may share it.
    """

    def __init__(self, on_oldest: Callable[[float], None]) -> None:
        self._on_oldest = on_oldest
        self._telling = threading.Lock()
        self._begun: dict[int, float] = {}

    def begin(self, photo_id: int) -> None:
        """A photo is in work from now on."""
        with self._telling:
            self._begun[photo_id] = time.monotonic()
            self._tell()

    def end(self, photo_id: int) -> None:
        """It is no longer."""
        with self._telling:
            del self._begun[photo_id]
            self._tell()

    def _tell(self) -> None:
        self._on_oldest(min(self._begun.values(), default=0.0))
