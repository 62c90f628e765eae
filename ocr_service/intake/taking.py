"""Bytes on their way into the store; what is no picture, or too long, is not kept.

The first bytes are held back until they tell what a file is: a file that is refused never touches the store, and
neither does one whose sender falls silent early.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ocr_service.records import Origin, RejectReason
from ocr_service.storage import Incoming, ObjectStore, StoredObject, chunks_of
from preprocess.decode import PhotoRejectedError, check_head
from preprocess.exif import EXIF_HEAD_BYTES, ExifFacts, read_exif
from preprocess.sniff import name_other_type, starts_like_image

DEFAULT_MAX_BYTES = 64 * 1024**2

_HEAD_BYTES = EXIF_HEAD_BYTES  # the frame header of a JPEG stands behind its EXIF


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file is not taken in; ``detail`` is one sentence that says what to do."""

    reason: RejectReason
    detail: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that is durable in the store; ``origin`` is what its own EXIF says."""

    sha256: str
    size_bytes: int
    origin: Origin = field(default_factory=Origin)


class Door(Protocol):
    """Where objects begin: a store, or an upload that is to be adopted by one."""

    def incoming(self) -> Incoming:
        """Begin an object. Raises ``StorageError``."""


class Taking:
    """A file on its way into the store, before any transaction; what is no picture, or too long, is not kept."""

    def __init__(self, door: Door, max_bytes: int) -> None:
        self._door = door
        self._max_bytes = max_bytes
        self._size_bytes = 0
        self._held = b""
        self._incoming: Incoming | None = None
        self._origin = Origin()
        self._refusal: Refusal | None = None
        self._digest = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Take further bytes; after a refusal they are let go by. Raises ``StorageError``."""
        self._size_bytes += len(chunk)
        self._digest.update(chunk)
        if self._refusal is not None:
            return
        if self._size_bytes > self._max_bytes:
            self._refuse(refusal_of_size(self._size_bytes, self._max_bytes))
        elif self._incoming is not None:
            self._incoming.write(chunk)
        else:
            self._held += chunk
            if len(self._held) >= _HEAD_BYTES:
                self._judge_head()

    def close(self) -> Incoming | Refusal:
        """The object, to be made durable, or why it is not kept. Raises ``StorageError``."""
        if self._incoming is None and self._refusal is None:
            self._judge_head()
        if self._refusal is not None:
            return self._refusal
        assert self._incoming is not None  # noqa: S101 - what is not refused is on its way
        return self._incoming

    def finish(self) -> Taken | Refusal:
        """The object, durable, or why it was not kept. Raises ``StorageError``."""
        closed = self.close()
        return closed if isinstance(closed, Refusal) else self.taken(closed.finish())

    def taken(self, stored: StoredObject) -> Taken:
        """What the durable object is."""
        return Taken(stored.sha256, stored.size_bytes, self._origin)

    def discard(self) -> None:
        """Forget what came; harmless at any time."""
        if self._incoming is not None:
            self._incoming.discard()

    @property
    def size_bytes(self) -> int:
        """How many bytes came."""
        return self._size_bytes

    @property
    def sha256(self) -> str:
        """Of the bytes that came, also of those that were refused."""
        return self._digest.hexdigest()

    def _judge_head(self) -> None:
        self._refuse(_judge(self._held, self._size_bytes))
        if self._refusal is None:
            self._origin = _origin(read_exif(self._held))
            self._incoming = self._door.incoming()
            self._incoming.write(self._held)
        self._held = b""

    def _refuse(self, refusal: Refusal | None) -> None:
        if refusal is not None:
            self._refusal = refusal
            self.discard()


def take(store: ObjectStore, source: bytes | Path, max_bytes: int) -> Taken | Refusal:
    """Bring a value or a file into the store, or say why not. Raises ``StorageError``, and ``OSError`` of a path."""
    taking = Taking(store, max_bytes)
    try:
        for chunk in chunks_of(source):
            taking.write(chunk)
        return taking.finish()
    finally:
        taking.discard()


def finish_together(store: ObjectStore, takings: Sequence[Taking]) -> list[Taken | Refusal]:
    """What each became, in order, durable all at once; all are discarded. Raises ``StorageError``."""
    try:
        closed = [taking.close() for taking in takings]
        stored = iter(store.durable([incoming for incoming in closed if not isinstance(incoming, Refusal)]))
        return [
            outcome if isinstance(outcome, Refusal) else taking.taken(next(stored))
            for taking, outcome in zip(takings, closed, strict=True)
        ]
    finally:
        for taking in takings:
            taking.discard()


def refusal_of_size(size_bytes: int, max_bytes: int) -> Refusal | None:
    """Why a file of this size is not taken in, None where it may come."""
    if size_bytes > max_bytes:
        limit = f"The file has more than {max_bytes / 1e6:.0f} MB; save it as JPEG."
        return Refusal(RejectReason.TOO_LARGE_FILE, limit)
    if size_bytes == 0:
        return Refusal(RejectReason.EMPTY, "The file holds no data; copy it again from the camera or the original.")
    return None


def _judge(head: bytes, size_bytes: int) -> Refusal | None:
    """Why a file is not worth queueing. Whatever begins like a picture is judged by the reader, which sees it all."""
    if size_bytes <= len(head) and not head.strip(b"\0"):
        return refusal_of_size(0, size_bytes)
    other = name_other_type(head)
    if other is not None:
        return Refusal(RejectReason.UNSUPPORTED_TYPE, f"This is {other}, not a photo; save the photo as JPEG or PNG.")
    if not starts_like_image(head):
        return Refusal(
            RejectReason.NOT_AN_IMAGE, "The content is no picture; check that this is the file that was meant."
        )
    try:
        check_head(head)
    except PhotoRejectedError as error:
        return Refusal(RejectReason(error.reason), error.detail)
    return None


def _origin(exif: ExifFacts) -> Origin:
    return Origin(None, exif.device, exif.taken_at, exif.latitude_deg, exif.longitude_deg)
