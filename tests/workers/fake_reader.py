"""A reader for tests: what it does is written in the bytes of the photo. As a program it is the embedded reader."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

from ocr_service.records import Context, Field, Reading, ReadingStatus
from ocr_service.settings import Settings
from workers.embedded import supervise
from workers.loop import ReadPhoto

SECONDS_A_PHOTO = float(os.environ.get("FAKE_SECONDS", "0.05"))


def load(settings: Settings) -> ReadPhoto:
    if "FAKE_PIDS" in os.environ:
        (Path(os.environ["FAKE_PIDS"]) / str(os.getpid())).touch()

    kept: list[bytes] = []

    def read(data: bytes, photo: str, context: Context) -> Reading:
        if b"kill" in data:
            os.kill(os.getpid(), signal.SIGKILL)
        if b"hang" in data:
            time.sleep(3600)
        if b"grow" in data:
            kept.append(b"\1" * 100_000_000)
        if b"explode" in data:
            kept.append(b"\1" * 280_000_000)
            time.sleep(3600)
        if b"raise" in data:
            raise ValueError("this photo breaks the reader")
        time.sleep(SECONDS_A_PHOTO)
        sha256 = hashlib.sha256(data).hexdigest()
        return Reading(photo, sha256, ReadingStatus.READ, record={"name": Field("Mẫu", "MẪU", 0.9)}, bundle="fake@1")

    return read


if __name__ == "__main__":
    import fake_reader  # so that the spawned processes find `load` by a module's name

    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    parent = os.getppid()
    settings = Settings(
        data_dir=Path(sys.argv[1]),
        worker_processes=2,
        claim_size=3,
        lease_s=3.0,
        poll_s=0.05,
        photo_timeout_s=2.0,
        max_attempts=2,
        worker_max_memory_mb=100,
    )
    supervise(settings, load=fake_reader.load, stopping=lambda: asked.is_set() or os.getppid() != parent)
