"""Files are announced before they come, so that nothing a collector holds can go missing unseen.

A file of a batch is known by its path below the collector's folder and its SHA-256: announcing or sending it again
changes nothing, and the answer says where it stands now.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from ocr_service.database import accounts, announcements
from ocr_service.database.accounts import FileStanding
from ocr_service.database.announcements import AnnouncedFile, ArrivedFile, BatchFacts
from ocr_service.database.types import utc_now
from ocr_service.errors import ConflictError, NotFoundError, UsageError
from ocr_service.intake.taking import Refusal, Taken, refusal_of_size
from ocr_service.records import Context, Origin
from ocr_service.states import Priority

MAX_FILES_ANNOUNCED = 1000
MAX_PATH_CHARS = 1000

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Delivery:
    """Bytes that came for the announced files of a batch, in the store or refused. ``by`` is who sent them."""

    batch_id: int
    sha256: str
    outcome: Taken | Refusal
    by: str


def open_announced_batch(
    session: Session,
    label: str,
    created_by: str,
    *,
    key: str | None = None,
    context: Context = Context(),  # noqa: B008 - frozen value
    origin: Origin = Origin(),  # noqa: B008 - frozen value
    priority: Priority = Priority.BULK,
    now: datetime | None = None,
) -> tuple[BatchFacts, bool]:
    """A batch for files that will be announced, and whether it is new; the same ``key`` finds the same batch again.

    Raises ``ConflictError`` where that batch was opened for another place or by another collector: its photos would be
    filed wrongly.
    """
    batch, new = announcements.open_batch(
        session, label, created_by, now or utc_now(), key=key, context=context, origin=origin, priority=priority
    )
    if (batch.context, batch.origin) != (context, origin):
        raise ConflictError(
            f"batch {batch.id} was opened with this key for another place, collector or device; open one with a new key"
        )
    return batch, new


def announce(
    session: Session,
    batch: BatchFacts,
    files: Sequence[AnnouncedFile],
    *,
    by: str,
    max_bytes: int,
    now: datetime | None = None,
) -> list[FileStanding]:
    """Note files that are to come and say of each, in order, where it stands. Raises ``UsageError`` for a bad path."""
    labelled = [_labelled(file) for file in files]
    announcements.announce(session, batch.id, labelled, now or utc_now(), by)
    for file in labelled:
        refusal = refusal_of_size(file.size_bytes, max_bytes)
        if refusal is not None:
            announcements.refuse(session, batch.id, file.sha256, refusal.reason, refusal.detail)
    found = accounts.standings(session, batch.id, {file.sha256 for file in labelled})
    standing = {(file.path, file.sha256): file for file in found}
    return [standing[file.path, file.sha256] for file in labelled]


def announced(session: Session, batch_id: int, sha256: str) -> list[FileStanding]:
    """The files of a batch that have these bytes. Raises ``NotFoundError`` where none was announced."""
    found = accounts.standings(session, batch_id, [sha256])
    if not found:
        raise NotFoundError(f"batch {batch_id} has no file {sha256[:12]}…; announce it first")
    return found


def settle(
    session: Session, deliveries: Sequence[Delivery], *, now: datetime | None = None
) -> list[list[FileStanding]]:
    """Note what came, all in one transaction; for each delivery the files of its batch that have its bytes."""
    now = now or utc_now()
    together: dict[tuple[int, str], list[Delivery]] = {}
    for delivery in deliveries:
        together.setdefault((delivery.batch_id, delivery.by), []).append(delivery)
    standing: dict[tuple[int, str], list[FileStanding]] = {}
    for (batch_id, by), group in together.items():
        batch = announcements.get_batch(session, batch_id)
        arrived = []
        for delivery in group:
            if isinstance(delivery.outcome, Refusal):
                refusal = delivery.outcome
                announcements.refuse(session, batch_id, delivery.sha256, refusal.reason, refusal.detail)
            else:
                arrived.append(ArrivedFile(delivery.sha256, delivery.outcome.size_bytes, delivery.outcome.origin))
        announcements.settle(session, batch, arrived, now, by)
        for file in accounts.standings(session, batch_id, {delivery.sha256 for delivery in group}):
            standing.setdefault((batch_id, file.sha256 or ""), []).append(file)
    return [standing.get((delivery.batch_id, delivery.sha256), []) for delivery in deliveries]


def path_label(path: str) -> str:
    """A path as it is kept and shown: NFC, parts joined by slashes, downwards from the collector's folder.

    It is a label, never a place on a disk of ours. Raises ``UsageError`` for one that is empty, too long or climbs.
    """
    # names of other systems may be no Unicode at all; NUL and line ends would break lists and receipts
    text = unicodedata.normalize("NFC", path.encode("utf-8", "replace").decode())
    text = "".join(c if c.isprintable() else "_" for c in text)
    parts = [part for part in text.replace("\\", "/").split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UsageError("a path must not climb out of its folder; leave the parts with two dots out")
    label = "/".join(parts)
    if not label:
        raise UsageError("a file needs a path; give its name at least")
    if len(label) > MAX_PATH_CHARS:
        raise UsageError(f"a path has at most {MAX_PATH_CHARS} characters; shorten the names of its folders")
    return label


def _labelled(file: AnnouncedFile) -> AnnouncedFile:
    if not _SHA256.fullmatch(file.sha256):
        raise UsageError("a SHA-256 has 64 digits of 0-9 and a-f")
    return AnnouncedFile(path_label(file.path), file.sha256, file.size_bytes, file.context, file.origin)
