"""Objects in a bucket.

    objects/ab/cd/abcd…       objects
    incoming/BATCH/abcd…      what clients put by presigned URLs, unchecked
    aside/abcd…               objects that no row names

An object is sent once its SHA-256 is known, straight to its name, and nothing half is ever seen. What the store has
acknowledged is durable: that is its promise.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO, cast

from ocr_service.errors import NotFoundError, StorageError
from ocr_service.storage.bucket import PART_BYTES, Bucket, Facts
from ocr_service.storage.objects import (
    Entry,
    Incoming,
    PresignedPut,
    StoredObject,
    checked_name,
    damaged,
    is_name,
    missing,
)

_REQUESTS_AT_ONCE = 16


class S3Store:
    """Not to be carried over a fork: its connections would be shared."""

    def __init__(self, bucket: Bucket, presigned_s: int) -> None:
        """``presigned_s`` is how long a client may use an URL."""
        self._bucket = bucket
        self._presigned_s = presigned_s

    def prepare(self) -> None:
        """See ``ObjectStore.prepare``: makes the bucket."""
        self._bucket.make()

    def incoming(self) -> _S3Incoming:
        """See ``ObjectStore.incoming``."""
        return _S3Incoming(self._bucket)

    def durable(self, many: Sequence[Incoming]) -> list[StoredObject]:
        """See ``ObjectStore.durable``: requests side by side."""
        with ThreadPoolExecutor(_REQUESTS_AT_ONCE, "put") as threads:
            return list(threads.map(lambda incoming: incoming.finish(), many))

    def read(self, sha256: str) -> bytes:
        """See ``ObjectStore.read``."""
        key = _object_key(sha256)
        try:
            data = b"".join(self._bucket.chunks(key))
        except NotFoundError:
            self.put_back(sha256)
            try:
                data = b"".join(self._bucket.chunks(key))
            except NotFoundError as error:
                raise missing(sha256) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise damaged(sha256)
        return data

    def exists(self, sha256: str) -> bool:
        """See ``ObjectStore.exists``."""
        return self._bucket.facts(_object_key(sha256)) is not None

    def presigned_put(self, batch_id: int, sha256: str) -> PresignedPut | None:
        """See ``ObjectStore.presigned_put``. The URL bounds neither size nor content: what came is checked."""
        url = self._bucket.presigned_put(_upload_key(batch_id, sha256), timedelta(seconds=self._presigned_s))
        return PresignedPut(url, self._presigned_s) if url else None

    def uploaded(self, batch_id: int, sha256: str) -> S3Upload | None:
        """See ``ObjectStore.uploaded``."""
        key = _upload_key(batch_id, sha256)
        facts = self._bucket.facts(key)
        return S3Upload(self._bucket, key, facts) if facts else None

    def delete_uploaded(self, batch_id: int, sha256: str) -> None:
        """See ``ObjectStore.delete_uploaded``."""
        self._bucket.remove(_upload_key(batch_id, sha256))

    def objects(self, prefix: str) -> Iterator[Entry]:
        """See ``ObjectStore.objects``."""
        return self._entries(f"objects/{prefix}/")

    def set_aside(self, sha256: str) -> None:
        """See ``ObjectStore.set_aside``."""
        self._move(_object_key(sha256), _aside_key(sha256))

    def put_back(self, sha256: str) -> None:
        """See ``ObjectStore.put_back``."""
        self._move(_aside_key(sha256), _object_key(sha256))

    def objects_aside(self) -> Iterator[Entry]:
        """See ``ObjectStore.objects_aside``."""
        return self._entries("aside/")

    def delete_aside(self, sha256: str) -> None:
        """See ``ObjectStore.delete_aside``."""
        self._bucket.remove(_aside_key(sha256))

    def delete_leftovers(self, before: datetime) -> int:
        """See ``ObjectStore.delete_leftovers``: uploads whose end nobody told."""
        old = [key for key, since in self._bucket.keys("incoming/") if since < before]
        for key in old:
            self._bucket.remove(key)
        return len(old)

    def _move(self, source: str, target: str) -> None:
        with contextlib.suppress(NotFoundError):  # another process was faster
            self._bucket.copy(source, target)
            self._bucket.remove(source)

    def _entries(self, prefix: str) -> Iterator[Entry]:
        for key, since in self._bucket.keys(prefix):
            name = key.rpartition("/")[2]
            if is_name(name):
                yield Entry(name, since)


@dataclass(frozen=True, slots=True)
class S3Upload:
    """See ``Uploaded``: pinned by its ETag, for the client may put other bytes as long as its URL holds."""

    bucket: Bucket
    key: str
    facts: Facts

    @property
    def size_bytes(self) -> int:
        """See ``Uploaded.size_bytes``."""
        return self.facts.size_bytes

    def chunks(self) -> Iterator[bytes]:
        """See ``Uploaded.chunks``."""
        try:
            yield from self.bucket.chunks(self.key, self.facts.etag)
        except NotFoundError as error:
            raise _removed() from error

    def incoming(self) -> _Adoption:
        """See ``Uploaded.incoming``."""
        return _Adoption(self)


class _S3Incoming:
    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        self._file = tempfile.SpooledTemporaryFile(max_size=PART_BYTES)  # noqa: SIM115 - closed by discard

    def write(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self._size_bytes += len(chunk)
        try:
            self._file.write(chunk)
        except OSError as error:
            why = error.strerror or error
            raise StorageError(f"the photo cannot be held: {why}; free {tempfile.gettempdir()} and retry") from error

    def finish(self) -> StoredObject:
        stored = StoredObject(self._digest.hexdigest(), self._size_bytes)
        key = _object_key(stored.sha256)
        try:
            if self._bucket.facts(key) is None:
                self._bucket.put(key, cast(BinaryIO, self._file), stored.size_bytes)
        finally:
            self.discard()
        return stored

    def discard(self) -> None:
        self._file.close()


class _Adoption:
    """What was read of an upload gives it its name; the bytes themselves stay where they are."""

    def __init__(self, upload: S3Upload) -> None:
        self._upload = upload
        self._digest = hashlib.sha256()
        self._size_bytes = 0

    def write(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self._size_bytes += len(chunk)

    def finish(self) -> StoredObject:
        if self._size_bytes != self._upload.size_bytes:
            raise StorageError("the upload was not read to its end; say once more that it is complete")
        stored = StoredObject(self._digest.hexdigest(), self._size_bytes)
        key, bucket = _object_key(stored.sha256), self._upload.bucket
        try:
            if bucket.facts(key) is None:
                bucket.copy(self._upload.key, key, self._upload.facts.etag)
        except NotFoundError as error:
            raise _removed() from error
        return stored

    def discard(self) -> None:
        """Nothing was begun in the store."""


def _removed() -> StorageError:
    return StorageError("the upload was removed meanwhile; send the file again")


def _object_key(sha256: str) -> str:
    name = checked_name(sha256)
    return f"objects/{name[:2]}/{name[2:4]}/{name}"


def _upload_key(batch_id: int, sha256: str) -> str:
    return f"incoming/{batch_id}/{checked_name(sha256)}"


def _aside_key(sha256: str) -> str:
    return f"aside/{checked_name(sha256)}"
