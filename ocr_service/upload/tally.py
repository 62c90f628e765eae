"""How far an upload is, how fast it goes, and how long the rest will take; filled by the threads that work."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

_RATE_WINDOW_S = 60.0
_LEFT_WINDOW_S = 900.0
"""A poor line is fast one minute and gone the next: the time left is told by the last quarter of an hour."""

_SAMPLE_S = 1.0


class Phase(StrEnum):
    """What an upload is at."""

    CONNECTING = "connecting"
    HASHING = "hashing"
    ANNOUNCING = "announcing"
    SENDING = "sending"
    CHECKING = "checking"


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of an upload; files and bytes are those of the phase. ``trouble`` holds it up since ``silent_s``."""

    phase: Phase
    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int
    bytes_per_s: float
    left_s: float | None
    trouble: str | None
    silent_s: float


class Tally:
    """Counts what is done. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._trouble: str | None = None
        self._trouble_since_s = 0.0
        self.wire_bytes = 0
        """Bytes of photos that were sent, those that were sent again too."""
        self._begin(Phase.CONNECTING, 0, 0)

    def begin(self, phase: Phase, *, files: int = 0, size_bytes: int = 0) -> None:
        """A phase begins that has so much to do."""
        with self._lock:
            self._begin(phase, files, size_bytes)

    def done(self, *, files: int = 1, size_bytes: int = 0) -> None:
        """Files of the phase are done."""
        with self._lock:
            self._files_done += files
            self._bytes_done += size_bytes

    def sent(self, count_bytes: int) -> None:
        """Bytes went out, of a file that may yet have to be sent again."""
        with self._lock:
            self.wire_bytes += count_bytes

    def note_trouble(self, trouble: str) -> float:
        """Why nothing goes on at the moment; returns for how many seconds nothing has."""
        with self._lock:
            if self._trouble is None:
                self._trouble_since_s = self._clock()
            self._trouble = trouble
            return self._clock() - self._trouble_since_s

    def note_answer(self) -> None:
        """Something went through."""
        with self._lock:
            self._trouble = None

    def progress(self) -> Progress:
        """The moment as it is."""
        with self._lock:
            now_s = self._clock()
            if not self._samples or now_s - self._samples[-1][0] >= _SAMPLE_S:
                self._samples.append((now_s, self.wire_bytes, self._bytes_done))
            while len(self._samples) > 1 and self._samples[1][0] <= now_s - _LEFT_WINDOW_S:
                self._samples.popleft()
            left_bytes = self._bytes_total - self._bytes_done
            done_per_s = self._rate(2, _LEFT_WINDOW_S, now_s, self._bytes_done)
            # hashing sends nothing: its rate is that of the disk
            sends = self._phase is Phase.SENDING
            wire_per_s = self._rate(1, _RATE_WINDOW_S, now_s, self.wire_bytes) if sends else done_per_s
            return Progress(
                self._phase,
                self._files_done,
                self._files_total,
                self._bytes_done,
                self._bytes_total,
                wire_per_s,
                left_bytes / done_per_s if done_per_s > 0 else None,
                self._trouble,
                now_s - self._trouble_since_s if self._trouble is not None else 0.0,
            )

    def _begin(self, phase: Phase, files: int, size_bytes: int) -> None:
        self._phase = phase
        self._files_done, self._files_total = 0, files
        self._bytes_done, self._bytes_total = 0, size_bytes
        self._samples: deque[tuple[float, int, int]] = deque([(self._clock(), self.wire_bytes, 0)])

    def _rate(self, column: int, window_s: float, now_s: float, now_bytes: int) -> float:
        # the last one before the window: who looks once a minute has none inside it
        first = next((s for s in reversed(self._samples) if s[0] <= now_s - window_s), self._samples[0])
        passed_s = now_s - first[0]
        return (now_bytes - first[column]) / passed_s if passed_s > 0 else 0.0
