"""A line that breaks at any byte, in either direction, and a collector's machine that loses its power."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ocr_service.states import FileState
from ocr_service.upload import Ending

_INTERRUPTIONS = 50
_KILLS = 5
_PHOTOS = 40
_FILLING_BYTES = 30_000


class BadLine:
    """Passes connections on and cuts each after a number of bytes that chance names, counted in one direction."""

    def __init__(self, port: int, seed: int) -> None:
        self._chance = random.Random(seed)
        self._port = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.cuts = 0
        self.passed_bytes = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._listening.accept()
                there = socket.create_connection(("127.0.0.1", self._port))
                # mostly in the photos, sometimes in the answer to one that has arrived
                upwards = self._chance.random() < 0.8
                budget = self._chance.randrange(1, 60_000) if upwards else self._chance.randrange(1, 2_000)
                for source, target, limit in (
                    (here, there, budget if upwards else None),
                    (there, here, None if upwards else budget),
                ):
                    threading.Thread(target=self._pass, args=(source, target, limit), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, limit: int | None) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(16_384 if limit is None else min(limit, 16_384)):
                target.sendall(data)
                self.passed_bytes += len(data)
                if limit is not None:
                    limit -= len(data)
                    if limit <= 0:
                        self.cuts += 1
                        break
        for end in (source, target):
            with contextlib.suppress(OSError):  # a reset, as a line that is gone
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def bad_line(service: Any) -> Iterator[Callable[[int], BadLine]]:
    with contextlib.ExitStack() as stack:

        def lay(seed: int) -> BadLine:
            line = BadLine(service.port, seed)
            stack.callback(line.close)
            return line

        yield lay


def killed_now_and_then(command: list[str], line: BadLine, seed: int) -> int:
    """Run a command again and again, killing it (SIGKILL) at moments that chance names; how often it was killed."""
    chance = random.Random(seed)
    for kill in range(_KILLS):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until_bytes = line.passed_bytes + chance.randrange(1, 2 * _PHOTOS * _FILLING_BYTES // _KILLS)
        while process.poll() is None and line.passed_bytes < until_bytes:
            time.sleep(0.005)
        if process.poll() is not None:
            return kill
        process.kill()
        process.wait()
    return _KILLS


def test_an_upload_that_is_interrupted_fifty_times_ends_byte_identical_without_a_duplicate(
    service: Any, send: Any, photo_folder: Any, hashes: Any, bad_line: Any, tmp_path: Path
) -> None:
    folder = photo_folder(tmp_path / "photos", _PHOTOS, filling_bytes=_FILLING_BYTES)
    line = bad_line(seed=5)
    script = (
        "import sys, threading, datetime, pathlib\n"
        "from ocr_service.upload import Task, plan_upload, upload\n"
        "from ocr_service.upload.backoff import Backoff\n"
        "from ocr_service.upload.tally import Tally\n"
        "task = Task(pathlib.Path(sys.argv[1]), sys.argv[2], state_dir=pathlib.Path(sys.argv[3]), key='usb',\n"
        "            backoff=Backoff(0.01, 0.05))\n"
        "upload(plan_upload(task, now=datetime.datetime.now()), tally=Tally(), stop=threading.Event())\n"
    )
    command = [sys.executable, "-c", script, str(folder), line.address, str(tmp_path / "state")]
    kills = killed_now_and_then(command, line, seed=6)
    assert kills >= 3
    outcome = send(folder, server=line.address, key="usb")
    while line.cuts + kills < _INTERRUPTIONS:  # and what is there already is looked at over the same line
        again = send(folder, server=line.address, key="usb", state_dir=tmp_path / f"state{line.cuts}")
        assert (again.batch_id, again.counts) == (outcome.batch_id, outcome.counts)
    assert (outcome.ending, outcome.problems) == (Ending.FINISHED, ())
    assert outcome.counts == {FileState.RECEIVED: _PHOTOS}
    assert service.stored() == hashes(folder)


def test_archives_that_are_interrupted_end_byte_identical_too(
    service: Any, send: Any, photo_folder: Any, hashes: Any, bad_line: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("ocr_service.upload.tar._FILES_AT_ONCE", 3)
    folder = photo_folder(tmp_path / "photos", 12, filling_bytes=5_000)
    line = bad_line(seed=7)
    outcome = send(folder, server=line.address, as_tar=True)
    assert line.cuts > 3
    assert outcome.counts == {FileState.RECEIVED: 12}
    assert service.stored() == hashes(folder)
