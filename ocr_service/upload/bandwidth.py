"""A limit on bytes a second, shared by every thread that sends: a token bucket (RFC 2697 speaks of its arithmetic)."""

from __future__ import annotations

import re
import threading

from ocr_service.errors import UsageError

_PIECES_PER_S = 10
"""How finely bytes are spread over a second: a line that others use must not feel bursts."""

_LEAST_PIECE_BYTES = 1024
_MOST_PIECE_BYTES = 65_536
_RATE = re.compile(r"(\d+(?:[.,]\d+)?)\s*([kmg]?)b?(?:/s)?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}


def parse_rate(text: str) -> int:
    """Bytes a second of ``200k``, ``1.5M`` or ``50000``. Raises ``UsageError``."""
    match = _RATE.fullmatch(text.strip())
    rate = int(float(match[1].replace(",", ".")) * _UNITS[match[2].lower()]) if match else 0
    if rate < _LEAST_PIECE_BYTES:
        raise UsageError(f"the limit {text!r} does not fit; give bytes a second, at least 1024, as 200k or 1.5M")
    return rate


class TokenBucket:
    """Bytes may go at ``bytes_per_s`` on average; what was not used is saved for one piece at most.

    The bucket is told the time and tells how long to wait, so that it needs no clock of its own. Thread-safe.
    """

    def __init__(self, bytes_per_s: float | None) -> None:
        """None is no limit."""
        self._bytes_per_s = bytes_per_s
        self._paid_until_s = float("-inf")  # when all bytes that were let through will have been paid for
        self._lock = threading.Lock()

    @property
    def piece_bytes(self) -> int:
        """How many bytes to ask for at once."""
        if self._bytes_per_s is None:
            return _MOST_PIECE_BYTES
        return max(_LEAST_PIECE_BYTES, min(_MOST_PIECE_BYTES, int(self._bytes_per_s / _PIECES_PER_S)))

    def take(self, count_bytes: int, now_s: float) -> float:
        """Take bytes at a time of a clock; returns the seconds to wait before they may go."""
        if self._bytes_per_s is None:
            return 0.0
        with self._lock:
            saved_s = self.piece_bytes / self._bytes_per_s
            self._paid_until_s = max(self._paid_until_s, now_s - saved_s) + count_bytes / self._bytes_per_s
            return max(0.0, self._paid_until_s - now_s)
