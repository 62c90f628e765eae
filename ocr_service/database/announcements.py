"""Files of a batch as they are announced, come in and are refused; written in bulk, a few statements for any number.

Everything here may run twice: saying the same again changes nothing, and what was settled is never settled again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from sqlalchemy import CursorResult, Text, and_, bindparam, null, select, update
from sqlalchemy.orm import Session

from ocr_service.database.incoming import NewPhoto, add_photos, insert_if_new, known_of, merged, take_turns
from ocr_service.database.models import Base
from ocr_service.errors import NotFoundError
from ocr_service.records import Context, Origin, RejectReason
from ocr_service.states import PhotoState, Priority

FileName: TypeAlias = tuple[str, str]
"""What a file is known by in its batch: its path and its SHA-256."""

_JUDGED_ANEW = (RejectReason.WITHDRAWN, RejectReason.TOO_LARGE_FILE)
"""Refused for what may change, a sender's mind or a limit; other reasons lie in the bytes, which stay the same."""


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """What holds for every file of a batch that does not say otherwise."""

    id: int
    label: str
    created_by: str
    created_at: datetime
    key: str | None = None
    context: Context = field(default_factory=Context)
    origin: Origin = field(default_factory=Origin)
    priority: Priority = Priority.BULK


@dataclass(frozen=True, slots=True)
class AnnouncedFile:
    """A file that is to come: its path below the collector's folder, and what is known of it before its bytes."""

    path: str
    sha256: str
    size_bytes: int
    context: Context = field(default_factory=Context)
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True, slots=True)
class ArrivedFile:
    """A file whose bytes are safely in the store; ``origin`` is what its own EXIF says."""

    sha256: str
    size_bytes: int
    origin: Origin = field(default_factory=Origin)


def open_batch(
    session: Session,
    label: str,
    created_by: str,
    now: datetime,
    *,
    key: str | None = None,
    context: Context = Context(),  # noqa: B008 - frozen value
    origin: Origin = Origin(),  # noqa: B008 - frozen value
    priority: Priority = Priority.BULK,
) -> tuple[BatchFacts, bool]:
    """A new batch, or the one that the same person opened with this key before; whether it is new."""
    row = {
        "label": label,
        "created_by": created_by,
        "created_at": now,
        "key": key,
        "context": known_of(context) or None,
        "origin": known_of(origin) or None,
        "priority": int(priority),
    }
    made = session.scalar(insert_if_new(session, "batches").returning(_batches.c.id), row)
    if made is not None:
        return get_batch(session, made), True
    return _facts(session.execute(_BATCH_BY_KEY, {"created_by": created_by, "key": key}).one()), False


def get_batch(session: Session, batch_id: int) -> BatchFacts:
    """What is known of a batch. Raises ``NotFoundError``."""
    row = session.execute(_BATCH_BY_ID, {"batch_id": batch_id}).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no batch {batch_id}")
    return _facts(row)


def list_batches(session: Session, *, created_by: str | None, before_id: int | None, limit: int) -> list[BatchFacts]:
    """Batches, newest first; of one person's only where ``created_by`` names one."""
    query = _BATCH.order_by(_batches.c.id.desc()).limit(limit)
    if created_by is not None:
        query = query.where(_batches.c.created_by == created_by)
    if before_id is not None:
        query = query.where(_batches.c.id < before_id)
    return [_facts(row) for row in session.execute(query)]


