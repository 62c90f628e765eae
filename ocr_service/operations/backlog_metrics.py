"""The backlog as gauges, asked of the database when Prometheus asks: it outlives every process that could count it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import datetime

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from ocr_service.database import Database
from ocr_service.database.backlog import Backlog, backlog
from ocr_service.database.types import utc_now

log = structlog.get_logger(__name__)

FRESH_S = 10.0
"""Below the usual interval of scrapes (15 s): several scrapers ask the database once."""

PHOTOS = "headstone_backlog_photos"
OLDEST_S = "headstone_backlog_oldest_seconds"
DATABASE_UP = "headstone_database_up"


class BacklogCollector(Collector):
    """Photos that wait or are in hand, by state and priority, and for how long the oldest has waited."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._found: Backlog | None = None
        self._found_at = float("-inf")

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges; only ``headstone_database_up`` 0 where the database does not answer."""
        found = self._backlog()
        yield GaugeMetricFamily(DATABASE_UP, "Whether the database answered.", value=float(found is not None))
        if found is not None:
            yield _photos(found)
            yield _oldest(found, utc_now())

    def _backlog(self) -> Backlog | None:
        with self._lock:
            if time.monotonic() - self._found_at > FRESH_S:
                try:
                    with self._database.reading() as session:
                        self._found = backlog(session)
                except SQLAlchemyError as error:
                    log.error("the backlog cannot be counted", error=type(error).__name__)
                    self._found = None
                self._found_at = time.monotonic()
            return self._found


def _photos(found: Backlog) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(
        PHOTOS, "Photos that are not done, by state; those that wait for a reader by priority.",
        labels=["state", "priority"],
    )  # fmt: skip
    for priority, count in found.waiting.items():
        gauge.add_metric(["received", priority.name.lower()], count)
    for state, count in (
        ("reading", found.reading), ("in_verification", found.in_verification), ("failed", found.failed)
    ):  # fmt: skip
        gauge.add_metric([state, ""], count)
    return gauge


def _oldest(found: Backlog, now: datetime) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(OLDEST_S, "Seconds since the oldest waiting photo came in.", labels=["priority"])
    for priority in found.waiting:
        at = found.oldest_waiting_at.get(priority)
        gauge.add_metric([priority.name.lower()], 0.0 if at is None else max((now - at).total_seconds(), 0.0))
    return gauge
