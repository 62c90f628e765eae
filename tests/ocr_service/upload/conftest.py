"""The real application on loopback, with a store of its own, and folders of photos to hand in."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import uvicorn
from sqlalchemy import select
from structlog.testing import capture_logs

from api.app import create_app
from ocr_service.database.models import Photo
from ocr_service.settings import Settings
from ocr_service.upload import Outcome, Task, plan_upload, upload
from ocr_service.upload.backoff import Backoff
from ocr_service.upload.tally import Tally


def _jpeg(seed: int, filling_bytes: int = 0) -> bytes:
    """A small picture; what stands behind its end makes it larger."""
    image = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    done, data = cv2.imencode(".jpg", cv2.resize(image, (64, 64), interpolation=cv2.INTER_NEAREST))
    assert done
    return data.tobytes() + np.random.default_rng(seed).bytes(filling_bytes)


def _photo_folder(folder: Path, count: int, *, filling_bytes: int = 0) -> Path:
    for number in range(count):
        path = folder / f"hàng {number % 3}" / f"IMG_{number:04}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_jpeg(number, filling_bytes))
    return folder


class Service:
    """The application in a thread; what it stored can be looked at."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app: Any = create_app(settings)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._server = uvicorn.Server(
            uvicorn.Config(self.app, log_level="critical", log_config=None, timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        end = time.monotonic() + 30
        while not self._server.started:
            assert time.monotonic() < end
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()

    def stored(self) -> list[str]:
        """SHA-256 of each photo, one a row of the database; its bytes must have it."""
        with self.app.state.database.reading() as session:
            found = list(session.scalars(select(Photo.sha256)))
        for sha256 in found:
            assert hashlib.sha256(self.app.state.store.read(sha256)).hexdigest() == sha256
        return sorted(found)


NOW = datetime(2026, 4, 30, 12, 0)
QUICK = Backoff(0.01, 0.05)

Run = Callable[..., Outcome]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with capture_logs():  # written to a terminal, the trace of a request that broke off takes seconds
        service = Service(Settings(data_dir=tmp_path / "data", reviewer="lan", max_file_bytes=100_000))
        yield service
        service.stop()


@pytest.fixture
def send(tmp_path: Path, service: Service) -> Run:
    """Uploads a folder to the service, or through something in between."""

    def run(folder: Path, **options: Any) -> Outcome:
        stop = options.pop("stop", threading.Event())
        given = {"server": service.address, "state_dir": tmp_path / "state", "backoff": QUICK} | options
        return upload(plan_upload(Task(folder=folder, **given), now=NOW), tally=Tally(), stop=stop)

    return run


def _hashes(folder: Path) -> list[str]:
    """SHA-256 of the different files of a folder."""
    return sorted({hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()})


@pytest.fixture(autouse=True)
def _own_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("HEADSTONE_API_KEY", raising=False)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve photos in three folders."""
    return _photo_folder(tmp_path / "photos", 12)


@pytest.fixture
def photo_folder() -> Callable[..., Path]:
    """Makes a folder of so many photos."""
    return _photo_folder


@pytest.fixture
def jpeg() -> Callable[..., bytes]:
    """Makes a picture."""
    return _jpeg


@pytest.fixture
def hashes() -> Callable[[Path], list[str]]:
    """SHA-256 of the different files of a folder."""
    return _hashes


@pytest.fixture
def another_service(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Starts a further service with a database and a store of its own."""
    with ExitStack() as stack:
        stack.enter_context(capture_logs())

        def start(**settings: Any) -> Service:
            other = Service(Settings(data_dir=tmp_path / "other", reviewer="lan", **settings))
            stack.callback(other.stop)
            return other

        yield start
