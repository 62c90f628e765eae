"""One bucket of a store that speaks S3, by the ``minio`` client: what is asked of it, and its errors as ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import urllib3
from minio import Minio
from minio.commonconfig import CopySource
from minio.error import MinioException, S3Error

from ocr_service.errors import NotFoundError, StorageError
from ocr_service.storage.objects import CHUNK_BYTES

PART_BYTES = 8 * 1024**2
"""A longer object waits in a temporary file and is sent in parts: 40 uploads at once still fit into memory."""
_CONNECTIONS = 64  # as many threads as the API has (40), and those of ``S3Store.durable``
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


@dataclass(frozen=True, slots=True)
class Facts:
    """What the store says of an object without giving it out. The ETag pins its bytes."""

    size_bytes: int
    etag: str


class Bucket:
    """Methods may be called by many threads and raise ``StorageError``; where a key is asked for, ``NotFoundError``."""

    def __init__(self, endpoint: Endpoint, name: str, access: Access, public: Endpoint | None) -> None:
        """Asks nothing yet. Raises ``ValueError`` for an endpoint that is none."""
        self._name = name
        self._at = f"the object store at {endpoint.host}"
        http = urllib3.PoolManager(maxsize=_CONNECTIONS, timeout=_TIMEOUT, retries=_RETRIES)
        self._client = access.client(endpoint, http)
        self._public = access.client(public) if public else None

    def make(self) -> None:
        """Make the bucket, where it is not there yet."""
        with self._errors():
            if not self._client.bucket_exists(self._name):
                self._client.make_bucket(self._name)

    def presigned_put(self, key: str, expires: timedelta) -> str | None:
        """An URL by which clients may put this key; None where they cannot reach the store. Asks nothing."""
        return self._public.presigned_put_object(self._name, key, expires) if self._public else None

    def facts(self, key: str) -> Facts | None:
        """What is known of a key; None where there is nothing."""
        try:
            with self._errors():
                found = self._client.stat_object(self._name, key)
        except NotFoundError:
            return None
        return Facts(found.size or 0, found.etag or "")

    def chunks(self, key: str, etag: str | None = None) -> Iterator[bytes]:
        """The bytes of a key, if they are still those of the ETag."""
        with self._errors():
            conditions = {"If-Match": f'"{etag}"'} if etag else {}
            answer = self._client.get_object(self._name, key, request_headers={**conditions})
            try:
                yield from answer.stream(CHUNK_BYTES)
            finally:
                answer.close()
                answer.release_conn()

    def put(self, key: str, file: BinaryIO, size_bytes: int) -> None:
        """Send a file from its beginning."""
        file.seek(0)
        with self._errors():
            self._client.put_object(self._name, key, file, size_bytes, part_size=PART_BYTES, num_parallel_uploads=1)

    def copy(self, source: str, target: str, etag: str | None = None) -> None:
        """Let the store copy a key, if its bytes are still those of the ETag."""
        with self._errors():
            self._client.copy_object(self._name, target, CopySource(self._name, source, match_etag=etag))

    def remove(self, key: str) -> None:
        """Remove a key; harmless where it is gone."""
        with self._errors():
            self._client.remove_object(self._name, key)

    def keys(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """Keys that begin so, and since when they are there."""
        with self._errors():
            for found in self._client.list_objects(self._name, prefix, recursive=True):
                yield found.object_name or "", found.last_modified or datetime.now(UTC)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except S3Error as error:
            if error.code in {"NoSuchKey", "NotFound"}:
                raise NotFoundError("the store holds no such object") from error
            if error.code == "NoSuchBucket":
                raise StorageError(f"{self._at} has no bucket {self._name}; headstone migrate makes it") from error
            if error.code == "PreconditionFailed":
                raise StorageError("the upload was changed meanwhile; say once more that it is complete") from error
            if error.code in _DENIED:
                fix = "look at HEADSTONE_S3_ACCESS_KEY and HEADSTONE_S3_SECRET_KEY and what they may do"
                raise StorageError(f"{self._at} refuses ({error.code}); {fix}") from error
            raise StorageError(
                f"{self._at} answers {error.code}: {error.message}; look at its log and retry"
            ) from error
        except (urllib3.exceptions.HTTPError, MinioException) as error:
            why = f"({type(error).__name__}); start it, or look at HEADSTONE_S3_ENDPOINT and HEADSTONE_S3_SECURE"
            raise StorageError(f"{self._at} does not answer {why}") from error