def announce(
    session: Session,
    batch_id: int,
    files: Sequence[AnnouncedFile],
    now: datetime,
    by: str,
    *,
    still_refused: Collection[str] = (),
) -> set[FileName]:
    """Note files that are to come; those whose bytes are known already become duplicates at once.

    What is said of a file again goes before what was said, until its bytes have come; what is not said stays. Files
    that were withdrawn or too large are awaited again, but those with the hashes ``still_refused``. Returns the files
    of which something else holds than what is said now: it came too late.
    """
    if not files:
        return set()
    take_turns(session)
    sha256s = {file.sha256 for file in files}
    noted = {
        (row.path, row.sha256): row for row in session.execute(_NOTED, {"in_batch": batch_id, "sha256s": list(sha256s)})
    }
    new, stated, too_late = [], [], set()
    for file in files:
        row = noted.get((file.path, file.sha256))
        if row is None:
            new.append(_new_arrival(file) | {"batch_id": batch_id, "at": now, "by": by})
            continue
        context, origin = Context(**(row.context or {})), Origin(**(row.origin or {}))
        said = merged(context, file.context), merged(origin, file.origin)
        is_anew = row.reason in _JUDGED_ANEW and file.sha256 not in still_refused
        if row.photo_id is not None or not (row.reason is None or is_anew):
            if said != (context, origin):
                too_late.add((file.path, file.sha256))
        elif is_anew or (*said, file.size_bytes) != (context, origin, row.size_bytes):
            about = {"now_context": known_of(said[0]) or None, "now_origin": known_of(said[1]) or None}
            stated.append(about | {"row_id": row.id, "now_size_bytes": file.size_bytes})
    if new:
        session.execute(insert_if_new(session, "arrivals"), new)
    if stated:
        session.execute(_STATE_ANEW, stated)
    _attach_known(session, batch_id, sha256s)
    return too_late


def withdraw(session: Session, batch_id: int, files: Iterable[FileName], detail: str) -> None:
    """Say of announced files that they will not come; those that came, or were refused, stay as they are."""
    rows = [{"in_batch": batch_id, "of_path": path, "of_sha256": sha256, "explained": detail} for path, sha256 in files]
    if rows:
        take_turns(session)
        session.execute(_WITHDRAW, rows)


def settle(session: Session, batch: BatchFacts, files: Sequence[ArrivedFile], now: datetime, by: str) -> None:
    """Make photos of announced files whose bytes are in the store: the first file of each new photo stands for it."""
    arrived = {file.sha256: file for file in files}
    take_turns(session)
    waiting = session.execute(_WAITING, {"in_batch": batch.id, "sha256s": list(arrived)}).all()
    first: dict[str, Any] = {}
    for row in waiting:  # photos follow each other as their files were announced: shots of one grave stay neighbours
        first.setdefault(row.sha256, row)
    made = add_photos(
        session,
        [
            NewPhoto(
                sha256,
                arrived[sha256].size_bytes,
                row.filename,
                merged(batch.context, Context(**(row.context or {}))),
                _origin(arrived[sha256].origin, merged(batch.origin, Origin(**(row.origin or {})))),
            )
            for sha256, row in first.items()
        ],
        batch_id=batch.id,
        priority=batch.priority,
        now=now,
        by=by,
    )
    _attach_known(session, batch.id, first)
    if made:
        session.execute(_MAKE_ORIGINAL, {"ids": [first[sha256].id for sha256 in made]})


def refuse(session: Session, batch_id: int, sha256: str, reason: RejectReason, detail: str) -> int:
    """Say of announced files with these bytes why they do not become a photo; how many were awaited."""
    why = {"because": reason, "explained": detail}
    result = session.execute(_REFUSE, {"in_batch": batch_id, "sha256s": [sha256], **why})
    assert isinstance(result, CursorResult)  # noqa: S101 - what an UPDATE gives
    return result.rowcount


def retry(session: Session, batch_id: int, reason: RejectReason | None, now: datetime) -> int:
    """Put the rejected and failed photos of a batch back into the queue, for one reason or all; how many."""
    set_aside = [_photos.c.batch_id == batch_id, _photos.c.state.in_((PhotoState.REJECTED, PhotoState.FAILED))]
    if reason is not None:
        set_aside.append(_photos.c.reason == reason)
    again = {
        "state": PhotoState.RECEIVED,
        "reason": None,
        "detail": None,
        "attempts": 0,
        "queued_at": None,
        "changed_at": now,
    }
    result = session.execute(update(_photos).where(*set_aside).values(**again, lease_token=_photos.c.lease_token + 1))
    assert isinstance(result, CursorResult)  # noqa: S101 - what an UPDATE gives
    return result.rowcount


_batches, _arrivals, _photos = (Base.metadata.tables[name] for name in ("batches", "arrivals", "photos"))

