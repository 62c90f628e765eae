"""Bytes on their way into the store; what is no picture, or too long, is not kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ocr_service.records import RejectReason
from ocr_service.storage import HEAD_BYTES, ObjectStore, StoredObject, chunks_of
from preprocess.sniff import name_other_type, starts_like_image

DEFAULT_MAX_BYTES = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file is not taken in; ``detail`` is one sentence that says what to do."""

    reason: RejectReason
    detail: str


class Taking:
    """A file on its way into the store, before any transaction; what is no picture, or too long, is not kept."""

    def __init__(self, store: ObjectStore, max_bytes: int) -> None:
        self._incoming = store.incoming()
        self._max_bytes = max_bytes
        self._size_bytes = 0
        self._head = b""
        self._refusal: Refusal | None = None

    def write(self, chunk: bytes) -> None:
        """Take further bytes; after a refusal they are let go by. Raises ``StorageError``."""
        if self._refusal is not None:
            return
        head_was_full = len(self._head) >= HEAD_BYTES
        self._size_bytes += len(chunk)
        if self._size_bytes > self._max_bytes:
            limit = f"The file has more than {self._max_bytes / 1e6:.0f} MB; save it as JPEG."
            self._refuse(Refusal(RejectReason.TOO_LARGE_FILE, limit))
            return
        if not head_was_full:
            self._head += chunk[: HEAD_BYTES - len(self._head)]
            if len(self._head) >= HEAD_BYTES:
                self._refuse(_judge(self._head, self._size_bytes))
        if self._refusal is None:
            self._incoming.write(chunk)

    def finish(self) -> StoredObject | Refusal:
        """The object, durable, or why it was not kept. Raises ``StorageError``."""
        if self._refusal is None:
            self._refuse(_judge(self._head, self._size_bytes))
        return self._refusal or self._incoming.finish()

    def discard(self) -> None:
        """Forget what came; harmless at any time."""
        self._incoming.discard()

    def _refuse(self, refusal: Refusal | None) -> None:
        if refusal is not None:
            self._refusal = refusal
            self._incoming.discard()


def take(store: ObjectStore, source: bytes | Path, max_bytes: int) -> StoredObject | Refusal:
    """Bring a value or a file into the store, or say why not. Raises ``StorageError``, and ``OSError`` of a path."""
    taking = Taking(store, max_bytes)
    try:
        for chunk in chunks_of(source):
            taking.write(chunk)
        return taking.finish()
    finally:
        taking.discard()


def _judge(head: bytes, size_bytes: int) -> Refusal | None:
    """Why a file is not worth queueing. Whatever begins like a picture is judged by the reader, which sees it all."""
    if size_bytes <= len(head) and not head.strip(b"\0"):
        return Refusal(RejectReason.EMPTY, "The file holds no data; copy it again from the camera or the original.")
    other = name_other_type(head)
    if other is not None:
        return Refusal(RejectReason.UNSUPPORTED_TYPE, f"This is {other}, not a photo; save the photo as JPEG or PNG.")
    if not starts_like_image(head):
        return Refusal(
            RejectReason.NOT_AN_IMAGE, "The content is no picture; check that this is the file that was meant."
        )
    return None
