"""The values that flow through the service. All are frozen; nothing here does I/O.

Geometry is in pixels of the upright photo (EXIF orientation applied); quads run clockwise from the top left corner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

Point: TypeAlias = tuple[float, float]
Quad: TypeAlias = tuple[Point, Point, Point, Point]


class ReadingStatus(StrEnum):
    """Whether a photo could be read at all. What stands on the stone is a matter of its record."""

    READ = "read"
    REJECTED = "rejected"


class RejectReason(StrEnum):
    """Why a file is not a photo that can be read. Every value has a sentence for people in ``REJECT_MESSAGES``."""

    EMPTY = "empty"
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_TYPE = "unsupported_type"
    TRUNCATED = "truncated"
    ANIMATED = "animated"
    TOO_LARGE_FILE = "too_large_file"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    UNREADABLE_FILE = "unreadable_file"
    READER_FAILED = "reader_failed"
    WITHDRAWN = "withdrawn"  # of announced files alone: whoever was to send it takes the promise back


class PhotoType(StrEnum):
    """What a picture shows (DOMAIN: ``image.kind``)."""

    HEADSTONE = "headstone"
    NUMBER_PLATE = "number_plate"
    NAME_BOARD = "name_board"
    COLLECTIVE_STONE = "collective_stone"
    GATE = "gate"
    MONUMENT = "monument"
    OVERVIEW = "overview"
    PLAN = "plan"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Alternative:
    """One further way to read a line, with a score between 0 and 1 comparable within that line only."""

    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text as the reader saw it; ``text`` is NFC, ``confidence`` is the chance that it is exactly right.

    ``char_confidences`` holds the same chance for each character of ``text``; empty where only the text was kept.
    """

    text: str
    confidence: float
    quad: Quad
    stone: int = 0
    alternatives: tuple[Alternative, ...] = ()
    char_confidences: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One fact of an inscription.

    ``value`` is normalised (EDTF date, code, NFC name, mapping) or None; ``raw`` is the text as cut; ``lines`` are
    indices into the reading's lines; ``flags`` say what was unusual or complemented.
    """

    value: Any
    raw: str | None = None
    confidence: float = 0.0
    lines: tuple[int, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What the upload knows about a photo, used by the parser where given and marked as such."""

    cemetery: str | None = None
    cemetery_province: str | None = None
    cemetery_commune: str | None = None
    plot: str | None = None
    source: str | None = None  # "stone" (default) or "roster"
    field: str | None = None  # the one field that the text is known to be


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a photo comes from: who took it, with what, when and where. Only what the upload or its EXIF says."""

    collector: str | None = None
    device: str | None = None
    taken_at: str | None = None  # ISO 8601 as EXIF has it: local time, with an offset only where one is written
    latitude_deg: float | None = None  # WGS 84, as all GPS of cameras
    longitude_deg: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What one bundle saw in one photo. Immutable; a photo may have many."""

    photo: str
    sha256: str
    status: ReadingStatus
    reason: RejectReason | None = None
    detail: str | None = None
    photo_type: PhotoType | None = None
    size_px: tuple[int, int] | None = None
    stone_quads: tuple[Quad, ...] = ()
    lines: tuple[Line, ...] = ()
    record: Mapping[str, Field] = field(default_factory=dict)
    quality: tuple[str, ...] = ()
    fingerprint: int | None = None  # perceptual hash of the picture: ``preprocess.fingerprint``
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    bundle: str = ""
    engine: str = ""
