"""Copies objects from one store to another; what is there already is not copied again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from ocr_service.errors import NotFoundError, StorageError
from ocr_service.storage import ObjectStore

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Copied:
    """How many objects are in the target now, of what size; ``missing`` could not be had whole."""

    objects: int
    size_bytes: int
    missing: tuple[str, ...]


def copy_objects(names: Path, source: ObjectStore, target: ObjectStore) -> Copied:
    """Bring every object of a list to ``target``. One that is damaged is told and stops nothing."""
    objects = size_bytes = 0
    missing: list[str] = []
    for sha256, size in read_names(names):
        if not target.exists(sha256) and not _copy(sha256, source, target):
            missing.append(sha256)
            continue
        objects, size_bytes = objects + 1, size_bytes + size
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


def _copy(sha256: str, source: ObjectStore, target: ObjectStore) -> bool:
    data = _whole(sha256, source)
    if data is None:
        return False
    incoming = target.incoming()
    try:
        incoming.write(data)
        incoming.finish()
    finally:
        incoming.discard()
    return True


def _whole(sha256: str, store: ObjectStore) -> bytes | None:
    try:
        data = store.read(sha256)
    except NotFoundError:
        log.error("an object is missing", sha256=sha256)
        return None
    except StorageError as error:
        log.error("an object cannot be read", sha256=sha256, error=str(error))
        return None
    if hashlib.sha256(data).hexdigest() != sha256:
        log.error("an object is damaged", sha256=sha256)
        return None
    return data
