"""Originals under their SHA-256. The local folder is the embedded default; an S3 store will speak the same protocol.

An object is written to a hidden file, synced, and renamed to its name: a reader sees the whole object or none, also
after a power cut. Objects are never overwritten.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ocr_service.errors import NotFoundError, StorageError

_CHUNK_BYTES = 1024 * 1024
HEAD_BYTES = 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """Bytes that are safely in the store. ``head`` is their first kilobyte, enough to tell what kind of file it is."""

    sha256: str
    size_bytes: int
    head: bytes


class Incoming(Protocol):
    """An object on its way in. End it with ``finish`` or ``discard``."""

    def write(self, chunk: bytes) -> None:
        """Take further bytes. Raises ``StorageError`` where they cannot be written (disk full)."""

    def finish(self) -> StoredObject:
        """Make the object durable under its name; the same bytes twice are one object. Raises ``StorageError``."""

    def discard(self) -> None:
        """Forget what came; harmless after ``finish``."""


class ObjectStore(Protocol):
    """Immutable bytes under the hexadecimal SHA-256 of their content."""

    def incoming(self) -> Incoming:
        """Begin an object. Raises ``StorageError``."""

    def read(self, sha256: str) -> bytes:
        """The bytes of an object. Raises ``NotFoundError`` or ``StorageError``."""

    def exists(self, sha256: str) -> bool:
        """Whether the object is there."""


class _LocalIncoming:
    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        self._head = b""
        with _as_storage_error():
            descriptor, name = tempfile.mkstemp(dir=folder)
            self._file = os.fdopen(descriptor, "wb")
        self._path = Path(name)

    def write(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self._size_bytes += len(chunk)
        if len(self._head) < HEAD_BYTES:
            self._head += chunk[: HEAD_BYTES - len(self._head)]
        with _as_storage_error():
            self._file.write(chunk)

    def finish(self) -> StoredObject:
        sha256 = self._digest.hexdigest()
        try:
            with _as_storage_error():
                self._file.flush()
                os.fsync(self._file.fileno())
                self._settle(object_path(self._root, sha256))
        finally:
            self.discard()
        return StoredObject(sha256, self._size_bytes, self._head)

    def discard(self) -> None:
        # closing writes what is buffered; on a full disk that fails again, and the file goes anyway
        with contextlib.suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)

    def _settle(self, target: Path) -> None:
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        self._path.chmod(0o440)
        self._path.replace(target)
        # the rename must survive a power cut too, and so must folders that were just made for it
        for folder in (target.parent, target.parent.parent, self._root):
            _sync_folder(folder)


class LocalStore:
    """Objects in a folder, two levels of 256 folders deep, so that two million stay listable."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / ".incoming"
        try:
            self._incoming.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why = error.strerror or error
            raise StorageError(f"the folder {root} cannot be made: {why}; choose another with --data") from error

    def incoming(self) -> Incoming:
        """See ``ObjectStore.incoming``."""
        return _LocalIncoming(self._root, self._incoming)

    def read(self, sha256: str) -> bytes:
        """See ``ObjectStore.read``."""
        try:
            return object_path(self._root, sha256).read_bytes()
        except FileNotFoundError as error:
            raise NotFoundError(f"the store holds no object {sha256[:12]}…; hand the photo in again") from error
        except OSError as error:
            raise StorageError(f"the photo cannot be read from the store: {error.strerror or error}") from error

    def exists(self, sha256: str) -> bool:
        """See ``ObjectStore.exists``."""
        return object_path(self._root, sha256).exists()


def object_path(root: Path, sha256: str) -> Path:
    """Where a local store keeps an object. Raises ``NotFoundError`` for anything but a SHA-256."""
    if not _SHA256.fullmatch(sha256):
        raise NotFoundError("an object is named by 64 hexadecimal digits")
    return root / sha256[:2] / sha256[2:4] / sha256


def chunks_of(source: bytes | Path) -> Iterator[bytes]:
    """The bytes of a value or a file, in pieces that fit into memory."""
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


@contextlib.contextmanager
def _as_storage_error() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"the photo cannot be stored: {error.strerror or error}; free space and retry") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
