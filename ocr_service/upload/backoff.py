"""How long to wait before asking again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_MOST_RETRY_AFTER_S = 3600.0
"""A server that names a longer time is asked after an hour all the same: its clock may be wrong."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from ``first_s`` to ``most_s``, each shortened by chance to half at most.

    Chance keeps many collectors from coming back at the same moment after an outage. A minute at most: asking once a
    minute costs a poor line nothing, and a line that comes back for ten minutes is used for nine.
    """

    first_s: float = 1.0
    most_s: float = 60.0

    def wait_s(self, failures: int, chance: Callable[[], float] = random.random) -> float:
        """Seconds to wait after so many failures in a row (1 or more)."""
        doublings = min(failures - 1, 32)  # beyond, floats would only grow
        return min(self.most_s, self.first_s * 2.0**doublings) * (0.5 + 0.5 * chance())


def retry_after_s(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a ``Retry-After`` asks for (RFC 9110 10.2.3: seconds or a date); None where it says nothing."""
    if not header:
        return None
    if header.strip().isdecimal():
        wait_s = float(header)
    else:
        try:
            until = parsedate_to_datetime(header)
        except ValueError:
            return None
        wait_s = (until.replace(tzinfo=until.tzinfo or UTC) - (now or datetime.now(UTC))).total_seconds()
    return min(max(0.0, wait_s), _MOST_RETRY_AFTER_S)
