"""What the JSON API takes and gives. Values of the application are turned into these at the edge, and only here."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from api.problems import Problem, ProblemError
from ocr_service.records import PhotoType, ReadingStatus, RejectReason
from ocr_service.states import PhotoState, RecordState, Verdict

Point = tuple[float, float]
Quad = Annotated[
    tuple[Point, Point, Point, Point], Field(description="Clockwise from top left, in upright photo pixels.")
]


class _FromValue(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Place(_FromValue):
    """Where a photo was taken, as the upload said."""

    cemetery: str | None = None
    cemetery_province: str | None = None
    cemetery_commune: str | None = None
    plot: str | None = None


class ReceivedFile(BaseModel):
    """What became of one file of an upload."""

    filename: str
    photo_id: int | None = Field(description="The photo, new or known already; null where the file was refused.")
    sha256: str | None
    state: PhotoState | None
    duplicate: bool = Field(description="The same bytes were handed in before.")
    problem: Problem | None = Field(description="Why the file was refused.")


class UploadReceipt(BaseModel):
    """What became of an upload."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "batch_id": 3,
                    "files": [
                        {
                            "filename": "IMG_0412.jpg",
                            "photo_id": 57,
                            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                            "state": "received",
                            "duplicate": False,
                            "problem": None,
                        }
                    ],
                }
            ]
        }
    )

    batch_id: int
    files: list[ReceivedFile]


class Alternative(_FromValue):
    """One further way to read a line."""

    text: str
    score: float


class Line(_FromValue):
    """One line as the reader saw it."""

    text: str
    confidence: float = Field(description="Chance that the line is exactly right.")
    quad: Quad
    stone: int
    alternatives: list[Alternative]
    char_confidences: list[float] = Field(description="Chance of each character of the text to be right; may be empty.")


class FieldReading(_FromValue):
    """One fact as the parser made it of the lines."""

    value: Any
    raw: str | None
    confidence: float
    lines: list[int]
    flags: list[str]


class Reading(_FromValue):
    """What one bundle saw in a photo."""

    status: ReadingStatus
    reason: RejectReason | None
    detail: str | None
    photo_type: PhotoType | None
    size_px: tuple[int, int] | None = Field(description="Width and height of the upright photo.")
    stone_quads: list[Quad]
    lines: list[Line]
    record: dict[str, FieldReading]
    quality: list[str]
    timings_ms: dict[str, float]
    bundle: str
    engine: str = Field(description="Runtime and device that ran the bundle; empty where no reader saw the photo.")


class Photo(_FromValue):
    """A photo and where it stands."""

    id: int
    sha256: str
    size_bytes: int
    filename: str
    state: PhotoState
    reason: RejectReason | None = Field(description="Why it was rejected or failed.")
    detail: str | None
    photo_type: PhotoType | None
    size_px: tuple[int, int] | None
    attempts: int
    batch_id: int | None
    grave_id: int | None
    context: Place
    received_at: datetime
    received_by: str
    changed_at: datetime
    record_id: int | None = Field(description="Its draft or record, once it was read.")


class PhotoDetail(Photo):
    """A photo with what was last read in it."""

    reading: Reading | None = None


class PhotoPage(BaseModel):
    """Photos, newest first."""

    items: list[Photo]
    next_cursor: str | None


class RecordField(_FromValue):
    """One fact of a draft or record."""

    raw: str | None = Field(description="As cut on the stone.")
    value: Any = Field(description="Normalised.")
    on_record: Any = Field(description="As a roster or file has it, once compared.")
    confidence: float
    lines: list[int] = Field(description="Lines of the reading that it stands in.")
    flags: list[str]
    decided_by: str | None = Field(description="Who changed it; null is the reader's proposal.")


class OtherShot(_FromValue):
    """Another photo of the same grave. Its draft is not in the queue while the grave's best one is."""

    photo_id: int
    filename: str
    record_id: int = Field(description="Its own draft or record.")
    state: RecordState
    version: int


class Proposal(_FromValue):
    """A field as another shot's draft reads it, where this one is blank or says otherwise; never taken by itself."""

    raw: str
    value: Any
    confidence: float
    photo_id: int
    filename: str


class Draft(_FromValue):
    """A draft or record as staff see it."""

    id: int
    state: RecordState
    version: int
    fields: dict[str, RecordField]
    photo: Photo
    reading: Reading
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    lease_owner: str | None
    lease_until: datetime | None
    other_shots: list[OtherShot]
    proposals: dict[str, list[Proposal]] = Field(default_factory=dict)


class DraftPage(BaseModel):
    """Drafts in the order in which they came."""

    items: list[Draft]
    next_cursor: str | None


