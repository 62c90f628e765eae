"""The sweeper: ``python -m workers.sweeper`` gives back what silent readers held and says what waits.

One is enough and two do no harm: rows that one names are locked for the other. It may be killed at any moment; what it
marked and did not send is named again when it is stale. A database or a broker that is away is waited for.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ocr_service import intake, metrics
from ocr_service.database import Database, connect_database
from ocr_service.errors import BrokerError, HeadstoneError
from ocr_service.intake.orphans import sweep_objects
from ocr_service.operations.logs import log_to_stderr
from ocr_service.settings import Settings, load_settings
from ocr_service.states import Priority
from ocr_service.storage import ObjectStore, open_store
from workers.signals import stop_signals

if TYPE_CHECKING:
    from ocr_service.outbox import Outbox  # Celery, which the embedded mode can do without

log = structlog.get_logger(__name__)

_MESSAGES_A_ROUND = 64
_STALE_BEHIND_OTHERS = 12
"""How much longer a message is believed while others wait: it may lie behind them."""
_MAX_WAIT_S = 15.0
_SWEEP_OBJECTS_EVERY_S = 3600.0


class Sweeper:
    """Rounds of sweeping. Without ``outbox`` readers find by themselves what waits (the embedded mode)."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        settings: Settings,
        outbox: Outbox | None = None,
        *,
        every_s: float | None = None,
    ) -> None:
        self._database = database
        self._store = store
        self._objects_swept_at = 0.0
        self._every_s = every_s or settings.sweep_s
        self._settings = settings
        self._outbox = outbox
        self._unsent: deque[tuple[Priority, Sequence[int]]] = deque()

    def run(self, stopping: Callable[[], bool]) -> None:
        """Sweep again and again until ``stopping``; more seldom while something is away."""
        wait_s = self._every_s
        while not stopping():
            try:
                self.sweep()
                wait_s = self._every_s
            except (SQLAlchemyError, HeadstoneError) as error:
                wait_s = min(2 * wait_s, _MAX_WAIT_S)
                log.error("sweeping fails", error=str(error.__cause__ or error).strip(), wait_s=wait_s)
            _sleep(wait_s, stopping)

    def sweep(self) -> None:
        """One round. Raises ``SQLAlchemyError``, ``HeadstoneError``; the next round makes good for it."""
        with self._database.writing() as session:
            expired = intake.give_back_expired(session, max_attempts=self._settings.max_attempts)
        if expired:
            metrics.LEASES_EXPIRED.inc(expired)
            log.warning("photos came back from readers that fell silent", photos=expired)
        if self._outbox is not None:
            self._publish(self._outbox)
        metrics.SWEEPS.inc()
        if time.monotonic() - self._objects_swept_at > _SWEEP_OBJECTS_EVERY_S:
            self._objects_swept_at = time.monotonic()  # before: a store that is away is asked again in its time
            sweep_objects(self._database, self._store)

    def _publish(self, outbox: Outbox) -> None:
        # asked first: while the broker is away nothing is marked as named
        others_wait = outbox.count_messages() > 0
        self._send(outbox)
        stale_s = self._settings.queue_stale_s * (_STALE_BEHIND_OTHERS if others_wait else 1)
        with self._database.writing() as session:
            named = intake.photos_to_publish(
                session,
                window=self._settings.publish_window,
                stale_s=stale_s,
                limit=_MESSAGES_A_ROUND * self._settings.publish_chunk,
            )
        # only after the commit: a worker that is faster would find the rows locked and pass them over
        for priority, ids in named.items():
            self._unsent.extend((priority, chunk) for chunk in outbox.chunks(priority, ids))
        self._send(outbox)

    def _send(self, outbox: Outbox) -> None:
        """Send what is marked as named; what the broker does not take is kept for the next round."""
        while self._unsent:
            priority, ids = self._unsent[0]
            try:
                outbox.publish(priority, ids)
            except BrokerError:
                metrics.PUBLISH_FAILED.inc()
                raise
            self._unsent.popleft()
            metrics.PHOTOS_PUBLISHED.labels(priority=priority.name.lower()).inc(len(ids))
            log.info("photos named in a message", priority=priority.name.lower(), first=ids[0], photos=len(ids))


def _sleep(seconds: float, stopping: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not stopping() and time.monotonic() < end:
        time.sleep(min(0.2, seconds))


def main(arguments: Sequence[str] | None = None) -> int:
    """Sweep until SIGTERM or SIGINT; exit code 2 where a setting does not fit."""
    parser = argparse.ArgumentParser(
        prog="python -m workers.sweeper", description="Tell workers what waits, and take back what silent ones held."
    )
    parser.parse_args(arguments)
    from ocr_service.outbox import Outbox

    log_to_stderr()
    try:
        settings = load_settings()
        outbox, store = Outbox(settings), open_store(settings)
        if settings.metrics_port is not None:
            metrics.expose(settings.metrics_host, settings.metrics_port)
    except HeadstoneError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    database = connect_database(settings.resolved_database_url)
    try:
        with stop_signals() as asked:
            Sweeper(database, store, settings, outbox).run(asked)
    finally:
        outbox.close()
        database.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
