"""Counts that people steer by: batches and how far they are, and why photos were set aside."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ocr_service.database.models import Arrival, Batch, Photo
from ocr_service.records import RejectReason
from ocr_service.states import PhotoState

_OPEN = frozenset({PhotoState.RECEIVED, PhotoState.READING})
_SET_ASIDE = frozenset({PhotoState.REJECTED, PhotoState.FAILED})


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """A batch and where its photos stand; ``refused`` counts files that were no photos and never got in."""

    id: int
    label: str
    created_by: str
    created_at: datetime
    total: int
    unread: int
    waiting: int
    decided: int
    set_aside: int
    refused: int


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many photos were set aside for one reason."""

    state: PhotoState
    reason: RejectReason | None
    count: int


def recent_batches(session: Session, limit: int) -> list[BatchProgress]:
    """The newest batches with their progress."""
    batches = list(session.scalars(select(Batch).order_by(Batch.id.desc()).limit(limit)))
    ids = [batch.id for batch in batches]
    states: dict[int | None, Counter[PhotoState]] = {batch_id: Counter() for batch_id in ids}
    by_state = select(Photo.batch_id, Photo.state, func.count()).where(Photo.batch_id.in_(ids))
    for batch_id, state, count in session.execute(by_state.group_by(Photo.batch_id, Photo.state)):
        states[batch_id][state] += count
    refusals = select(Arrival.batch_id, func.count()).where(Arrival.batch_id.in_(ids), Arrival.photo_id.is_(None))
    refused = {row[0]: row[1] for row in session.execute(refusals.group_by(Arrival.batch_id))}
    return [_progress(batch, states[batch.id], refused.get(batch.id, 0)) for batch in batches]


def reasons(session: Session) -> list[ReasonCount]:
    """Why photos were set aside, the most frequent reason first."""
    number = func.count()
    query = select(Photo.state, Photo.reason, number).where(Photo.state.in_(_SET_ASIDE))
    rows = session.execute(query.group_by(Photo.state, Photo.reason).order_by(number.desc(), Photo.reason))
    return [ReasonCount(state, reason, count) for state, reason, count in rows]


def photos_set_aside(session: Session, state: PhotoState, reason: RejectReason | None) -> list[int]:
    """Ids of the photos that were set aside for one reason."""
    query = select(Photo.id).where(Photo.state == state, Photo.reason.is_not_distinct_from(reason))
    return list(session.scalars(query.order_by(Photo.id)))


def owner_of_batch(session: Session, batch_id: int) -> str | None:
    """Who opened a batch; None where there is no such batch."""
    return session.scalar(select(Batch.created_by).where(Batch.id == batch_id))


def _progress(batch: Batch, states: Counter[PhotoState], refused: int) -> BatchProgress:
    total = states.total()
    unread = sum(states[state] for state in _OPEN)
    set_aside = sum(states[state] for state in _SET_ASIDE)
    waiting = states[PhotoState.IN_VERIFICATION]
    return BatchProgress(
        id=batch.id,
        label=batch.label,
        created_by=batch.created_by,
        created_at=batch.created_at,
        total=total,
        unread=unread,
        waiting=waiting,
        decided=total - unread - set_aside - waiting,
        set_aside=set_aside,
        refused=refused,
    )
