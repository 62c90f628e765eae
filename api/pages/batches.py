"""The account of a batch as its page shows it: a bar and a table of states, how fast it goes, what went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from api.i18n import Texts
from api.pages.amounts import show_count, show_minutes, show_size
from ocr_service.database.accounts import BatchAccount, FileStanding
from ocr_service.database.types import utc_now
from ocr_service.intake.accounting import RATE_WINDOW, BatchStanding
from ocr_service.states import FileState

STATES = (
    FileState.VERIFIED,
    FileState.FURTHER_SHOT,
    FileState.CANNOT_READ,
    FileState.NOT_A_HEADSTONE,
    FileState.DUPLICATE,
    FileState.IN_VERIFICATION,
    FileState.NEEDS_REPHOTOGRAPH,
    FileState.READING,
    FileState.QUEUED,
    FileState.RECEIVED,
    FileState.ANNOUNCED,
    FileState.REFUSED,
    FileState.REJECTED,
    FileState.FAILED,
)
"""In the order of the bar and the table: what is done first, what waits, what went wrong last."""

TO_READ = (FileState.READING, FileState.QUEUED, FileState.RECEIVED)
RETRYABLE = (FileState.REJECTED, FileState.FAILED)
_TO_VERIFY = (FileState.IN_VERIFICATION, FileState.NEEDS_REPHOTOGRAPH)
_WENT_WRONG = (FileState.REFUSED, *RETRYABLE)

BAR_UNITS = 1000
_FEW_FILES = 5_000  # counting 40,000 files takes SQLite 0.3 s; nobody sees the odd file of so many move
_LEAST_UNITS = 6  # one file of forty thousand is still seen: 6 of 1000 are 2 pixels of a phone


@dataclass(frozen=True, slots=True)
class ShownState:
    """How many files stand in a state; ``left`` and ``width`` are its place in a bar of ``BAR_UNITS``."""

    state: FileState
    count: str
    share: str
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class ShownReason:
    """Why files were not taken or not read, what to do, and whether reading again may help."""

    state: FileState
    reason: str
    count: str
    can_retry: bool


@dataclass(frozen=True, slots=True)
class ShownBatch:
    """A batch and where it stands. Counts are written as people write them; empty means none.

    ``place`` is what the label does not say; ``poll_s`` how soon its page looks again, 0 for never.
    """

    id: int
    label: str
    created_by: str
    created_at: datetime
    place: str
    collector: str
    device: str
    files: str
    size: str
    states: tuple[ShownState, ...]
    reasons: tuple[ShownReason, ...]
    to_read: str
    to_verify: str
    done: str
    went_wrong: str
    missing: str
    missing_since: datetime | None
    per_minute: str
    time_left: str
    stands_still: bool
    poll_s: int


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file of a batch; ``copy_of`` is the photo that has the same bytes."""

    path: str
    size: str
    state: FileState
    reason: str
    photo_id: int | None
    copy_of: int | None
    changed_at: datetime


def show_batch(standing: BatchStanding, texts: Texts, now: datetime | None = None) -> ShownBatch:
    """A batch in the language of the page."""
    account, counts = standing.account, standing.account.counts
    batch, context = account.batch, account.batch.context
    parts = (context.cemetery, context.cemetery_commune, context.cemetery_province)
    to_read, rate = _sum(counts, TO_READ), standing.read_per_minute
    missing = counts[FileState.ANNOUNCED]
    done = account.files - to_read - missing - _sum(counts, _TO_VERIFY) - _sum(counts, _WENT_WRONG)

    def shown(number: int) -> str:
        return show_count(number, texts) if number else ""

    return ShownBatch(
        id=batch.id,
        label=batch.label,
        created_by=batch.created_by,
        created_at=batch.created_at,
        place=", ".join(dict.fromkeys(part for part in parts if part and part != batch.label)),
        collector=batch.origin.collector or "",
        device=batch.origin.device or "",
        files=show_count(account.files, texts),
        size=show_size(account.size_bytes, texts),
        states=_states(account, texts),
        reasons=tuple(
            ShownReason(total.state, str(total.reason), show_count(total.files, texts), total.state in RETRYABLE)
            for total in account.reasons
        ),
        to_read=shown(to_read),
        to_verify=shown(_sum(counts, _TO_VERIFY)),
        done=shown(done),
        went_wrong=shown(_sum(counts, _WENT_WRONG)),
        missing=shown(missing),
        missing_since=account.oldest_announced_at if missing else None,
        per_minute=_rate(rate, texts),
        time_left=show_minutes(to_read / rate, texts) if to_read and rate else "",
        stands_still=bool(to_read and not rate and (now or utc_now()) - batch.created_at > RATE_WINDOW),
        poll_s=_poll_s(account.files, to_read, missing),
    )


def show_files(files: Iterable[FileStanding], texts: Texts) -> list[ShownFile]:
    """Files of a batch."""
    return [
        ShownFile(
            path=file.path,
            size=show_size(file.size_bytes, texts) if file.size_bytes is not None else "",
            state=file.state,
            reason=str(file.reason) if file.reason is not None and file.state in _WENT_WRONG else "",
            photo_id=None if file.state is FileState.DUPLICATE else file.photo_id,
            copy_of=file.photo_id if file.state is FileState.DUPLICATE else None,
            changed_at=file.changed_at,
        )
        for file in files
    ]


def _states(account: BatchAccount, texts: Texts) -> tuple[ShownState, ...]:
    present = [state for state in STATES if account.counts[state]]
    widths = _widths([account.counts[state] for state in present])
    lefts = accumulate(widths, initial=0.0)
    return tuple(
        ShownState(
            state,
            show_count(account.counts[state], texts),
            _share(account.counts[state], account.files, texts),
            round(left, 2),
            round(width, 2),
        )
        for state, left, width in zip(present, lefts, widths, strict=False)
    )


def _widths(counts: Sequence[int]) -> list[float]:
    """Widths that add up to the bar, none too small to be seen."""
    free = BAR_UNITS - _LEAST_UNITS * len(counts)
    return [_LEAST_UNITS + free * count / sum(counts) for count in counts]


def _share(count: int, total: int, texts: Texts) -> str:
    """Never 0% of something, nor 100% of less than all."""
    percent = 100 * count / total
    if percent < 1:
        return texts("batch.under_a_percent")
    return f"{min(round(percent), 99 if count < total else 100)}%"


def _rate(per_minute: float, texts: Texts) -> str:
    return show_count(round(per_minute), texts) if per_minute >= 1 else "<1" if per_minute else ""


def _poll_s(files: int, to_read: int, missing: int) -> int:
    """How soon to look again: often while photos are read, now and then while files may come, else never."""
    if not to_read and not missing:
        return 0
    return 3 if to_read and files <= _FEW_FILES else 10


def _sum(counts: Mapping[FileState, int], states: Iterable[FileState]) -> int:
    return sum(counts[state] for state in states)