class FieldCorrection(BaseModel):
    """A word on one field: ``raw`` alone is normalised, ``value`` alone keeps the cut text, neither is blank."""

    model_config = ConfigDict(extra="forbid")

    raw: str | None = Field(default=None, max_length=2000)
    value: Any = None

    @field_validator("value")
    @classmethod
    def _can_be_kept(cls, value: Any) -> Any:
        """JSON lets pass what no database keeps: NaN, half characters, NUL."""
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
            text.encode()
        except (ValueError, RecursionError) as error:
            raise ValueError("a value holds text and finite numbers only") from error
        if len(text) > 10_000 or "\\u0000" in text:
            raise ValueError("a value holds at most 10,000 characters, and no NUL")
        return value


class DecisionRequest(BaseModel):
    """A verdict on a draft, or a later one on a record.

    `accept` and `correct` end the other shots of the grave: `further_shot`. `detach`: this photo shows no grave of the
    others and comes up by itself. `same_grave`: it shows a grave that has its verified record.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"verdict": "accept", "expected_version": 1},
                {
                    "verdict": "correct",
                    "expected_version": 1,
                    "values": {"name": {"raw": "NGUYỄN VĂN MẪU"}},
                    "reason": "dấu ngã bị mòn, nhìn rõ trên ảnh",
                },
            ]
        },
    )

    verdict: Literal[
        Verdict.ACCEPT,
        Verdict.CORRECT,
        Verdict.SAME_GRAVE,
        Verdict.DETACH,
        Verdict.CANNOT_READ,
        Verdict.NOT_A_HEADSTONE,
    ]
    expected_version: int = Field(ge=1, le=2**31 - 1, description="The version that the person looked at.")
    values: dict[str, FieldCorrection] = Field(default_factory=dict, max_length=50)
    reason: str | None = Field(default=None, max_length=2000)
    shots: list[Annotated[int, Field(ge=0, le=2**63 - 1)]] | None = Field(
        default=None,
        max_length=1000,
        description="Drafts of other shots that the person saw, which end with what is verified; left out: all.",
    )


class UndoRequest(BaseModel):
    """Why a decision is taken back."""

    model_config = ConfigDict(extra="forbid")

    reason: str | None = Field(default=None, max_length=2000)


class PublishedField(_FromValue):
    """One fact of a verified record."""

    raw: str | None = Field(description="As cut on the stone.")
    value: Any = Field(description="Normalised.")
    on_record: Any = Field(description="As a roster or file has it, once compared.")
    flags: list[str]


class Record(_FromValue):
    """A verified record, without anything about living people."""

    id: int
    state: RecordState
    version: int
    verified_at: datetime | None
    photo_id: int
    grave_id: int | None
    place: Place
    fields: dict[str, PublishedField]
    redacted: bool = Field(description="Something on the stone is about living people and was left out.")


class RecordPage(BaseModel):
    """Verified records by id."""

    items: list[Record]
    next_cursor: str | None


class HistoryEntry(_FromValue):
    """One verdict in a record's life; who gave it and what it changed is for staff, under /audit."""

    version: int
    at: datetime
    verdict: Verdict
    fields: list[str] = Field(description="Which facts changed.")


class RecordDetail(Record):
    """A verified record with its history."""

    history: list[HistoryEntry] = Field(default_factory=list)


class Decision(_FromValue):
    """One row of the audit log; rows with the same ``action`` are one decision."""

    id: int
    record_id: int
    action: str
    undoes: str | None
    version: int
    at: datetime
    reviewer: str
    verdict: Verdict
    field: str
    before: Any
    after: Any
    reason: str | None
    evidence: dict[str, Any]
    prev_hash: str
    hash: str


class DecisionPage(BaseModel):
    """Decisions, newest first."""

    items: list[Decision]
    next_cursor: str | None


class ChainReport(_FromValue):
    """Whether the audit log still is what was written."""

    length: int
    intact: bool
    broken_at: int | None
    problem: str | None


class Health(BaseModel):
    """Whether the service is there."""

    status: Literal["ok"] = "ok"


def cursor_of(last_id: int) -> str:
    """The opaque form of a position in a list."""
    return base64.urlsafe_b64encode(f"id:{last_id}".encode()).decode().rstrip("=")


def id_of(cursor: str | None) -> int | None:
    """The position that a cursor names. Raises ``ProblemError`` 422 for anything that did not come from here."""
    if cursor is None:
        return None
    try:
        kind, _, number = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(":")
        if kind == "id" and 0 < len(number) <= 18 and number.isdecimal():
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "This cursor is not from here; start again without one.")
