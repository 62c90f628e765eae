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

from sqlalchemy import String, and_, bindparam, case, func, outerjoin, select, text, type_coerce
from sqlalchemy.orm import Session

from ocr_service.database.announcements import BatchFacts, list_batches
from ocr_service.database.models import Base
from ocr_service.records import RejectReason
from ocr_service.states import FileState, PhotoState

_READ = (PhotoState.IN_VERIFICATION, PhotoState.REJECTED, PhotoState.FAILED)


@dataclass(frozen=True, slots=True)
class FileStanding:
    """A file of a batch and where it stands.

    ``photo_id`` and ``photo_batch_id`` name the photo that it became, or that it has the same bytes as. ``photo_state``
    is where that photo stands. ``too_late``: what was just said of it is not what holds, for its bytes came before.
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
    too_late: bool = False


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
    found = list_batches(session, created_by=created_by, before_id=before_id, limit=limit)
    return _accounts(session, found, read_since)


def standings(session: Session, batch_id: int, sha256s: Collection[str]) -> list[FileStanding]:
    """Every file of a batch that has one of these hashes, in the order in which they were announced."""
    found = session.execute(_STANDINGS, {"in_batch": batch_id, "sha256s": list(sha256s)})
    return [_standing(row) for row in found]


def files(
    session: Session, batch_id: int, *, state: FileState | None = None, after_id: int = 0, limit: int
) -> list[FileStanding]:
    """Files of a batch in the order in which they were announced, later than ``after_id``."""
    query = _FILES.where(_arrivals.c.id > after_id).order_by(_arrivals.c.id).limit(limit)
    if state is not None:
        query = query.where(_STATE.in_([str(state)]))
    return [_standing(row) for row in session.execute(query, {"in_batch": batch_id})]


_arrivals, _photos = Base.metadata.tables["arrivals"], Base.metadata.tables["photos"]
_photo_state = type_coerce(_photos.c.state, String)

_STATE = case(
    (_arrivals.c.reason.is_not(None), str(FileState.REFUSED)),
    (_arrivals.c.photo_id.is_(None), str(FileState.ANNOUNCED)),
    (_arrivals.c.duplicate, str(FileState.DUPLICATE)),
    (and_(_photo_state == str(PhotoState.RECEIVED), _photos.c.queued_at.is_not(None)), str(FileState.QUEUED)),
    (
        and_(_photo_state == str(PhotoState.IN_VERIFICATION), _photos.c.needs_rephotograph),
        str(FileState.NEEDS_REPHOTOGRAPH),
    ),
    else_=_photo_state,
)
_REASON = func.coalesce(_arrivals.c.reason, _photos.c.reason)
_WITH_PHOTO = outerjoin(_arrivals, _photos, _photos.c.id == _arrivals.c.photo_id)

# made once: to put a statement together takes longer than to run it
_FILES = (
    select(
        _arrivals.c.id,
        _arrivals.c.batch_id,
        func.coalesce(_arrivals.c.path, _arrivals.c.filename).label("path"),
        func.coalesce(_arrivals.c.sha256, _photos.c.sha256).label("sha256"),
        func.coalesce(_photos.c.size_bytes, _arrivals.c.size_bytes).label("size_bytes"),
        _STATE.label("state"),
        _arrivals.c.photo_id,
        _photos.c.batch_id.label("photo_batch_id"),
        _photos.c.state.label("photo_state"),
        _REASON.label("reason"),
        func.coalesce(_arrivals.c.detail, _photos.c.detail).label("detail"),
        _arrivals.c.at.label("announced_at"),
        func.coalesce(_photos.c.changed_at, _arrivals.c.at).label("changed_at"),
    )
    .select_from(_WITH_PHOTO)
    .where(_arrivals.c.batch_id == bindparam("in_batch"))
)
_STANDINGS = _FILES.where(_arrivals.c.sha256.in_(bindparam("sha256s", expanding=True))).order_by(_arrivals.c.id)

_READ_LATELY = and_(
    _arrivals.c.duplicate.is_(False), _photos.c.state.in_(_READ), _photos.c.changed_at >= bindparam("read_since")
)
_ACCOUNTS = (
    select(
        _arrivals.c.batch_id,
        _STATE.label("file_state"),
        _REASON.label("file_reason"),
        func.count(),
        func.sum(func.coalesce(_photos.c.size_bytes, _arrivals.c.size_bytes, 0)),
        func.sum(case((_READ_LATELY, 1), else_=0)),
        func.min(_arrivals.c.at),
    )
    .select_from(_WITH_PHOTO)
    .where(_arrivals.c.batch_id.in_(bindparam("batch_ids", expanding=True)))
    .group_by(_arrivals.c.batch_id, text("file_state"), text("file_reason"))
)


def _standing(row: Any) -> FileStanding:
    return FileStanding(**{**row._mapping, "state": FileState(row.state)})


def _accounts(session: Session, batches: Sequence[BatchFacts], read_since: datetime) -> list[BatchAccount]:
    rows: dict[int, list[Any]] = {batch.id: [] for batch in batches}
    for row in session.execute(_ACCOUNTS, {"batch_ids": list(rows), "read_since": read_since}):
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
