"""A folder as object store: the embedded default.

An object is written to a hidden file, synced, and renamed to its name: a reader sees the whole object or none, also
after a power cut. Objects are never overwritten.

    ROOT/ab/cd/abcd…      objects, two levels of 256 folders, so that two million stay listable
    ROOT/.incoming/…      what is being written
    ROOT/.aside/abcd…     objects that no row names
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar, cast

from ocr_service.errors import StorageError
from ocr_service.storage.objects import (
    Entry,
    Incoming,
    PresignedPut,
    StoredObject,
    Uploaded,
    checked_name,
    damaged,
    is_name,
    missing,
)

_SYNCS_AT_ONCE = 8

_T = TypeVar("_T")


class LocalStore:
    """Objects in a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / ".incoming"
        self._aside = root / ".aside"
        self._folders = _Folders(root)
        self.prepare()

    def prepare(self) -> None:
        """See ``ObjectStore.prepare``."""
        try:
            for folder in (self._incoming, self._aside):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why = error.strerror or error
            raise StorageError(f"the folder {self._root} cannot be made: {why}; choose another with --data") from error

    def incoming(self) -> _LocalIncoming:
        """See ``ObjectStore.incoming``."""
        return _LocalIncoming(self, self._incoming)

    def durable(self, many: Sequence[Incoming]) -> list[StoredObject]:
        """See ``ObjectStore.durable``: files are synced side by side, each folder once."""
        ours = cast(Sequence[_LocalIncoming], many)
        try:
            with _as_storage_error():
                _side_by_side(_LocalIncoming.sync, ours)
                settled = {self._settle(incoming) for incoming in ours}
                self._folders.sync(settled)
        finally:
            for incoming in ours:
                incoming.discard()
        return [incoming.stored for incoming in ours]

    def read(self, sha256: str) -> bytes:
        """See ``ObjectStore.read``."""
        path = object_path(self._root, sha256)
        if not path.exists() and (self._aside / sha256).exists():
            self.put_back(sha256)
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise missing(sha256) from error
        except OSError as error:
            raise StorageError(f"the photo cannot be read from the store: {error.strerror or error}") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise damaged(sha256)
        return data

    def exists(self, sha256: str) -> bool:
        """See ``ObjectStore.exists``."""
        return object_path(self._root, sha256).exists()

    def presigned_put(self, batch_id: int, sha256: str) -> PresignedPut | None:
        """See ``ObjectStore.presigned_put``: a folder has no door of its own."""
        return None

    def uploaded(self, batch_id: int, sha256: str) -> Uploaded | None:
        """See ``ObjectStore.uploaded``: nothing comes but through this service."""
        return None

    def delete_uploaded(self, batch_id: int, sha256: str) -> None:
        """See ``ObjectStore.delete_uploaded``."""

    def objects(self, prefix: str) -> Iterator[Entry]:
        """See ``ObjectStore.objects``."""
        with _as_storage_error():
            for folder in sorted((self._root / prefix).glob("[0-9a-f][0-9a-f]")):
                yield from _entries(folder)

    def set_aside(self, sha256: str) -> None:
        """See ``ObjectStore.set_aside``."""
        path = object_path(self._root, sha256)
        with _as_storage_error(), contextlib.suppress(FileNotFoundError):
            os.utime(path)  # from now on it counts as set aside; first, so that a kill in between only makes it younger
            path.replace(self._aside / sha256)

    def put_back(self, sha256: str) -> None:
        """See ``ObjectStore.put_back``."""
        path = object_path(self._root, sha256)
        with _as_storage_error():
            path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                (self._aside / sha256).replace(path)
            self._folders.sync({path.parent})

    def objects_aside(self) -> Iterator[Entry]:
        """See ``ObjectStore.objects_aside``."""
        with _as_storage_error():
            yield from _entries(self._aside)

    def delete_aside(self, sha256: str) -> None:
        """See ``ObjectStore.delete_aside``."""
        with _as_storage_error():
            (self._aside / checked_name(sha256)).unlink(missing_ok=True)

    def delete_leftovers(self, before: datetime) -> int:
        """See ``ObjectStore.delete_leftovers``: files of processes that were killed."""
        removed = 0
        with _as_storage_error():
            for path in self._incoming.iterdir():
                with contextlib.suppress(FileNotFoundError):  # finished meanwhile
                    if path.stat().st_mtime < before.timestamp():
                        path.unlink()
                        removed += 1
        return removed

    def _settle(self, incoming: _LocalIncoming) -> Path:
        """Give a synced file its name; the folder that holds it is still to be synced, also where it was there."""
        target = object_path(self._root, incoming.stored.sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            incoming.path.chmod(0o440)
            incoming.path.replace(target)
        return target.parent


class _LocalIncoming:
    def __init__(self, store: LocalStore, folder: Path) -> None:
        self._store = store
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        with _as_storage_error():
            descriptor, name = tempfile.mkstemp(dir=folder)
            self._file = os.fdopen(descriptor, "wb")
        self.path = Path(name)

    @property
    def stored(self) -> StoredObject:
        return StoredObject(self._digest.hexdigest(), self._size_bytes)

    def write(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self._size_bytes += len(chunk)
        with _as_storage_error():
            self._file.write(chunk)

    def sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def finish(self) -> StoredObject:
        return self._store.durable([self])[0]

    def discard(self) -> None:
        # closing writes what is buffered; on a full disk that fails again, and the file goes anyway
        with contextlib.suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


class _Folders:
    """Folders of a store. A name survives a power cut once the folder that holds it was synced (POSIX ``fsync``).

    So a new folder is not enough: the one above it must be synced too, also where another process has made it a moment
    ago. Each process does so once for each folder and remembers it: there are 65,536.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._anchored: set[str] = set()  # their digits: 65,536 paths take three times as much memory

    def sync(self, folders: AbstractSet[Path]) -> None:
        """Make what stands in folders of the second level survive a power cut, and these folders too."""
        new = {folder for folder in folders if folder.parent.name + folder.name not in self._anchored}
        above = {folder.parent for folder in new}
        top = {self._root} if any(folder.name not in self._anchored for folder in above) else set()
        _side_by_side(_sync_folder, folders | above | top)
        self._anchored |= {folder.parent.name + folder.name for folder in new} | {folder.name for folder in above}


def object_path(root: Path, sha256: str) -> Path:
    """Where a local store keeps an object. Raises ``NotFoundError`` for anything but a SHA-256."""
    name = checked_name(sha256)
    return root / name[:2] / name[2:4] / name


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _side_by_side(sync: Callable[[_T], None], what: Collection[_T]) -> None:
    """Syncs that run at the same time share the commits of the file system's journal."""
    if len(what) == 1:
        for one in what:
            sync(one)
        return
    with ThreadPoolExecutor(_SYNCS_AT_ONCE, "sync") as threads:
        for done in [threads.submit(sync, one) for one in what]:
            done.result()


def _entries(folder: Path) -> Iterable[Entry]:
    with os.scandir(folder) as found:
        for file in found:
            if is_name(file.name):
                with contextlib.suppress(FileNotFoundError):  # moved meanwhile
                    yield Entry(file.name, datetime.fromtimestamp(file.stat().st_mtime, UTC))


@contextlib.contextmanager
def _as_storage_error() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"the photo cannot be stored: {error.strerror or error}; free space and retry") from error
