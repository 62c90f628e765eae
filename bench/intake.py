"""How fast photos come in over HTTP: the service in a process of its own, SQLite and a folder, the sender beside it.

Two ways: one tar stream (local bulk), and a PUT a file over a few connections. Each beside a loop that writes and syncs
the same files, as what a disk does in a second changes with the hour; and again where two million rows are there.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from PIL import Image
from rich.console import Console
from rich.table import Table

from ocr_service.database import open_database

PHOTOS = 1500
PHOTO_BYTES = 200_000
CONNECTIONS = 16  # of four collectors, as headstone upload opens them
FEW_ROWS, MANY_ROWS = 10_000, 2_000_000
_BATCH_ROWS = 40_000  # a province's collector
_ANNOUNCED_AT_ONCE = 1000
_ROUNDS = 2  # the better one counts, as other work on the machine slows one
_LATER = 10**6  # numbers of files of one round lie so far from those of the next


@dataclass(frozen=True, slots=True)
class Sent:
    """Photos a second, and how long a plain loop took for the same files, of the better round."""

    photos_per_s: float
    ratio_to_plain: float


def run(console: Console) -> Mapping[str, float]:
    """Measure both ways over few and many rows, print a table and return the figures."""
    found: dict[tuple[str, int], Sent] = {}
    with contextlib.ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="headstone-bench-")))
        senders = {rows: opened.enter_context(_service(folder / str(rows), rows)) for rows in (FEW_ROWS, MANY_ROWS)}
        for turn in range(_ROUNDS * len(_WAYS)):
            way, send = _WAYS[turn % len(_WAYS)]
            # few and many right after each other, so that both have the same disk
            for rows, sender in senders.items():
                sent = _measured(partial(send, sender), folder / "plain", turn * _LATER)
                before = found.get((way, rows))
                found[way, rows] = sent if before is None or sent.photos_per_s > before.photos_per_s else before
    console.print(_table(found))
    return figures(found)


def figures(found: Mapping[tuple[str, int], Sent]) -> dict[str, float]:
    """Photos a second of both ways and what two million rows make of them."""
    tar, put = found["tar", FEW_ROWS], found["put", FEW_ROWS]
    return {
        "photos_per_s": round(tar.photos_per_s, 1),
        "photos_per_s_put": round(put.photos_per_s, 1),
        "ratio_to_plain_writes": round(tar.ratio_to_plain, 3),
        "ratio_to_plain_writes_put": round(put.ratio_to_plain, 3),
        "ratio_2m_to_10k": round(found["tar", MANY_ROWS].photos_per_s / tar.photos_per_s, 3),
        "ratio_2m_to_10k_put": round(found["put", MANY_ROWS].photos_per_s / put.photos_per_s, 3),
    }


def photo(number: int) -> bytes:
    """A JPEG of ``PHOTO_BYTES`` whose bytes nothing else has: a small picture with something behind its end."""
    tail = hashlib.shake_128(number.to_bytes(8)).digest(64)
    return _START + bytes(PHOTO_BYTES - len(_START) - len(tail)) + tail


def add_rows(path: Path, rows: int) -> None:
    """Photos that were read long ago, and the files that they were, straight into the tables."""
    open_database(f"sqlite:///{path}").close()
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.executescript("PRAGMA synchronous=OFF; PRAGMA cache_size=-600000; PRAGMA temp_store=MEMORY")
        database.execute(f"{_COUNT} INSERT INTO batches (id, label, created_by, created_at, priority) "
                         "SELECT n, 'khu ' || n, 'lan', '2026-01-01 00:00:00.000000', 1 FROM count",
                         {"rows": rows // _BATCH_ROWS + 1})  # fmt: skip
        database.execute(f"{_COUNT} {_ADD_PHOTOS}", {"rows": rows, "batch": _BATCH_ROWS})
        database.execute(_ADD_ARRIVALS)


def _measured(send: Callable[[Sequence[int]], None], plain: Path, first: int) -> Sent:
    numbers = range(first, first + PHOTOS)
    started = time.perf_counter()
    send(numbers)
    took_s = time.perf_counter() - started
    started = time.perf_counter()
    _write_plainly(plain, numbers)
    return Sent(PHOTOS / took_s, (time.perf_counter() - started) / took_s)


def _write_plainly(folder: Path, numbers: Sequence[int]) -> None:
    folder.mkdir(exist_ok=True)
    for number in numbers:
        data = photo(number)
        with (folder / hashlib.sha256(data).hexdigest()).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


class Sender:
    """Sends photos to a service on this machine, as the person at it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._headers = {"Origin": f"http://127.0.0.1:{port}"}

    def send_tar(self, numbers: Sequence[int]) -> None:
        """All in one stream."""
        batch = self._open_batch()
        answer = self._ask(self._connect(), "POST", f"{batch}/tar", _tar(numbers), "application/x-tar")
        _check(answer["counts"], len(numbers))

    def send_by_put(self, numbers: Sequence[int]) -> None:
        """Announced first, then each on its own."""
        batch = self._open_batch()
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            parts = [numbers[at::CONNECTIONS] for at in range(CONNECTIONS)]
            list(threads.map(lambda part: self._announce_and_put(batch, part), parts))
        _check(self._ask(self._connect(), "GET", batch)["counts"], len(numbers))

    def _announce_and_put(self, batch: str, numbers: Sequence[int]) -> None:
        connection = self._connect()
        for at in range(0, len(numbers), _ANNOUNCED_AT_ONCE):
            some = numbers[at : at + _ANNOUNCED_AT_ONCE]
            hashes = [hashlib.sha256(photo(number)).hexdigest() for number in some]
            files = [
                {"path": f"khu A/IMG_{number}.jpg", "sha256": sha256, "size_bytes": PHOTO_BYTES}
                for number, sha256 in zip(some, hashes, strict=True)
            ]
            answer = self._ask(connection, "POST", f"{batch}/files", json.dumps({"files": files}).encode())
            for number, file in zip(some, answer["files"], strict=True):
                self._ask(connection, "PUT", file["upload"]["url"], photo(number), "application/octet-stream")

    def _open_batch(self) -> str:
        answer = self._ask(self._connect(), "POST", "/api/v1/batches", b'{"label": "bench"}')
        return f"/api/v1/batches/{answer['id']}"

    def _connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self._port)

    def _ask(
        self,
        connection: HTTPConnection,
        method: str,
        path: str,
        body: bytes | Iterator[bytes] | None = None,
        kind: str = "application/json",
    ) -> dict[str, Any]:
        connection.request(method, path, body, {**self._headers, "Content-Type": kind})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {said[:300]!r}")
        found: dict[str, Any] = json.loads(said)
        return found


