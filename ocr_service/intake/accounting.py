"""Where the files of a batch stand: counts that add up, how fast it goes, what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from ocr_service.database import accounts, announcements
from ocr_service.database.accounts import BatchAccount, FileStanding
from ocr_service.database.announcements import BatchFacts
from ocr_service.database.types import utc_now
from ocr_service.records import RejectReason
from ocr_service.states import FileState

RATE_WINDOW = timedelta(minutes=5)
"""Long enough for a slow reader to finish some photos, short enough to show one that stands still."""
_LEAST_WINDOW = timedelta(minutes=1)  # of a batch that was just opened


@dataclass(frozen=True, slots=True)
class BatchStanding:
    """A batch, its account and how many photos of it are read a minute."""

    account: BatchAccount
    read_per_minute: float


def get_batch(session: Session, batch_id: int) -> BatchFacts:
    """What is known of a batch. Raises ``NotFoundError``."""
    return announcements.get_batch(session, batch_id)


def batch_standing(session: Session, batch: BatchFacts, *, now: datetime | None = None) -> BatchStanding:
    """Where a batch stands."""
    now = now or utc_now()
    return _standing(accounts.account(session, batch, now - RATE_WINDOW), now)


def list_batches(
    session: Session,
    *,
    created_by: str | None = None,
    before_id: int | None = None,
    limit: int = 20,
    now: datetime | None = None,
) -> list[BatchStanding]:
    """Batches, newest first, of one person's only where ``created_by`` names one."""
    now = now or utc_now()
    found = accounts.page(
        session, created_by=created_by, before_id=before_id, limit=limit, read_since=now - RATE_WINDOW
    )
    return [_standing(account, now) for account in found]


def list_files(
    session: Session, batch_id: int, *, state: FileState | None = None, after_id: int = 0, limit: int = 50
) -> list[FileStanding]:
    """Files of a batch in the order in which they were announced; go on with ``after_id`` of the last one."""
    return accounts.files(session, batch_id, state=state, after_id=after_id, limit=limit)


def retry_batch(
    session: Session, batch_id: int, reason: RejectReason | None = None, *, now: datetime | None = None
) -> int:
    """Read the rejected and failed photos of a batch again, those with one reason or all; how many there are."""
    return announcements.retry(session, batch_id, reason, now or utc_now())


def _standing(account: BatchAccount, now: datetime) -> BatchStanding:
    window = min(RATE_WINDOW, max(now - account.batch.created_at, _LEAST_WINDOW))
    return BatchStanding(account, round(account.read / (window / timedelta(minutes=1)), 1))
