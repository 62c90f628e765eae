"""Accounts of batches: every file is in exactly one state, and the counts add up to the number of files.

The state of a file is derived from its arrival and the photo that it became (``states.FileState``), in one expression
that lists, counts and receipts share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, func, select, type_coerce
from sqlalchemy.orm import Session

from ocr_service.database.announcements import BatchFacts, facts_of
from ocr_service.database.models import Arrival, Batch, Photo
from ocr_service.records import RejectReason
from ocr_service.states import FileState, PhotoState

_READ = (PhotoState.IN_VERIFICATION, PhotoState.REJECTED, PhotoState.FAILED)


@dataclass(frozen=True, slots=True)
class FileStanding:
    """A file of a batch and where it stands.

    ``photo_id`` and ``photo_batch_id`` name the photo that it became, or that it has the same bytes as. ``photo_state``
    is where that photo stands.
    """

    id: int
    batch_id: int
    path: str
    sha256: str | None
    size_bytes: int | None
    state: FileState
    photo_id: int | None
    photo_batch_id: int | None
    photo_state: PhotoState | None
    reason: RejectReason | None
    detail: str | None
    announced_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class ReasonTotal:
    """How many files of a batch stand in a state for one reason."""

    state: FileState
    reason: RejectReason
    files: int


@dataclass(frozen=True, slots=True)
class BatchAccount:
    """A batch and its files by state.

    ``size_bytes`` is the size of all its files, also of those that are only announced. ``read`` counts photos that were
    read since the instant that was asked for; one that a person decided since is no longer counted.
    """

    batch: BatchFacts
    counts: Mapping[FileState, int]
    size_bytes: int
    read: int
    reasons: tuple[ReasonTotal, ...]
    oldest_announced_at: datetime | None

    @property
    def files(self) -> int:
        """How many files the batch has."""
        return sum(self.counts.values())


def account(session: Session, batch: BatchFacts, read_since: datetime) -> BatchAccount:
    """The account of one batch."""
    return _accounts(session, [batch], read_since)[0]


def page(
    session: Session, *, created_by: str | None, before_id: int | None, limit: int, read_since: datetime
) -> list[BatchAccount]:
    """Accounts of batches, newest first; of one person's only where ``created_by`` names one."""
    query = select(Batch).order_by(Batch.id.desc()).limit(limit)
    if created_by is not None:
        query = query.where(Batch.created_by == created_by)
    if before_id is not None:
        query = query.where(Batch.id < before_id)
    return _accounts(session, [facts_of(batch) for batch in session.scalars(query)], read_since)


def standings(session: Session, batch_id: int, sha256s: Collection[str]) -> list[FileStanding]:
    """Every file of a batch that has one of these hashes, in the order in which they were announced."""
    query = _files(batch_id).where(Arrival.sha256.in_(sha256s)).order_by(Arrival.id)
    return [_standing(row) for row in session.execute(query)]


def files(
    session: Session, batch_id: int, *, state: FileState | None = None, after_id: int = 0, limit: int
) -> list[FileStanding]:
    """Files of a batch in the order in which they were announced, later than ``after_id``."""
    query = _files(batch_id).where(Arrival.id > after_id).order_by(Arrival.id).limit(limit)
    if state is not None:
        query = query.where(_state() == str(state))
    return [_standing(row) for row in session.execute(query)]


def _state() -> ColumnElement[str]:
    photo_state = type_coerce(Photo.state, String)
    return case(
        (Arrival.reason.is_not(None), str(FileState.REFUSED)),
        (Arrival.photo_id.is_(None), str(FileState.ANNOUNCED)),
        (Arrival.duplicate, str(FileState.DUPLICATE)),
        (and_(photo_state == str(PhotoState.RECEIVED), Photo.queued_at.is_not(None)), str(FileState.QUEUED)),
        (
            and_(photo_state == str(PhotoState.IN_VERIFICATION), Photo.needs_rephotograph),
            str(FileState.NEEDS_REPHOTOGRAPH),
        ),
        else_=photo_state,
    )


def _files(batch_id: int) -> Select[*tuple[Any, ...]]:
    # columns by name: whole rows would bring their documents along
    return (
        select(
            Arrival.id,
            Arrival.batch_id,
            func.coalesce(Arrival.path, Arrival.filename).label("path"),
            func.coalesce(Arrival.sha256, Photo.sha256).label("sha256"),
            func.coalesce(Photo.size_bytes, Arrival.size_bytes).label("size_bytes"),
            _state().label("state"),
            Arrival.photo_id,
            Photo.batch_id.label("photo_batch_id"),
            Photo.state.label("photo_state"),
            func.coalesce(Arrival.reason, Photo.reason).label("reason"),
            func.coalesce(Arrival.detail, Photo.detail).label("detail"),
            Arrival.at.label("announced_at"),
            func.coalesce(Photo.changed_at, Arrival.at).label("changed_at"),
        )
        .outerjoin(Photo, Photo.id == Arrival.photo_id)
        .where(Arrival.batch_id == batch_id)
    )


def _standing(row: Any) -> FileStanding:
    known = dict(row._mapping)
    known["state"] = FileState(known["state"])
    return FileStanding(**known)


def _accounts(session: Session, batches: Sequence[BatchFacts], read_since: datetime) -> list[BatchAccount]:
    state = _state().label("file_state")
    reason = func.coalesce(Arrival.reason, Photo.reason).label("file_reason")
    lately = and_(Arrival.duplicate.is_(False), Photo.state.in_(_READ), Photo.changed_at >= read_since)
    query = (
        select(
            Arrival.batch_id,
            state,
            reason,
            func.count(),
            func.sum(func.coalesce(Photo.size_bytes, Arrival.size_bytes, 0)),
            func.sum(case((lately, 1), else_=0)),
            func.min(Arrival.at),
        )
        .outerjoin(Photo, Photo.id == Arrival.photo_id)
        .where(Arrival.batch_id.in_([batch.id for batch in batches]))
        .group_by(Arrival.batch_id, state, reason)
    )
    rows: dict[int, list[Any]] = {batch.id: [] for batch in batches}
    for row in session.execute(query):
        rows[row[0]].append(row)
    return [_account(batch, rows[batch.id]) for batch in batches]


_WITH_REASON = (FileState.REFUSED, FileState.REJECTED, FileState.FAILED)


def _account(batch: BatchFacts, rows: Sequence[Any]) -> BatchAccount:
    counts: Counter[FileState] = Counter()
    size_bytes = read = 0
    reasons = []
    oldest = None
    for _, state, reason, number, size, lately, first_at in rows:
        counts[FileState(state)] += number
        size_bytes += size
        read += lately
        if reason is not None and state in _WITH_REASON:
            reasons.append(ReasonTotal(FileState(state), RejectReason(reason), number))
        if state == FileState.ANNOUNCED:
            oldest = first_at
    return BatchAccount(
        batch,
        {state: counts[state] for state in FileState},
        size_bytes,
        read,
        tuple(sorted(reasons, key=lambda total: (-total.files, total.state, total.reason))),
        oldest,
    )
