"""Reads many photos with several processes: finds them, leaves out what is done, outlives workers that die.

One thread a process and as many processes as cores scales best on CPUs, so a worker is a process with its own reader.
Where the engine gains by it, a worker takes several photos at a time and reads them side by side, in threads.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import multiprocessing
import os
import signal
import stat
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import wait as wait_for_sentinels
from pathlib import Path

from models.choices import PHOTOS_SIDE_BY_SIDE
from ocr_service.errors import HeadstoneError, UsageError
from ocr_service.reading import Reader, read_photo, reader_of
from ocr_service.records import Context, Reading, ReadingStatus, RejectReason
from ocr_service.settings import Settings
from preprocess.decode import DecodeLimits

MAX_FILE_BYTES = DecodeLimits().max_bytes
"""Larger files would be refused by the decoder; they are not even read."""

# Files that stand beside photos on purpose and are not meant as photos. Everything else in a folder is tried.
SIDECAR_SUFFIXES = frozenset(
    {".json", ".jsonl", ".csv", ".tsv", ".xlsx", ".xls", ".md", ".xmp", ".aae", ".ini", ".db", ".ds_store", ".log"}
)

# Worth another try with the same bytes: the cause lay outside the photo.
RETRYABLE = frozenset({RejectReason.READER_FAILED, RejectReason.UNREADABLE_FILE})


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """A file to read and the name it has in the results: its path below the folder that was given."""

    name: str
    path: Path


def find_photos(paths: Iterable[Path]) -> list[PhotoFile]:
    """All photos below ``paths``, folders walked in name order; hidden files and sidecars are left out.

    Raises UsageError for a path that does not exist or when nothing is left.
    """
    found: dict[str, PhotoFile] = {}  # by real path, so that a photo is read once
    asked = list(paths)
    for path in asked:
        if path.is_dir():
            for file in _walk(path):
                found.setdefault(os.path.realpath(file), PhotoFile(_name(file.relative_to(path)), file))
        elif path.exists() or path.is_symlink():
            found.setdefault(os.path.realpath(path), PhotoFile(_name(Path(path.name)), path))
        else:
            raise UsageError(f"{_name(path)} does not exist")
    if not found:
        raise UsageError(f"no photos in {', '.join(map(_name, asked))}")
    return _with_unique_names(list(found.values()))


def _walk(folder: Path) -> Iterator[Path]:
    """Yield what is to be tried below ``folder``, by name; a folder that cannot be opened stands for its content."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        yield folder
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if not entry.is_symlink():  # it may lead back up
                yield from _walk(entry)
        elif entry.suffix.lower() not in SIDECAR_SUFFIXES:
            yield entry


