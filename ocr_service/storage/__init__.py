"""Originals under their SHA-256: in a folder, the embedded default, or in a store that speaks S3."""

from __future__ import annotations

from urllib.parse import urlsplit

from ocr_service.errors import UsageError
from ocr_service.settings import Settings
from ocr_service.storage.local import LocalStore, object_path
from ocr_service.storage.objects import (
    Entry,
    Incoming,
    ObjectStore,
    PresignedPut,
    StoredObject,
    Uploaded,
    chunks_of,
)

__all__ = [
    "Entry",
    "Incoming",
    "LocalStore",
    "ObjectStore",
    "PresignedPut",
    "StoredObject",
    "Uploaded",
    "chunks_of",
    "object_path",
    "open_store",
]


def open_store(settings: Settings) -> ObjectStore:
    """The store that the settings choose: S3 where an endpoint is given, else the folder.

    Each process opens its own, after a fork. S3 is not asked anything yet; ``prepare`` makes its bucket. Raises
    ``StorageError`` for a folder that cannot be made, ``UsageError`` for settings that do not fit together.
    """
    if not settings.s3_endpoint:
        return LocalStore(settings.objects_dir)
    # imported where they are wanted: the client takes half a second that the folder can do without
    from ocr_service.storage.bucket import Access, Bucket, Endpoint
    from ocr_service.storage.s3 import S3Store

    if settings.s3_access_key is None or settings.s3_secret_key is None:
        raise UsageError("a store needs keys; set HEADSTONE_S3_ACCESS_KEY and HEADSTONE_S3_SECRET_KEY")
    public = urlsplit(settings.s3_public_endpoint or "")
    try:
        bucket = Bucket(
            Endpoint(settings.s3_endpoint, settings.s3_secure),
            settings.s3_bucket,
            Access(settings.s3_access_key, settings.s3_secret_key.get_secret_value(), settings.s3_region),
            Endpoint(public.netloc, public.scheme == "https") if public.netloc else None,
        )
    except ValueError as error:
        raise UsageError(f"HEADSTONE_S3_ENDPOINT or HEADSTONE_S3_PUBLIC_ENDPOINT does not fit: {error}") from error
    return S3Store(bucket, settings.s3_presigned_s)
