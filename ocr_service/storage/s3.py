"""A store that speaks S3, by the ``minio`` client.

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
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, cast

import urllib3
from minio import Minio
from minio.commonconfig import CopySource
from minio.error import MinioException, S3Error

from ocr_service.errors import NotFoundError, StorageError
from ocr_service.storage.objects import (
    CHUNK_BYTES,
    Entry,
    Incoming,
    PresignedPut,
    StoredObject,
    checked_name,
    damaged,
    is_name,
    missing,
)

_PART_BYTES = 8 * 1024**2
"""A longer object waits in a temporary file and is sent in parts: 40 uploads at once still fit into memory."""
_REQUESTS_AT_ONCE = 16
_CONNECTIONS = 64  # as many threads as the API has (40), and those of ``durable``
_TIMEOUT = urllib3.Timeout(connect=2.0, read=10.0)
_RETRIES = urllib3.Retry(
    total=2, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504), respect_retry_after_header=False
)  # somebody waits for the answer; what fails now is tried again by the client or, in a worker, by the lease
_DENIED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Host and port of a store, and whether it speaks TLS."""

    host: str
    secure: bool


@dataclass(frozen=True, slots=True)
class Access:
    """Who we are to the store. A region spares the client asking for it."""

    access_key: str
    secret_key: str
    region: str

    def client(self, endpoint: Endpoint, http: urllib3.PoolManager | None = None) -> Minio:
        """A client that asks nothing yet. Raises ``ValueError`` for an endpoint that is none."""
        return Minio(
            endpoint.host,
            self.access_key,
            self.secret_key,
            secure=endpoint.secure,
            region=self.region,
            http_client=http,
        )


