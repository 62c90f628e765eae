"""Which photos the next messages name, so that readers know that they wait."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from ocr_service.database import publishing
from ocr_service.database.types import utc_now
from ocr_service.states import Priority


def photos_to_publish(
    session: Session, *, window: int, stale_s: float, limit: int, now: datetime | None = None
) -> Mapping[Priority, list[int]]:
    """Ids that messages are to name now, by priority, marked as named; at most ``limit`` of each.

    Never more than ``window`` photos of a priority are named and unclaimed at a time, so that two million that come in
    at once do not fill the broker, and those that people wait for have a window of their own. A photo that nobody has
    claimed ``stale_s`` after it was named is named again: its message is lost, or waits longer than it should.

    Commit before the messages go out. A crash between the two makes photos stale, not lost.
    """
    now = now or utc_now()
    stale = now - timedelta(seconds=stale_s)
    named = {}
    for priority in Priority:
        room = min(window - publishing.count_published(session, priority, stale, window), limit)
        again = publishing.publish_stale(session, priority, stale, room, now)
        named[priority] = [*again, *publishing.publish_new(session, priority, room - len(again), now)]
    return named
