"""What messages ask a worker to do, and the crew that does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from celery.exceptions import Reject
from celery.signals import setup_logging, worker_init, worker_shutdown, worker_shutting_down

from ocr_service.operations.logs import log_to_stderr
from ocr_service.outbox import READ_PHOTOS
from ocr_service.settings import load_settings
from workers.app import app
from workers.crew import Crew

_crew: Crew | None = None


@app.task(name=READ_PHOTOS)  # type: ignore[untyped-decorator]
def read_photos(ids: Sequence[int]) -> None:
    """Read those of the photos that still wait. The same message twice does no harm."""
    if _crew is None or not _crew.read(ids):
        raise Reject("this worker was stopped", requeue=True)


def employ(crew: Crew) -> None:
    """Let this crew do what messages ask for."""
    global _crew
    _crew = crew


@worker_init.connect  # type: ignore[untyped-decorator]
def _begin(**_: Any) -> None:
    if _crew is None:
        employ(Crew(load_settings()))


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stop(**_: Any) -> None:
    if _crew is not None:
        _crew.stop()


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def _end(**_: Any) -> None:
    if _crew is not None:
        _crew.close()


@setup_logging.connect  # type: ignore[untyped-decorator]
def _log(**_: Any) -> None:
    log_to_stderr()
