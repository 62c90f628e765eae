"""The JSONL file of a run, which is also its journal.

A line is appended and synced as soon as its photo is finished, so a run that is killed keeps everything that was
finished; a last line that was cut off is dropped when the run goes on.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from ocr_service.contract import reading_from_json, reading_to_line
from ocr_service.errors import StorageError, UsageError
from ocr_service.records import Reading


def write_atomically(path: Path, chunks: Iterable[bytes]) -> None:
    """Replaces a file by new content in one step: readers see the old or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _parse_line(line: bytes) -> Reading | None:
    try:
        return reading_from_json(json.loads(line))
    except (ValueError, KeyError, TypeError):
        return None


class Journal:
    """An append-only JSONL file of readings that survives being killed at any moment.

    Opening reads what is there: ``readings`` holds one reading per photo name, the newest. A last line without a line
    end was cut off by a kill and is removed. Raises UsageError when the file holds something else or another run is
    writing it (nothing is touched then) and StorageError when it cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.readings: dict[str, Reading] = {}
        self._superseded = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StorageError(
                f"cannot write {path}: {error.strerror}; choose another place for the results"
            ) from error
        try:
            self._lock()
            self._load()
        except BaseException:
            os.close(self._fd)
            raise

    def _lock(self) -> None:
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            raise UsageError(f"{self.path} is not a regular file; name a file for the results")
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(f"another run is writing {self.path}; wait for it or name another file") from error

    def _load(self) -> None:
        complete = 0
        with open(self._fd, "rb", closefd=False) as file:
            for number, line in enumerate(file, 1):
                cut_off = not line.endswith(b"\n")
                reading = None if cut_off else _parse_line(line)
                if reading is None and not (cut_off and _starts_like_a_reading(line)):
                    raise UsageError(f"{self.path} line {number} is not a reading; name another file for the results")
                if reading is not None:
                    self._remember(reading)
                    complete += len(line)
        os.ftruncate(self._fd, complete)

    def _remember(self, reading: Reading) -> None:
        self._superseded += reading.photo in self.readings
        self.readings[reading.photo] = reading

    def append(self, reading: Reading) -> None:
        """Writes one reading and returns when it is on disk; on failure the file keeps what it held before."""
        rest = memoryview(reading_to_line(reading).encode() + b"\n")
        start = os.fstat(self._fd).st_size
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            os.fsync(self._fd)
        except OSError as error:
            os.ftruncate(self._fd, start)
            raise StorageError(
                f"cannot write {self.path}: {error.strerror}; make room and run the same command again"
            ) from error
        self._remember(reading)

    def close(self) -> None:
        """Leaves one line per photo, the newest, and closes the file."""
        try:
            if self._superseded:
                write_atomically(self.path, (reading_to_line(r).encode() + b"\n" for r in self.readings.values()))
        finally:
            os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _starts_like_a_reading(line: bytes) -> bool:
    start = b'{"photo":'
    return line.startswith(start) or start.startswith(line)
