"""A worker that is told by messages what to read: ``python -m workers --queues waiting,bulk``.

SIGTERM ends it in order: photos in hand are finished, what was not begun is handed back, messages go back to the queue.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ocr_service import metrics
from ocr_service.errors import HeadstoneError, UsageError
from ocr_service.operations.logs import log_to_stderr
from ocr_service.outbox import QUEUE_NAMES, celery_config
from ocr_service.settings import Settings, load_settings
from ocr_service.states import Priority
from workers.process import LoadReader, load_photo_reader


def run(settings: Settings, serving: Sequence[Priority], load: LoadReader = load_photo_reader) -> int:
    """Take messages until SIGTERM or SIGINT; gives the exit code."""
    from workers import tasks
    from workers.app import app, worker_config
    from workers.crew import Crew

    app.conf.update(worker_config(settings))
    tasks.employ(Crew(settings, load))
    names = [QUEUE_NAMES[priority] for priority in serving]
    worker = app.Worker(queues=names, quiet=True, without_gossip=True, without_mingle=True, without_heartbeat=True)
    worker.start()
    return int(worker.exitcode or 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Work until told to stop; exit code 2 where it cannot start."""
    names = {priority.name.lower(): priority for priority in Priority}
    parser = argparse.ArgumentParser(prog="python -m workers", description="Read the photos that messages name.")
    parser.add_argument(
        "--queues",
        default=",".join(names),
        help=f"whose photos are read, separated by commas: {', '.join(names)}; default: all",
    )
    chosen = parser.parse_args(arguments)
    log_to_stderr()
    try:
        serving = [names[name.strip()] for name in chosen.queues.split(",")]
    except KeyError as error:
        sys.stderr.write(f"there is no queue {error}; choose from {', '.join(names)}\n")
        return 2
    try:
        settings = load_settings()
        _check(settings)
        return run(settings, serving)
    except HeadstoneError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _check(settings: Settings) -> None:
    """Raise ``HeadstoneError`` for what would stop every reading process from working."""
    from ocr_service.reading import check_reader

    celery_config(settings)
    if settings.database_url is None:
        raise UsageError("workers need a database that others reach too; set HEADSTONE_DATABASE_URL")
    check_reader(settings.bundle, profile=settings.profile, engine=settings.engine)
    if settings.metrics_port is not None:
        metrics.expose(settings.metrics_host, settings.metrics_port)


if __name__ == "__main__":
    raise SystemExit(main())