def _name(path: Path) -> str:
    """Return a path as text that every file and terminal can hold, also where its bytes are no UTF-8."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _with_unique_names(files: list[PhotoFile]) -> list[PhotoFile]:
    names: dict[str, int] = {}
    for file in files:
        names[file.name] = names.get(file.name, 0) + 1
    return [replace(file, name=_name(file.path)) if names[file.name] > 1 else file for file in files]


def _rejected(file: PhotoFile, reason: RejectReason, detail: str, bundle: str, sha256: str = "") -> Reading:
    return Reading(file.name, sha256, ReadingStatus.REJECTED, reason=reason, detail=detail, bundle=bundle)


def load_bytes(file: PhotoFile, bundle: str) -> bytes | Reading:
    """The file's bytes, or the reading that says why there are none."""
    try:
        status = file.path.stat()
        if stat.S_ISDIR(status.st_mode):
            detail = "this folder cannot be opened, what is in it was not read; check its permissions"
            return _rejected(file, RejectReason.UNREADABLE_FILE, detail, bundle)
        if not stat.S_ISREG(status.st_mode):
            return _rejected(file, RejectReason.UNREADABLE_FILE, "this is not a regular file", bundle)
        if status.st_size > MAX_FILE_BYTES:
            megabytes = MAX_FILE_BYTES // 1_000_000
            detail = f"the file is larger than {megabytes} MB; send the photo itself, not an archive or a film"
            return _rejected(file, RejectReason.TOO_LARGE_FILE, detail, bundle)
        return file.path.read_bytes()
    except OSError as error:
        detail = f"the file cannot be read: {error.strerror}; check the disk and the permissions"
        return _rejected(file, RejectReason.UNREADABLE_FILE, detail, bundle)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run has to do: files to read, and readings that hold already."""

    todo: tuple[PhotoFile, ...]
    done: tuple[Reading, ...]


def plan(files: Sequence[PhotoFile], earlier: Mapping[str, Reading], bundle: str) -> Plan:
    """Leaves out photos whose bytes this bundle has read before, under whatever name."""
    by_hash = {
        reading.sha256: reading
        for reading in earlier.values()
        if reading.sha256 and reading.bundle == bundle and reading.reason not in RETRYABLE
    }
    if not by_hash:
        return Plan(tuple(files), ())
    todo, done = [], []
    for file in files:
        data = load_bytes(file, bundle)
        known = by_hash.get(hashlib.sha256(data).hexdigest()) if isinstance(data, bytes) else None
        if known is None:
            todo.append(file)
        else:
            done.append(replace(known, photo=file.name))
    return Plan(tuple(todo), tuple(done))


def read_file(file: PhotoFile, reader: Reader, context: Context) -> Reading:
    """Reads one file; whatever goes wrong becomes a reading with a reason."""
    data = load_bytes(file, reader.bundle_id)
    if isinstance(data, Reading):
        return data
    try:
        return read_photo(data, file.name, reader, context)
    except Exception as error:  # one photo must never end a run over thousands
        detail = f"the reader failed ({type(error).__name__}: {error}); run again, and report it if it stays"
        sha256 = hashlib.sha256(data).hexdigest()
        return _rejected(file, RejectReason.READER_FAILED, detail, reader.bundle_id, sha256)


_reader: Reader | HeadstoneError  # one a worker process, loaded when it starts, or why it could not be


def _start_worker(settings: Settings) -> None:
    global _reader
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what to finish
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    try:
        _reader = reader_of(settings)
    except HeadstoneError as error:  # raised here it would only look like a worker that died
        _reader = error


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for_sentinels([parent.sentinel])
        os._exit(1)


def _read_in_worker(files: Sequence[PhotoFile], context: Context) -> list[Reading]:
    if isinstance(_reader, HeadstoneError):
        raise _reader
    if len(files) == 1:
        return [read_file(files[0], _reader, context)]
    read = partial(read_file, reader=_reader, context=context)
    with ThreadPoolExecutor(len(files)) as threads:
        return list(threads.map(read, files))


@contextlib.contextmanager
def _interrupt_held() -> Iterator[None]:
    """Hold Ctrl-C back while processes are started: they inherit that, and are born deaf to it until they ignore it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _pool(workers: int, settings: Settings) -> ProcessPoolExecutor:
    spawn = multiprocessing.get_context("spawn")  # forking a process that has run onnxruntime can hang
    return ProcessPoolExecutor(workers, spawn, initializer=_start_worker, initargs=(settings,))


def read_files(
    files: Sequence[PhotoFile],
    settings: Settings,
    *,
    bundle_id: str,
    workers: int,
    context: Context,
    stop: threading.Event,
) -> Iterator[Reading]:
    """Yields readings in the order they are finished.

    A worker that dies takes nothing with it but its own photo: photos in work are read again one by one, and the one
    that kills its reader again is reported as failed. Once ``stop`` is set, photos in work are finished and
    yielded, and no others are begun. Raises BundleError or EngineError where the workers cannot load their reader.
    """
    queue = deque(files)
    at_once = PHOTOS_SIDE_BY_SIDE[settings.engine]
    while queue and not stop.is_set():
        suspects: list[PhotoFile] = []
        with _pool(min(workers, math.ceil(len(queue) / at_once)), settings) as pool:
            yield from _pump(pool, queue, suspects, workers, at_once, context, stop)
        for file in suspects:
            if not stop.is_set():
                yield _read_alone(file, settings, bundle_id, context)


def _pump(
    pool: ProcessPoolExecutor,
    queue: deque[PhotoFile],
    suspects: list[PhotoFile],
    workers: int,
    at_once: int,
    context: Context,
    stop: threading.Event,
) -> Iterator[Reading]:
    """Keeps the pool busy until the queue is empty or a worker has died; then ``suspects`` holds what was in work."""
    running: dict[Future[list[Reading]], list[PhotoFile]] = {}

    def done_with(future: Future[list[Reading]]) -> None:
        for file in running.pop(future):
            suspects.remove(file)

    try:
        while running or (queue and not stop.is_set()):
            while queue and len(running) < 2 * workers and not stop.is_set():
                taken = [queue.popleft() for _ in range(min(at_once, len(queue)))]
                suspects.extend(taken)
                with _interrupt_held():
                    running[pool.submit(_read_in_worker, taken, context)] = taken
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                readings = future.result()
                done_with(future)
                yield from readings
            if stop.is_set():
                for future in [future for future in running if future.cancel()]:
                    done_with(future)
    except BrokenProcessPool:
        return


def _read_alone(file: PhotoFile, settings: Settings, bundle_id: str, context: Context) -> Reading:
    try:
        with _pool(1, settings) as pool:
            with _interrupt_held():
                future = pool.submit(_read_in_worker, [file], context)
            return future.result()[0]
    except BrokenProcessPool:
        detail = "the reader died twice on this photo; set it aside and report it"
        return _rejected(file, RejectReason.READER_FAILED, detail, bundle_id)
