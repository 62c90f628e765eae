"""Queries on which waiting photos a message names; what a message says is a hint, the row is the truth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import Session

from ocr_service.database.models import Photo, in_state, of_priority
from ocr_service.states import PhotoState, Priority


def count_published(session: Session, priority: Priority, since: datetime, limit: int) -> int:
    """How many photos wait that a message has named since then; counts no further than ``limit``."""
    fresh = select(Photo.id).where(*_published(priority), Photo.queued_at >= since).limit(limit)
    return session.scalar(select(func.count()).select_from(fresh.subquery())) or 0


def publish_stale(session: Session, priority: Priority, before: datetime, limit: int, now: datetime) -> Sequence[int]:
    """Name again photos that were named before then and that nobody took, the longest forgotten first."""
    stale = select(Photo.id).where(*_published(priority), Photo.queued_at < before).order_by(Photo.queued_at)
    return _mark(session, stale.limit(limit), now)


def publish_new(session: Session, priority: Priority, limit: int, now: datetime) -> Sequence[int]:
    """Name photos that no message has named, in the order in which they came."""
    new = (
        select(Photo.id)
        .where(in_state(PhotoState.RECEIVED), Photo.queued_at.is_(None), of_priority(priority))
        .order_by(Photo.priority, Photo.id)
    )
    return _mark(session, new.limit(limit), now)


def _published(priority: Priority) -> tuple[ColumnElement[bool], ...]:
    return in_state(PhotoState.RECEIVED), Photo.queued_at.is_not(None), Photo.priority == int(priority)


def _mark(session: Session, which: Select[int], now: datetime) -> Sequence[int]:
    chosen = which.with_for_update(skip_locked=True).cte("chosen")
    marked = session.scalars(
        update(Photo)
        .where(Photo.id.in_(select(chosen.c.id)))
        .values(queued_at=now)
        .returning(Photo.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(marked)
