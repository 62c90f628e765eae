"""What the store hands out: frozen values that live on after their session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ocr_service.records import Context, Field, Origin, PhotoType, Reading, RejectReason
from ocr_service.states import FileState, PhotoState, Priority, RecordState, Verdict


@dataclass(frozen=True, slots=True)
class PhotoView:
    """A photo and where it stands. ``record_id`` is its draft or record, once it was read."""

    id: int
    sha256: str
    size_bytes: int
    filename: str
    state: PhotoState
    reason: RejectReason | None
    detail: str | None
    photo_type: PhotoType | None
    size_px: tuple[int, int] | None
    attempts: int
    batch_id: int | None
    grave_id: int | None
    context: Context
    received_at: datetime
    received_by: str
    changed_at: datetime
    record_id: int | None
    origin: Origin = field(default_factory=Origin)
    is_queued: bool = False
    needs_rephotograph: bool = False

    @property
    def file_state(self) -> FileState:
        """Where it stands in the accounts of its batch."""
        if self.state is PhotoState.RECEIVED and self.is_queued:
            return FileState.QUEUED
        if self.state is PhotoState.IN_VERIFICATION and self.needs_rephotograph:
            return FileState.NEEDS_REPHOTOGRAPH
        return FileState(self.state)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to read one photo until ``until``; ``token`` fences off everybody who held it before."""

    photo_id: int
    sha256: str
    filename: str
    context: Context
    attempts: int
    owner: str
    token: int
    until: datetime
    priority: Priority
    batch_id: int | None


@dataclass(frozen=True, slots=True)
class HeldPhoto:
    """A photo whose reading is about to be stored, and what its draft takes over from it."""

    id: int
    cemetery_id: int | None
    grave_id: int | None
    batch_id: int | None


@dataclass(frozen=True, slots=True)
class RecordField:
    """One fact of a record in its three values: as cut (``raw``), normalised (``value``), on record (``on_record``).

    ``decided_by`` names the person who changed it; None is the reader's own proposal.
    """

    raw: str | None
    value: Any
    on_record: Any = None
    confidence: float = 0.0
    lines: tuple[int, ...] = ()
    flags: tuple[str, ...] = ()
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class OtherShot:
    """Another photo of the same grave, and where its own draft or record stands."""

    photo_id: int
    filename: str
    record_id: int
    state: RecordState
    version: int
    fields: Mapping[str, RecordField]


@dataclass(frozen=True, slots=True)
class RecordView:
    """A draft or record with everything that its page needs. ``reading`` is what the reader saw in its photo."""

    id: int
    state: RecordState
    version: int
    fields: Mapping[str, RecordField]
    photo: PhotoView
    reading: Reading
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    lease_owner: str | None
    lease_until: datetime | None
    other_shots: tuple[OtherShot, ...] = ()  # the best first


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """A draft or record without what was read in its photo: enough for lists, and for the public."""

    id: int
    state: RecordState
    version: int
    fields: Mapping[str, RecordField]
    photo_id: int
    grave_id: int | None
    place: Context
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class DecisionView:
    """One row of the audit chain."""

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
    evidence: Mapping[str, Any]
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """Whether the audit chain holds. ``broken_at`` is the first decision that does not fit, ``problem`` says how."""

    length: int
    intact: bool
    broken_at: int | None = None
    problem: str | None = None


def as_parser_field(field: RecordField) -> Field:
    """The reader's kind of field, for code that works on both."""
    return Field(field.value, field.raw, field.confidence, field.lines, field.flags)