def _check(counts: Mapping[str, int], sent: int) -> None:
    if counts.get("received") != sent:
        raise RuntimeError(f"of {sent} photos sent the service has {counts}")


def _tar(numbers: Sequence[int]) -> Iterator[bytes]:
    for number in numbers:
        member = tarfile.TarInfo(f"khu A/IMG_{number}.jpg")
        member.size = PHOTO_BYTES
        padding = -PHOTO_BYTES % tarfile.BLOCKSIZE
        yield member.tobuf() + photo(number) + bytes(padding)
    yield bytes(2 * tarfile.BLOCKSIZE)


@contextlib.contextmanager
def _service(folder: Path, rows: int) -> Iterator[Sender]:
    folder.mkdir(exist_ok=True)
    add_rows(folder / "headstone.sqlite3", rows)
    command = [sys.executable, "-m", "api.serve", "--data", str(folder), "--port", "0", "--no-reader"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline()
        yield Sender(int(address.partition("127.0.0.1:")[2].partition("/")[0]))
    finally:
        process.terminate()
        process.wait()


def _table(found: Mapping[tuple[str, int], Sent]) -> Table:
    table = Table(title=f"{PHOTOS} photos of {PHOTO_BYTES // 1000} KB over HTTP into SQLite and a folder")
    for column in ("way", "rows before", "photos/s", "plain write and fsync: time over ours"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for (way, rows), sent in found.items():
        table.add_row(way, f"{rows:,}", f"{sent.photos_per_s:.0f}", f"{sent.ratio_to_plain:.2f}")
    return table


_WAYS = (("tar", Sender.send_tar), ("put", Sender.send_by_put))


def _start_of_a_photo() -> bytes:
    image, file = Image.effect_noise((640, 480), 60.0), io.BytesIO()
    exif = Image.Exif()
    exif[0x0110] = "Máy ảnh mẫu"
    exif.get_ifd(0x8769)[0x9003] = "2026:04:30 08:15:00"
    image.save(file, "JPEG", quality=50, exif=exif)
    return file.getvalue()


_START = _start_of_a_photo()

_COUNT = "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < :rows)"

_ADD_PHOTOS = """
INSERT INTO photos (sha256, size_bytes, filename, batch_id, context, received_at, received_by, priority, state,
                    needs_rephotograph, attempts, lease_token, changed_at)
SELECT lower(hex(randomblob(32))), 200000, 'IMG_' || n || '.jpg', n / :batch + 1, '{}', '2026-01-01 00:00:00.000000',
       'lan', 1, 'in_verification', 0, 1, 1, '2026-01-02 00:00:00.000000'
FROM count"""

_ADD_ARRIVALS = """
INSERT INTO arrivals (photo_id, batch_id, filename, duplicate, path, sha256, size_bytes, at, by)
SELECT id, batch_id, filename, 0, 'khu A/' || filename, sha256, size_bytes, received_at, 'lan' FROM photos"""
