"""Files of a batch as they are announced, come in and are refused; written in bulk, a few statements for any number.

Everything here may run twice: a row that exists stays as it is, and what was settled is never settled again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, CursorResult, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ocr_service.database.models import Arrival, Base, Batch, Grave, Photo
from ocr_service.database.photos import place
from ocr_service.database.search_keys import toneless
from ocr_service.errors import NotFoundError
from ocr_service.records import Context, Origin, RejectReason
from ocr_service.states import PhotoState, Priority

_Known = TypeVar("_Known", Context, Origin)
_Insert: TypeAlias = sqlite.Insert | postgresql.Insert
_NO_SYNC = {"synchronize_session": False}


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


@dataclass(frozen=True, slots=True)
class NewPhoto:
    """What a photo is made of, should its bytes be new."""

    sha256: str
    size_bytes: int
    filename: str
    context: Context
    origin: Origin


@dataclass(frozen=True, slots=True)
class KnownPhoto:
    """A photo and where it stands."""

    id: int
    state: PhotoState
    reason: RejectReason | None
    detail: str | None


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
    made = session.scalar(_insert_if_new(session, Batch).values(row).returning(Batch.id))
    if made is not None:
        return get_batch(session, made), True
    found = session.scalars(select(Batch.id).where(Batch.created_by == created_by, Batch.key == key)).one()
    return get_batch(session, found), False


def get_batch(session: Session, batch_id: int) -> BatchFacts:
    """What is known of a batch. Raises ``NotFoundError``."""
    batch = session.get(Batch, batch_id)
    if batch is None:
        raise NotFoundError(f"there is no batch {batch_id}")
    return facts_of(batch)


def facts_of(batch: Batch) -> BatchFacts:
    """The value of a row."""
    return BatchFacts(
        batch.id,
        batch.label,
        batch.created_by,
        batch.created_at,
        batch.key,
        Context(**(batch.context or {})),
        Origin(**(batch.origin or {})),
        Priority(batch.priority),
    )


def announce(session: Session, batch_id: int, files: Iterable[AnnouncedFile], now: datetime, by: str) -> None:
    """Note files that are to come; those whose bytes are known already become duplicates at once."""
    rows = [
        {
            "batch_id": batch_id,
            "filename": PurePosixPath(file.path).name,
            "path": file.path,
            "sha256": file.sha256,
            "size_bytes": file.size_bytes,
            "context": known_of(file.context) or None,
            "origin": known_of(file.origin) or None,
            "duplicate": False,
            "at": now,
            "by": by,
        }
        for file in files
    ]
    if rows:
        session.execute(_insert_if_new(session, Arrival), rows)
        _attach_known(session, batch_id, {str(row["sha256"]) for row in rows})


def settle(session: Session, batch: BatchFacts, files: Sequence[ArrivedFile], now: datetime, by: str) -> None:
    """Make photos of announced files whose bytes are in the store: the first file of each new photo stands for it."""
    arrived = {file.sha256: file for file in files}
    waiting = session.execute(
        select(Arrival.id, Arrival.sha256, Arrival.filename, Arrival.context, Arrival.origin)
        .where(*_unsettled(batch.id, arrived))
        .order_by(Arrival.id)
    ).all()
    first = {row.sha256: row for row in reversed(waiting)}
    made = add_photos(
        session,
        [
            NewPhoto(
                sha256,
                arrived[sha256].size_bytes,
                row.filename,
                merged(batch.context, Context(**(row.context or {}))),
                merged(arrived[sha256].origin, batch.origin, Origin(**(row.origin or {}))),
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
        ids = [first[sha256].id for sha256 in made]
        session.execute(update(Arrival).where(Arrival.id.in_(ids)).values(duplicate=False), execution_options=_NO_SYNC)


def refuse(session: Session, batch_id: int, sha256: str, reason: RejectReason, detail: str) -> None:
    """Say of announced files with these bytes why they do not become a photo."""
    session.execute(
        update(Arrival).where(*_unsettled(batch_id, [sha256])).values(reason=reason, detail=detail),
        execution_options=_NO_SYNC,
    )


def retry(session: Session, batch_id: int, reason: RejectReason | None, now: datetime) -> int:
    """Put the rejected and failed photos of a batch back into the queue, for one reason or all; how many."""
    set_aside = [Photo.batch_id == batch_id, Photo.state.in_((PhotoState.REJECTED, PhotoState.FAILED))]
    if reason is not None:
        set_aside.append(Photo.reason == reason)
    again = {
        "state": PhotoState.RECEIVED,
        "reason": None,
        "detail": None,
        "attempts": 0,
        "queued_at": None,
        "changed_at": now,
    }
    result = session.execute(
        update(Photo).where(*set_aside).values(**again, lease_token=Photo.lease_token + 1), execution_options=_NO_SYNC
    )
    assert isinstance(result, CursorResult)  # noqa: S101 - what an UPDATE gives
    return result.rowcount


def add_photos(
    session: Session, photos: Sequence[NewPhoto], *, batch_id: int | None, priority: Priority, now: datetime, by: str
) -> dict[str, int]:
    """Photos for bytes that were not known; ids of those that are new, by SHA-256."""
    if not photos:
        return {}
    places = _places(session, {photo.context for photo in photos}, now)
    rows = [
        {
            "sha256": photo.sha256,
            "size_bytes": photo.size_bytes,
            "filename": photo.filename,
            "batch_id": batch_id,
            "cemetery_id": places[photo.context][0],
            "grave_id": places[photo.context][1],
            "context": known_of(photo.context),
            "origin": known_of(photo.origin) or None,
            "received_at": now,
            "received_by": by,
            "priority": int(priority),
            "state": PhotoState.RECEIVED,
            "changed_at": now,
        }
        # in one order everywhere: two transactions that add the same photos wait for each other, never in a circle
        for photo in sorted(photos, key=lambda photo: photo.sha256)
    ]
    statement = _insert_if_new(session, Photo).returning(Photo.sha256, Photo.id)
    return {row.sha256: row.id for row in session.execute(statement, rows)}


def add_arrivals(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note files that came without being announced."""
    session.execute(insert(Arrival), rows)


