"""How much waits, for gauges and alerts: counted in indexes alone, without a look at any row.

States and priorities stand in the statements as literals: SQLite uses a partial index only then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.orm import Session

from ocr_service.database.models import Photo, in_state, of_priority
from ocr_service.states import PhotoState, Priority


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is not done, in photos; ``oldest_waiting_at`` only for priorities of which any waits."""

    waiting: dict[Priority, int]
    oldest_waiting_at: dict[Priority, datetime]
    reading: int
    in_verification: int
    failed: int


def backlog(session: Session) -> Backlog:
    """Count what waits for a reader by priority, what readers hold, what waits for people, and what was set aside."""
    oldest = {priority: _oldest_waiting_at(session, priority) for priority in Priority}
    return Backlog(
        # one count for each priority: grouped by it, SQLite takes another index and reads every row
        waiting={priority: _count(session, *_waits(priority)) for priority in Priority},
        oldest_waiting_at={priority: at for priority, at in oldest.items() if at is not None},
        reading=_count(session, in_state(PhotoState.READING)),
        in_verification=_count(session, in_state(PhotoState.IN_VERIFICATION)),
        failed=_count(session, in_state(PhotoState.FAILED)),
    )


def _oldest_waiting_at(session: Session, priority: Priority) -> datetime | None:
    # ids follow arrival, and the index is in the order of ids; received_at has none
    waiting = select(Photo.received_at).where(in_state(PhotoState.RECEIVED), of_priority(priority))
    return session.scalar(waiting.order_by(Photo.priority, Photo.id).limit(1))


def _waits(priority: Priority) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return in_state(PhotoState.RECEIVED), Photo.priority == literal_column(str(int(priority)))


def _count(session: Session, *which: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Photo).where(*which)) or 0