# made once: to put a statement together takes longer than to run it
_BATCH = select(
    _batches.c.id,
    _batches.c.label,
    _batches.c.created_by,
    _batches.c.created_at,
    _batches.c.key,
    _batches.c.context,
    _batches.c.origin,
    _batches.c.priority,
)
_BATCH_BY_ID = _BATCH.where(_batches.c.id == bindparam("batch_id"))
_BATCH_BY_KEY = _BATCH.where(_batches.c.created_by == bindparam("created_by"), _batches.c.key == bindparam("key"))

_UNSETTLED = and_(
    _arrivals.c.batch_id == bindparam("in_batch"),
    _arrivals.c.sha256.in_(bindparam("sha256s", expanding=True)),
    _arrivals.c.photo_id.is_(None),
    _arrivals.c.reason.is_(None),
)
_WAITING = (
    select(_arrivals.c.id, _arrivals.c.sha256, _arrivals.c.filename, _arrivals.c.context, _arrivals.c.origin)
    .where(_UNSETTLED)
    .order_by(_arrivals.c.id)
)
_NOTED = select(
    _arrivals.c.id,
    _arrivals.c.path,
    _arrivals.c.sha256,
    _arrivals.c.size_bytes,
    _arrivals.c.context,
    _arrivals.c.origin,
    _arrivals.c.photo_id,
    _arrivals.c.reason,
).where(_arrivals.c.batch_id == bindparam("in_batch"), _arrivals.c.sha256.in_(bindparam("sha256s", expanding=True)))
_STATE_ANEW = (
    update(_arrivals)
    .where(_arrivals.c.id == bindparam("row_id"))
    .values(
        context=bindparam("now_context", type_=_arrivals.c.context.type),
        origin=bindparam("now_origin", type_=_arrivals.c.origin.type),
        size_bytes=bindparam("now_size_bytes", type_=_arrivals.c.size_bytes.type),
        reason=null(),
        detail=null(),
    )
)
_WITHDRAW = (
    update(_arrivals)
    .where(
        _arrivals.c.batch_id == bindparam("in_batch"),
        _arrivals.c.path == bindparam("of_path"),
        _arrivals.c.sha256 == bindparam("of_sha256"),
        _arrivals.c.photo_id.is_(None),
        _arrivals.c.reason.is_(None),
    )
    .values(reason=RejectReason.WITHDRAWN, detail=bindparam("explained", type_=Text))
)
_SAME_BYTES = select(_photos.c.id).where(_photos.c.sha256 == _arrivals.c.sha256)
# files whose bytes are known become further copies of their photo
_ATTACH_KNOWN = (
    update(_arrivals)
    .where(_UNSETTLED, _SAME_BYTES.exists())
    .values(photo_id=_SAME_BYTES.scalar_subquery(), duplicate=True)
)
_MAKE_ORIGINAL = update(_arrivals).where(_arrivals.c.id.in_(bindparam("ids", expanding=True))).values(duplicate=False)
_REFUSE = (
    update(_arrivals)
    .where(_UNSETTLED)
    .values(reason=bindparam("because", type_=_arrivals.c.reason.type), detail=bindparam("explained", type_=Text))
)


def _new_arrival(file: AnnouncedFile) -> dict[str, Any]:
    return {
        "filename": PurePosixPath(file.path).name,
        "path": file.path,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        "context": known_of(file.context) or None,
        "origin": known_of(file.origin) or None,
        "duplicate": False,
    }


def _origin(exif: Origin, said: Origin) -> Origin:
    """What was said goes before EXIF, but a day that was said keeps the hour that EXIF has for it."""
    is_that_day = said.taken_at is not None and (exif.taken_at or "").startswith(f"{said.taken_at}T")
    return merged(exif, said, Origin(taken_at=exif.taken_at if is_that_day else None))


def _facts(row: Any) -> BatchFacts:
    return BatchFacts(
        row.id,
        row.label,
        row.created_by,
        row.created_at,
        row.key,
        Context(**(row.context or {})),
        Origin(**(row.origin or {})),
        Priority(row.priority),
    )


def _attach_known(session: Session, batch_id: int, sha256s: Iterable[str]) -> None:
    session.execute(_ATTACH_KNOWN, {"in_batch": batch_id, "sha256s": list(sha256s)})
