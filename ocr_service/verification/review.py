"""The queue of drafts, one for each grave: looked at by all, leased to one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from ocr_service.database import drafts, graves
from ocr_service.database.types import utc_now
from ocr_service.database.values import RecordView
from ocr_service.errors import ConflictError
from ocr_service.states import RecordState

DEFAULT_LEASE_S = 600.0


def queue(session: Session, *, after_id: int = 0, limit: int = 20) -> list[RecordView]:
    """Drafts in the order in which they came; go on with ``after_id`` of the last one. Leases nothing.

    Of the shots of one grave, the best that nothing was said about yet.
    """
    return drafts.views(session, drafts.waiting(session, after_id=after_id, limit=limit))


def count_waiting(session: Session) -> int:
    """How many drafts wait for a person, those behind better shots of their graves included."""
    return drafts.count_waiting(session)


def next_draft(
    session: Session,
    reviewer: str,
    *,
    after_id: int = 0,
    lease_s: float = DEFAULT_LEASE_S,
    now: datetime | None = None,
) -> RecordView | None:
    """The next draft after ``after_id`` that no other reviewer is looking at, leased to this one; None at the end."""
    draft_id = drafts.lease_next(session, reviewer, after_id=after_id, lease_s=lease_s, now=now or utc_now())
    return None if draft_id is None else drafts.view(session, drafts.get(session, draft_id))


def open_draft(
    session: Session,
    draft_id: int,
    reviewer: str,
    *,
    lease_s: float = DEFAULT_LEASE_S,
    now: datetime | None = None,
) -> RecordView:
    """One draft, leased to the reviewer. Raises ``NotFoundError``; ``ConflictError`` where it cannot be leased."""
    row = drafts.get(session, draft_id)
    if not drafts.lease_one(session, draft_id, reviewer, lease_s=lease_s, now=now or utc_now()):
        held = row.state is RecordState.DRAFT
        raise ConflictError(f"draft {draft_id} is " + ("with another reviewer; take the next" if held else "decided"))
    return drafts.view(session, row)


def open_lead(
    session: Session, view: RecordView, reviewer: str, *, lease_s: float = DEFAULT_LEASE_S, now: datetime | None = None
) -> RecordView:
    """The draft that leads the grave of another, leased to the reviewer; that other one where it cannot be."""
    lead_id = graves.lead(session, view.photo.id)
    if lead_id not in (None, view.id) and drafts.lease_one(
        session, lead_id, reviewer, lease_s=lease_s, now=now or utc_now()
    ):
        return drafts.view(session, drafts.get(session, lead_id))
    return open_draft(session, view.id, reviewer, lease_s=lease_s, now=now)


def get_record(session: Session, record_id: int) -> RecordView:
    """A draft or record as staff see it, whatever its state. Raises ``NotFoundError``."""
    return drafts.view(session, drafts.get(session, record_id))
