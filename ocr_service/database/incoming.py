"""Rows of what comes in: photos where their bytes are new, cemeteries and graves that are named for the first time.

Written in bulk, a few statements for any number, without the unit of work: intake must keep up with a disk.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import bindparam, func, insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ocr_service.database.models import Base
from ocr_service.database.search_keys import toneless
from ocr_service.records import Context, Origin, RejectReason
from ocr_service.states import PhotoState, Priority

_Known = TypeVar("_Known", Context, Origin)
_Insert: TypeAlias = sqlite.Insert | postgresql.Insert
_Place: TypeAlias = tuple[int | None, int | None]


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


def add_photos(
    session: Session, photos: Sequence[NewPhoto], *, batch_id: int | None, priority: Priority, now: datetime, by: str
) -> dict[str, int]:
    """Photos for bytes that were not known, in the order given; ids of those that are new, by SHA-256."""
    if not photos:
        return {}
    take_turns(session)
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
        for photo in photos
    ]
    statement = insert_if_new(session, "photos").returning(_photos.c.sha256, _photos.c.id)
    return {row.sha256: row.id for row in session.execute(statement, rows)}


def take_turns(session: Session) -> None:
    """Let transactions of intake follow each other: two that add the same files could wait for each other in a circle.

    SQLite has one writer at a time anyway. To be called before the first row is written.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_TURN)


def add_arrivals(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note files that came without being announced."""
    session.execute(insert(_arrivals), rows)


def known_photos(session: Session, sha256s: Collection[str]) -> dict[str, KnownPhoto]:
    """The photos with these bytes, where they are known."""
    found = session.execute(_KNOWN_PHOTOS, {"sha256s": list(sha256s)})
    return {row.sha256: KnownPhoto(row.id, row.state, row.reason, row.detail) for row in found}


def insert_if_new(session: Session, table: str) -> _Insert:
    """INSERT … ON CONFLICT DO NOTHING, which both databases have and SQLAlchemy names twice."""
    rows = Base.metadata.tables[table]
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(rows).on_conflict_do_nothing()
    return postgresql.insert(rows).on_conflict_do_nothing()


def known_of(value: Context | Origin) -> dict[str, Any]:
    """Only what is known is kept."""
    return {name: part for name in value.__slots__ if (part := getattr(value, name)) is not None}


def merged(*values: _Known) -> _Known:
    """One value of several; later ones win where they know something."""
    known: dict[str, Any] = {}
    for value in values:
        known |= known_of(value)
    return type(values[0])(**known)


_arrivals, _photos, _graves, _cemeteries = (
    Base.metadata.tables[name] for name in ("arrivals", "photos", "graves", "cemeteries")
)

_TURN = select(func.pg_advisory_xact_lock(727370))

# made once: to put a statement together takes longer than to run it
_KNOWN_PHOTOS = select(_photos.c.sha256, _photos.c.id, _photos.c.state, _photos.c.reason, _photos.c.detail).where(
    _photos.c.sha256.in_(bindparam("sha256s", expanding=True))
)

_CEMETERY = select(_cemeteries.c.id).where(
    _cemeteries.c.name_key == bindparam("name_key"),
    _cemeteries.c.province_key == bindparam("province_key"),
    _cemeteries.c.commune_key == bindparam("commune_key"),
)

_GRAVES = select(_graves.c.id, _graves.c.cemetery_id, _graves.c.plot_key).where(
    tuple_(_graves.c.cemetery_id, _graves.c.plot_key).in_(bindparam("plots", expanding=True))
)


def _places(session: Session, contexts: Collection[Context], now: datetime) -> dict[Context, _Place]:
    """Ids of cemetery and grave for each context, made on first mention; None where it names none."""
    grounds = {context: dataclasses.replace(context, plot=None, source=None, field=None) for context in contexts}
    cemeteries = {ground: _cemetery(session, ground, now) for ground in set(grounds.values())}
    plots: dict[tuple[int, str], str] = {}
    keys: dict[Context, tuple[int, str]] = {}
    for context, ground in grounds.items():
        cemetery_id = cemeteries[ground]
        if cemetery_id is not None and context.plot:
            keys[context] = cemetery_id, toneless(context.plot)
            plots.setdefault(keys[context], context.plot)
    graves = _ids_of_graves(session, plots, now)
    return {context: (cemeteries[grounds[context]], graves.get(keys.get(context))) for context in contexts}


def _cemetery(session: Session, ground: Context, now: datetime) -> int | None:
    if not ground.cemetery:
        return None
    keys = {
        "name_key": toneless(ground.cemetery),
        "province_key": toneless(ground.cemetery_province or ""),
        "commune_key": toneless(ground.cemetery_commune or ""),
    }
    known: int | None = session.scalar(_CEMETERY, keys)
    if known is not None:
        return known
    named = {"name": ground.cemetery, "province": ground.cemetery_province, "commune": ground.cemetery_commune}
    session.execute(insert_if_new(session, "cemeteries"), [{**keys, **named, "created_at": now}])
    return int(session.scalars(_CEMETERY, keys).one())


def _ids_of_graves(
    session: Session, plots: Mapping[tuple[int, str], str], now: datetime
) -> dict[tuple[int, str] | None, int]:
    if not plots:
        return {}
    rows = [
        {"cemetery_id": cemetery_id, "plot": plot, "plot_key": key, "created_at": now}
        for (cemetery_id, key), plot in sorted(plots.items())
    ]
    session.execute(insert_if_new(session, "graves"), rows)
    found = session.execute(_GRAVES, {"plots": list(plots)})
    return {(row.cemetery_id, row.plot_key): row.id for row in found}
