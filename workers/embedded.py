"""The embedded reader: ``python -m workers.embedded --data DIR`` keeps processes that read what was received.

It may be killed at any moment, whole or in part: leases bring back what was in hand, fencing tokens keep late results
out. No broker: readers find by themselves what waits.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

import structlog

from models.choices import Device, EngineName
from ocr_service.database import open_database
from ocr_service.errors import HeadstoneError
from ocr_service.operations.logs import log_to_stderr
from ocr_service.settings import Settings, load_settings
from ocr_service.storage import open_store
from workers.process import LoadReader, load_photo_reader
from workers.seat import Seat
from workers.signals import stop_signals
from workers.sweeper import Sweeper

log = structlog.get_logger(__name__)

_TICK_S = 0.2
_SWEEP_S = 10.0  # readers that look for work give back expired leases too; this is for when all of them are busy


def supervise(
    settings: Settings, *, load: LoadReader = load_photo_reader, stopping: Callable[[], bool] = lambda: False
) -> None:
    """Keep ``settings.worker_processes`` reading processes until ``stopping``, then let each finish its photo.

    A process that dies is replaced and its photos are given back at once; one that is longer at a photo than
    ``photo_timeout_s`` is killed first.
    """
    database = open_database(settings.resolved_database_url)
    seats = [Seat(index, settings, database, load) for index in range(settings.worker_processes)]
    ended = threading.Event()
    sweeper = Sweeper(database, open_store(settings), settings, every_s=_SWEEP_S)
    sweeping = threading.Thread(target=sweeper.run, args=(ended.is_set,), name="sweeper", daemon=True)
    sweeping.start()
    try:
        while not stopping():
            for seat in seats:
                seat.look_after()
            time.sleep(_TICK_S)
    finally:
        ended.set()
        see_off(seats, settings.photo_timeout_s)
        sweeping.join()
        database.close()


def see_off(seats: Sequence[Seat], grace_s: float) -> None:
    """Let each process finish its photo, end those that do not, and hand back what is still in their names."""
    for seat in seats:
        seat.stop()
    deadline = time.monotonic() + grace_s
    for seat in seats:
        seat.see_off(deadline)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read until told to stop (SIGTERM, SIGINT) or until the process named by ``--parent`` is gone."""
    parser = argparse.ArgumentParser(prog="python -m workers.embedded", description="Read the photos of a data folder.")
    parser.add_argument("--data", type=Path, help="data folder; default: HEADSTONE_DATA_DIR or ./headstone-data")
    parser.add_argument("--processes", type=int, help="how many photos are read at once")
    parser.add_argument("--bundle", help="model bundle; default: the newest one of the profile")
    parser.add_argument("--profile", help="accurate or fast")
    parser.add_argument("--engine", choices=get_args(EngineName), help="what runs the bundle")
    parser.add_argument("--device", choices=get_args(Device), help="where the engine runs")
    parser.add_argument("--parent", type=int, help="stop when this process is no longer the parent")
    chosen = parser.parse_args(arguments)
    given = {
        "data_dir": chosen.data,
        "worker_processes": chosen.processes,
        "bundle": chosen.bundle,
        "profile": chosen.profile,
        "engine": chosen.engine,
        "device": chosen.device,
    }
    log_to_stderr()
    try:
        settings = load_settings(**given)
        with stop_signals() as asked:
            supervise(
                settings, stopping=lambda: asked() or (chosen.parent is not None and os.getppid() != chosen.parent)
            )
    except HeadstoneError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