class S3Store:
    """Objects in one bucket. Not to be carried over a fork: its connections would be shared."""

    def __init__(
        self, endpoint: Endpoint, bucket: str, access: Access, *, public: Endpoint | None, presigned_s: int
    ) -> None:
        """``public`` is how clients reach the store; without it no URL is presigned. Raises ``ValueError``."""
        self._bucket = bucket
        self._host = endpoint.host
        http = urllib3.PoolManager(maxsize=_CONNECTIONS, timeout=_TIMEOUT, retries=_RETRIES)
        self._client = access.client(endpoint, http)
        self._public = access.client(public) if public else None
        self._presigned_s = presigned_s

    def prepare(self) -> None:
        """See ``ObjectStore.prepare``: makes the bucket."""
        with self._as_storage_error():
            if not self._client.bucket_exists(self._bucket):
                self._client.make_bucket(self._bucket)

    def incoming(self) -> _S3Incoming:
        """See ``ObjectStore.incoming``."""
        return _S3Incoming(self)

    def durable(self, many: Sequence[Incoming]) -> list[StoredObject]:
        """See ``ObjectStore.durable``: requests side by side."""
        with ThreadPoolExecutor(_REQUESTS_AT_ONCE, "put") as threads:
            return list(threads.map(lambda incoming: incoming.finish(), many))

    def read(self, sha256: str) -> bytes:
        """See ``ObjectStore.read``."""
        key = _object_key(sha256)
        try:
            data = self._whole(key)
        except NotFoundError:
            self.put_back(sha256)
            try:
                data = self._whole(key)
            except NotFoundError as error:
                raise missing(sha256) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise damaged(sha256)
        return data

    def exists(self, sha256: str) -> bool:
        """See ``ObjectStore.exists``."""
        return self._facts(_object_key(sha256)) is not None

    def presigned_put(self, batch_id: int, sha256: str) -> PresignedPut | None:
        """See ``ObjectStore.presigned_put``. The URL bounds neither size nor content: what came is checked."""
        if self._public is None:
            return None
        expires = timedelta(seconds=self._presigned_s)
        url = self._public.presigned_put_object(self._bucket, _upload_key(batch_id, sha256), expires)
        return PresignedPut(url, self._presigned_s)

    def uploaded(self, batch_id: int, sha256: str) -> S3Upload | None:
        """See ``ObjectStore.uploaded``."""
        key = _upload_key(batch_id, sha256)
        facts = self._facts(key)
        return S3Upload(self, key, *facts) if facts else None

    def delete_uploaded(self, batch_id: int, sha256: str) -> None:
        """See ``ObjectStore.delete_uploaded``."""
        self._remove(_upload_key(batch_id, sha256))

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
        self._remove(_aside_key(sha256))

    def delete_leftovers(self, before: datetime) -> int:
        """See ``ObjectStore.delete_leftovers``: uploads whose end nobody told."""
        removed = 0
        for key, since in self._list("incoming/"):
            if since < before:
                self._remove(key)
                removed += 1
        return removed

    def put(self, stored: StoredObject, file: BinaryIO) -> None:
        """Send an object to its name, unless it is there."""
        if not self.exists(stored.sha256):
            file.seek(0)
            with self._as_storage_error():
                self._client.put_object(
                    self._bucket,
                    _object_key(stored.sha256),
                    file,
                    stored.size_bytes,
                    part_size=_PART_BYTES,
                    num_parallel_uploads=1,
                )

    def adopt(self, upload: S3Upload, sha256: str) -> None:
        """Let the store copy an upload to its name, unless the object is there. Raises ``StorageError``."""
        if not self.exists(sha256):
            self._copy(upload.key, _object_key(sha256), upload.etag)

    def chunks_of_version(self, upload: S3Upload) -> Iterator[bytes]:
        """The bytes of an upload as it was when it was looked up. Raises ``StorageError``."""
        try:
            yield from self._chunks(upload.key, {"If-Match": f'"{upload.etag}"'})
        except NotFoundError as error:
            raise StorageError("the upload was removed meanwhile; send the file again") from error

    def _chunks(self, key: str, conditions: dict[str, str | list[str] | tuple[str]] | None = None) -> Iterator[bytes]:
        with self._as_storage_error():
            answer = self._client.get_object(self._bucket, key, request_headers=conditions)
            try:
                yield from answer.stream(CHUNK_BYTES)
            finally:
                answer.close()
                answer.release_conn()

    def _whole(self, key: str) -> bytes:
        return b"".join(self._chunks(key))

    def _facts(self, key: str) -> tuple[int, str] | None:
        """Size in bytes and ETag."""
        try:
            with self._as_storage_error():
                found = self._client.stat_object(self._bucket, key)
        except NotFoundError:
            return None
        return found.size or 0, found.etag or ""

    def _move(self, source: str, target: str) -> None:
        with contextlib.suppress(NotFoundError):
            self._copy(source, target, None)
            self._remove(source)

    def _copy(self, source: str, target: str, etag: str | None) -> None:
        with self._as_storage_error():
            self._client.copy_object(self._bucket, target, CopySource(self._bucket, source, match_etag=etag))

    def _remove(self, key: str) -> None:
        with self._as_storage_error():
            self._client.remove_object(self._bucket, key)

    def _entries(self, prefix: str) -> Iterator[Entry]:
        for key, since in self._list(prefix):
            name = key.rpartition("/")[2]
            if is_name(name):
                yield Entry(name, since)

    def _list(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        with self._as_storage_error():
            for found in self._client.list_objects(self._bucket, prefix, recursive=True):
                yield found.object_name or "", found.last_modified or datetime.now(UTC)

    @contextlib.contextmanager
    def _as_storage_error(self) -> Iterator[None]:
        """Errors of the client as ours. Raises ``NotFoundError`` for an object that is not there."""
        at = f"the object store at {self._host}"
        try:
            yield
        except S3Error as error:
            if error.code in {"NoSuchKey", "NotFound"}:
                raise NotFoundError("the store holds no such object") from error
            if error.code == "NoSuchBucket":
                raise StorageError(f"{at} has no bucket {self._bucket}; headstone migrate makes it") from error
            if error.code == "PreconditionFailed":
                raise StorageError("the upload was changed meanwhile; say once more that it is complete") from error
            if error.code in _DENIED:
                fix = "look at HEADSTONE_S3_ACCESS_KEY and HEADSTONE_S3_SECRET_KEY and what they may do"
                raise StorageError(f"{at} refuses ({error.code}); {fix}") from error
            raise StorageError(f"{at} answers {error.code}: {error.message}; look at its log and retry") from error
        except (urllib3.exceptions.HTTPError, MinioException) as error:
            why = f"({type(error).__name__}); start it, or look at HEADSTONE_S3_ENDPOINT and HEADSTONE_S3_SECURE"
            raise StorageError(f"{at} does not answer {why}") from error


@dataclass(frozen=True, slots=True)
class S3Upload:
    """See ``Uploaded``. The ETag pins the bytes: the client may put others as long as its URL holds."""

    store: S3Store
    key: str
    size_bytes: int
    etag: str

    def chunks(self) -> Iterator[bytes]:
        """See ``Uploaded.chunks``."""
        return self.store.chunks_of_version(self)

    def incoming(self) -> _Adoption:
        """See ``Uploaded.incoming``."""
        return _Adoption(self)


class _S3Incoming:
    def __init__(self, store: S3Store) -> None:
        self._store = store
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        self._file = tempfile.SpooledTemporaryFile(max_size=_PART_BYTES)  # noqa: SIM115 - closed by discard

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
        try:
            self._store.put(stored, cast(BinaryIO, self._file))
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
        self._upload.store.adopt(self._upload, stored.sha256)
        return stored

    def discard(self) -> None:
        pass


def _object_key(sha256: str) -> str:
    name = checked_name(sha256)
    return f"objects/{name[:2]}/{name[2:4]}/{name}"


def _upload_key(batch_id: int, sha256: str) -> str:
    return f"incoming/{batch_id}/{checked_name(sha256)}"


def _aside_key(sha256: str) -> str:
    return f"aside/{checked_name(sha256)}"
