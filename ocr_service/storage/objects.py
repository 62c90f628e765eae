"""What an object store is to the rest of the application: immutable bytes under the SHA-256 of their content."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ocr_service.errors import NotFoundError, StorageError

CHUNK_BYTES = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """Bytes that are safely in the store."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a store's list: a SHA-256, or the name of an upload, and since when it is there (UTC)."""

    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class PresignedPut:
    """Where a client may put one file without passing through this service, until the URL expires."""

    url: str
    expires_s: int


class Incoming(Protocol):
    """An object on its way in. End it with ``finish``, ``ObjectStore.durable`` or ``discard``."""

    def write(self, chunk: bytes) -> None:
        """Take further bytes. Raises ``StorageError`` where they cannot be written (disk full)."""

    def finish(self) -> StoredObject:
        """Make the object durable under its name; the same bytes twice are one object. Raises ``StorageError``."""

    def discard(self) -> None:
        """Forget what came; harmless after ``finish``."""


class Uploaded(Protocol):
    """A file that a client has put by a presigned URL, as it was when it was looked up: unchecked bytes."""

    @property
    def size_bytes(self) -> int:
        """As the store counted it; nothing has been read yet."""

    def chunks(self) -> Iterator[bytes]:
        """Its bytes. Raises ``StorageError``, also where the client has put other bytes meanwhile."""

    def incoming(self) -> Incoming:
        """Begin to adopt it: ``write`` takes what ``chunks`` gave, ``finish`` lets the store copy it to its name."""


class ObjectStore(Protocol):
    """Immutable bytes under the hexadecimal SHA-256 of their content. Methods may be called by many threads.

    Objects that no row names are removed in two steps (see ``orphans``): set aside first, and deleted when they have
    not been missed for long.
    """

    def prepare(self) -> None:
        """Make the place for objects, where it is not there yet. Raises ``StorageError``."""

    def incoming(self) -> Incoming:
        """Begin an object. Raises ``StorageError``."""

    def durable(self, many: Sequence[Incoming]) -> list[StoredObject]:
        """Finish many at once, in less time than one by one. Raises ``StorageError``: then some may be durable."""

    def read(self, sha256: str) -> bytes:
        """The bytes of an object; one that was set aside comes back into use.

        Raises ``NotFoundError``, or ``StorageError`` also where the bytes are damaged.
        """

    def exists(self, sha256: str) -> bool:
        """Whether the object is there. Raises ``StorageError``."""

    def presigned_put(self, batch_id: int, sha256: str) -> PresignedPut | None:
        """Where the client may put a file of a batch; None where it must send it to this service."""

    def uploaded(self, batch_id: int, sha256: str) -> Uploaded | None:
        """What the client has put there; None where there is nothing. Raises ``StorageError``."""

    def delete_uploaded(self, batch_id: int, sha256: str) -> None:
        """Remove what the client has put there, adopted or not; harmless where it is gone. Raises ``StorageError``."""

    def objects(self, prefix: str) -> Iterator[Entry]:
        """Objects whose name begins with two given digits. Raises ``StorageError``."""

    def set_aside(self, sha256: str) -> None:
        """Take an object out of use; harmless where another process did. Raises ``StorageError``."""

    def put_back(self, sha256: str) -> None:
        """Bring an object that was set aside back into use; harmless where another did. Raises ``StorageError``."""

    def objects_aside(self) -> Iterator[Entry]:
        """Objects that were set aside, and since when. Raises ``StorageError``."""

    def delete_aside(self, sha256: str) -> None:
        """Delete an object that was set aside. Raises ``StorageError``."""

    def delete_leftovers(self, before: datetime) -> int:
        """Remove what was begun before and never finished; says how many. Raises ``StorageError``."""


def checked_name(sha256: str) -> str:
    """The name, if it is one. Raises ``NotFoundError`` for anything but a SHA-256."""
    if not _SHA256.fullmatch(sha256):
        raise NotFoundError("an object is named by 64 hexadecimal digits")
    return sha256


def is_name(name: str) -> bool:
    """Whether an object can have this name."""
    return _SHA256.fullmatch(name) is not None


def missing(sha256: str) -> NotFoundError:
    """The error for an object that is not there."""
    return NotFoundError(f"the store holds no object {sha256[:12]}…; hand the photo in again")


def damaged(sha256: str) -> StorageError:
    """The error for an object whose bytes are not those of its name."""
    return StorageError(f"the object {sha256[:12]}… is damaged in the store; restore it from the backup")


def chunks_of(source: bytes | Path) -> Iterator[bytes]:
    """The bytes of a value or a file, in pieces that fit into memory."""
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
