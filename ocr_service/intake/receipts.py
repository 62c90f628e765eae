"""A receipt that the collector keeps: where every file of a batch stood, as CSV that can be checked.

The last line counts the files by state and gives the SHA-256 of all bytes above it, so that a receipt that was changed
or cut short shows: ``sed '$d' receipt.csv | sha256sum`` gives the same digits.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from ocr_service.database import accounts
from ocr_service.database.accounts import FileStanding
from ocr_service.database.announcements import BatchFacts
from ocr_service.database.types import utc_now
from ocr_service.spreadsheet import csv_line
from ocr_service.states import FileState

COLUMNS = (
    "path", "sha256", "size_bytes", "state", "photo_id", "photo_batch_id", "reason", "detail", "announced_at",
    "changed_at",
)  # fmt: skip

_PAGE = 1000


def receipt(session: Session, batch: BatchFacts, *, now: datetime | None = None) -> Iterator[bytes]:
    """The lines of a receipt (RFC 4180, UTF-8), in the order in which the files were announced."""
    digest = hashlib.sha256()
    counts: Counter[FileState] = Counter()
    header = csv_line(COLUMNS).encode()
    digest.update(header)
    yield header
    for page in _pages(session, batch.id):
        counts.update(file.state for file in page)
        lines = b"".join(csv_line(_cells(file)).encode() for file in page)
        digest.update(lines)
        yield lines
    at = (now or utc_now()).isoformat(timespec="seconds")
    states = " ".join(f"{state}={counts[state]}" for state in FileState if counts[state])
    total = f"# batch={batch.id} at={at} files={counts.total()} {states}".rstrip()
    yield f"{total} sha256={digest.hexdigest()}\r\n".encode()


def _pages(session: Session, batch_id: int) -> Iterator[list[FileStanding]]:
    after_id = 0
    while page := accounts.files(session, batch_id, after_id=after_id, limit=_PAGE):
        yield page
        after_id = page[-1].id


def _cells(file: FileStanding) -> list[str]:
    cells = (
        file.path,
        file.sha256,
        file.size_bytes,
        file.state,
        file.photo_id,
        file.photo_batch_id,
        file.reason,
        file.detail,
        file.announced_at.isoformat(timespec="seconds"),
        file.changed_at.isoformat(timespec="seconds"),
    )
    return ["" if cell is None else str(cell) for cell in cells]
