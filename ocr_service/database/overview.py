"""Counts that people steer by: why photos were set aside."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ocr_service.database.models import Photo
from ocr_service.records import RejectReason
from ocr_service.states import PhotoState

_SET_ASIDE = frozenset({PhotoState.REJECTED, PhotoState.FAILED})


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many photos were set aside for one reason."""

    state: PhotoState
    reason: RejectReason | None
    count: int


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