def known_photos(session: Session, sha256s: Collection[str]) -> dict[str, KnownPhoto]:
    """The photos with these bytes, where they are known."""
    query = select(Photo.sha256, Photo.id, Photo.state, Photo.reason, Photo.detail).where(Photo.sha256.in_(sha256s))
    return {row.sha256: KnownPhoto(row.id, row.state, row.reason, row.detail) for row in session.execute(query)}


def known_of(value: Context | Origin) -> dict[str, Any]:
    """Only what is known is kept."""
    return {name: part for name, part in dataclasses.asdict(value).items() if part is not None}


def merged(*values: _Known) -> _Known:
    """One value of several; later ones win where they know something."""
    known: dict[str, Any] = {}
    for value in values:
        known |= known_of(value)
    return type(values[0])(**known)


def _unsettled(batch_id: int, sha256s: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        Arrival.batch_id == batch_id,
        Arrival.sha256.in_(sha256s),
        Arrival.photo_id.is_(None),
        Arrival.reason.is_(None),
    )


def _attach_known(session: Session, batch_id: int, sha256s: Collection[str]) -> None:
    """Make announced files whose bytes are known into further copies of their photo."""
    same = select(Photo.id).where(Photo.sha256 == Arrival.sha256)
    session.execute(
        update(Arrival)
        .where(*_unsettled(batch_id, sha256s), same.exists())
        .values(photo_id=same.scalar_subquery(), duplicate=True),
        execution_options=_NO_SYNC,
    )


def _places(
    session: Session, contexts: Collection[Context], now: datetime
) -> dict[Context, tuple[int | None, int | None]]:
    """Ids of cemetery and grave for each context; those that are named for the first time are made."""
    cemeteries: dict[Context, int | None] = {}
    for context in contexts:
        ground = dataclasses.replace(context, plot=None, source=None, field=None)
        if ground not in cemeteries:
            cemeteries[ground] = place(session, ground, now)[0]
        cemeteries[context] = cemeteries[ground]
    plots = {
        (cemetery_id, toneless(context.plot)): context.plot
        for context in contexts
        if context.plot and (cemetery_id := cemeteries[context]) is not None
    }
    graves = _graves(session, plots, now)
    return {
        context: (cemeteries[context], graves.get((cemeteries[context] or 0, toneless(context.plot or ""))))
        for context in contexts
    }


def _graves(session: Session, plots: Mapping[tuple[int, str], str], now: datetime) -> dict[tuple[int, str], int]:
    if not plots:
        return {}
    rows = [
        {"cemetery_id": cemetery_id, "plot": plot, "plot_key": key, "created_at": now}
        for (cemetery_id, key), plot in sorted(plots.items())
    ]
    session.execute(_insert_if_new(session, Grave), rows)
    found = select(Grave.id, Grave.cemetery_id, Grave.plot_key)
    found = found.where(tuple_(Grave.cemetery_id, Grave.plot_key).in_(list(plots)))
    return {(row.cemetery_id, row.plot_key): row.id for row in session.execute(found)}


def _insert_if_new(session: Session, table: type[Base]) -> _Insert:
    """INSERT … ON CONFLICT DO NOTHING, which both databases have and SQLAlchemy names twice."""
    dialect = session.get_bind().dialect.name
    if dialect == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()
