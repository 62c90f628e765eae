"""Files are announced before they come, so that nothing a collector holds can go missing unseen.

A file of a batch is known by its path below the collector's folder and its SHA-256: announcing or sending it again
adds nothing, and the answer says where it stands now. What is said of it last holds, until its bytes have come.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from ocr_service.database import accounts, announcements
from ocr_service.database.accounts import FileStanding
from ocr_service.database.announcements import AnnouncedFile, ArrivedFile, BatchFacts, FileName
from ocr_service.database.types import utc_now
from ocr_service.errors import ConflictError, NotFoundError, UsageError
from ocr_service.intake.completing import Wanted
from ocr_service.intake.counting import count_file
from ocr_service.intake.taking import Refusal, Taken, refusal_of_size
from ocr_service.records import Context, Origin, RejectReason
from ocr_service.states import FileState, Priority

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
    """Note files that are to come and say of each, in order, where it stands. Raises ``UsageError`` for a bad path.

    What is said of a file that was announced before goes before what was said then, until its bytes have come.
    """
    labelled = [_labelled(file) for file in files]
    refused = {
        file.sha256: refusal
        for file in labelled
        if (refusal := refusal_of_size(file.size_bytes, max_bytes)) is not None
    }
    too_late = announcements.announce(session, batch.id, labelled, now or utc_now(), by, still_refused=refused)
    for sha256, refusal in refused.items():
        if announcements.refuse(session, batch.id, sha256, refusal.reason, refusal.detail):
            count_file(refusal, duplicate=False)
    standing = _standing_of(session, batch.id, labelled)
    return [replace(file, too_late=(file.path, file.sha256) in too_late) for file in standing]


def withdraw(
    session: Session, batch: BatchFacts, files: Sequence[FileName], *, by: str, now: datetime | None = None
) -> list[FileStanding]:
    """Take back files that were announced and did not come; they stay in the accounts, as refused.

    Says of each that the batch has, in order, where it stands: those that came are not taken back.
    """
    names = [(path_label(path), sha256) for path, sha256 in files]
    at = (now or utc_now()).isoformat(timespec="seconds")
    announcements.withdraw(session, batch.id, names, f"{by} withdrew it at {at}.")
    found = accounts.standings(session, batch.id, {sha256 for _, sha256 in names})
    standing = {(file.path, file.sha256 or ""): file for file in found}
    return [standing[name] for name in names if name in standing]


def announced(session: Session, batch_id: int, sha256s: Sequence[str]) -> list[FileStanding]:
    """For each hash the file of a batch that has these bytes, of several the one that was announced first.

    One whose bytes are still awaited goes before those, one that was withdrawn behind them. Raises ``NotFoundError``
    where none was announced.
    """
    found: dict[str, FileStanding] = {}
    for file in sorted(accounts.standings(session, batch_id, sha256s), key=_precedence):
        found.setdefault(file.sha256 or "", file)
    for sha256 in sha256s:
        if sha256 not in found:
            raise NotFoundError(f"batch {batch_id} has no file {sha256[:12]}…; announce it first")
    return [found[sha256] for sha256 in sha256s]


def awaited(session: Session, batch_id: int, sha256s: Sequence[str]) -> list[Wanted]:
    """Those of the files whose bytes have not come. Raises ``NotFoundError`` where one was never announced."""
    files = announced(session, batch_id, sha256s)
    return [
        Wanted(file.sha256, file.size_bytes or 0)
        for file in files
        if file.state is FileState.ANNOUNCED and file.sha256 is not None
    ]


def settle(session: Session, deliveries: Sequence[Delivery], *, now: datetime | None = None) -> list[FileStanding]:
    """Note what came, all in one transaction; for each delivery the first file of its batch that has its bytes."""
    now = now or utc_now()
    together: dict[tuple[int, str], list[Delivery]] = {}
    for delivery in deliveries:
        together.setdefault((delivery.batch_id, delivery.by), []).append(delivery)
    standing: dict[tuple[int, str], FileStanding] = {}
    for (batch_id, by), group in together.items():
        arrived = []
        for delivery in group:
            if isinstance(delivery.outcome, Refusal):
                refusal = delivery.outcome
                announcements.refuse(session, batch_id, delivery.sha256, refusal.reason, refusal.detail)
            else:
                arrived.append(ArrivedFile(delivery.sha256, delivery.outcome.size_bytes, delivery.outcome.origin))
        announcements.settle(session, announcements.get_batch(session, batch_id), arrived, now, by)
        for file in announced(session, batch_id, [delivery.sha256 for delivery in group]):
            standing[batch_id, file.sha256 or ""] = file
        for delivery in group:
            known = standing[batch_id, delivery.sha256].state is FileState.DUPLICATE
            count_file(delivery.outcome, duplicate=known)
    return [standing[delivery.batch_id, delivery.sha256] for delivery in deliveries]


def settle_at_once(
    session: Session,
    batch: BatchFacts,
    files: Sequence[tuple[AnnouncedFile, Taken | Refusal]],
    *,
    by: str,
    now: datetime | None = None,
) -> list[FileStanding]:
    """Note files that are announced by coming; where each stands, in order."""
    now = now or utc_now()
    announcements.announce(session, batch.id, [file for file, _ in files], now, by)
    settle(session, [Delivery(batch.id, file.sha256, outcome, by) for file, outcome in files], now=now)
    return _standing_of(session, batch.id, [file for file, _ in files])


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


def _standing_of(session: Session, batch_id: int, files: Sequence[AnnouncedFile]) -> list[FileStanding]:
    found = accounts.standings(session, batch_id, {file.sha256 for file in files})
    standing = {(file.path, file.sha256): file for file in found}
    return [standing[file.path, file.sha256] for file in files]


def _precedence(file: FileStanding) -> int:
    if file.state is FileState.ANNOUNCED:
        return 0
    return 2 if file.reason is RejectReason.WITHDRAWN else 1


def _labelled(file: AnnouncedFile) -> AnnouncedFile:
    if not _SHA256.fullmatch(file.sha256):
        raise UsageError("a SHA-256 has 64 digits of 0-9 and a-f")
    return AnnouncedFile(path_label(file.path), file.sha256, file.size_bytes, file.context, file.origin)
