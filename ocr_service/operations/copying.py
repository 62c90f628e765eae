"""Copies objects from one store to another; what is there already is not copied again."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from ocr_service.errors import NotFoundError, StorageError
from ocr_service.storage import Incoming, ObjectStore

log = structlog.get_logger(__name__)

_GROUP = 64
"""Objects that are made durable together: one wait for the disk instead of one for each."""


@dataclass(frozen=True, slots=True)
class Copied:
    """How many objects are in the target now, of what size; ``missing`` could not be had whole."""

    objects: int
    size_bytes: int
    missing: tuple[str, ...]


def copy_objects(names: Path, source: ObjectStore, target: ObjectStore) -> Copied:
    """Bring every object of a list to ``target``. One that is damaged is told and stops nothing.

    Raises ``StorageError`` where a store is away or full.
    """
    objects = size_bytes = 0
    missing: list[str] = []
    listed = read_names(names)
    while group := list(itertools.islice(listed, _GROUP)):
        lost = _copy([sha256 for sha256, _ in group], source, target)
        missing.extend(lost)
        kept = [size for sha256, size in group if sha256 not in lost]
        objects, size_bytes = objects + len(kept), size_bytes + sum(kept)
    return Copied(objects, size_bytes, tuple(missing))


def damaged_objects(names: Path, store: ObjectStore) -> list[str]:
    """Names of those in a list that a store does not hold, or not with the bytes that belong to the name."""
    return [sha256 for sha256, _ in read_names(names) if _whole(sha256, store) is None]


def read_names(names: Path) -> Iterator[tuple[str, int]]:
    """Name and size of each object of a list."""
    with names.open(encoding="ascii") as file:
        for line in file:
            sha256, size = line.split()
            yield sha256, int(size)


def _copy(group: Sequence[str], source: ObjectStore, target: ObjectStore) -> list[str]:
    """Copy those that the target lacks, made durable together; gives the names of those that could not be had."""
    lost: list[str] = []
    coming: list[Incoming] = []
    with contextlib.ExitStack() as stack:
        for sha256 in group:
            if target.exists(sha256):
                continue
            data = _whole(sha256, source)
            if data is None:
                lost.append(sha256)
                continue
            incoming = target.incoming()
            stack.callback(incoming.discard)
            incoming.write(data)
            coming.append(incoming)
        target.durable(coming)
    return lost


def _whole(sha256: str, store: ObjectStore) -> bytes | None:
    try:
        return store.read(sha256)  # which looks whether the bytes are those of the name
    except NotFoundError:
        log.error("an object is missing", sha256=sha256)
        return None
    except StorageError as error:
        store.exists(sha256)  # a store that is away says so again here; then this is not about one object
        log.error("an object cannot be read", sha256=sha256, error=str(error))
        return None
