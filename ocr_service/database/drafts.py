"""Queries on drafts and records: add, lease, change, find."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, Table, and_, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from ocr_service.contract import reading_from_json, reading_to_json
from ocr_service.database import graves, keyset, photos
from ocr_service.database.documents import fields_from_document, fields_to_document, storable
from ocr_service.database.models import Cemetery, Photo, ReadingRow, RecordRow
from ocr_service.database.search_keys import query_patterns, search_key, searched_texts, texts_of, toneless, year_span
from ocr_service.database.values import HeldPhoto, RecordFacts, RecordField, RecordView, as_parser_field
from ocr_service.errors import NotFoundError
from ocr_service.records import Context, Field, Reading, ReadingStatus
from ocr_service.states import VERIFIED_STATES, RecordState

_Query = TypeVar("_Query", bound=Select[*tuple[Any, ...]])

READINGS: Table = ReadingRow.__table__  # type: ignore[assignment]
RECORDS: Table = RecordRow.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class PreparedReading:
    """A reading as the columns keep it, made before a transaction begins; no draft where the photo was rejected."""

    reading: Mapping[str, Any]
    draft: Mapping[str, Any] | None
    searched: Sequence[str]


def prepare(reading: Reading) -> PreparedReading:
    """What is to be stored of a reading, and of the draft that is made of it."""
    document = reading_to_json(reading)
    kept = {"bundle": reading.bundle, "document": storable(document)}
    if reading.status is not ReadingStatus.READ:
        return PreparedReading(kept, None, ())
    fields = {name: {**field, "on_record": None, "decided_by": None} for name, field in document["record"].items()}
    return PreparedReading(
        kept, {"fields": storable(fields), **_derived(reading.record)}, searched_texts(reading.record)
    )


def add_many(session: Session, read: Sequence[tuple[HeldPhoto, PreparedReading]], now: datetime) -> None:
    """Keep what was seen in photos, and make their drafts, which wait for verification."""
    if not read:
        return
    rows = [{"photo_id": photo.id, **ready.reading, "at": now} for photo, ready in read]
    added = session.execute(insert(READINGS).returning(READINGS.c.photo_id, READINGS.c.id), rows)
    reading_ids = {row.photo_id: row.id for row in added}
    cemeteries = _cemetery_names(session, {photo.cemetery_id for photo, _ in read})
    drafts = [
        {
            "photo_id": photo.id,
            "reading_id": reading_ids[photo.id],
            "grave_id": photo.grave_id,
            "cemetery_id": photo.cemetery_id,
            "created_at": now,
            "search_key": search_key(*ready.searched, *cemeteries.get(photo.cemetery_id, ())),
            **ready.draft,
        }
        for photo, ready in read
        if ready.draft is not None
    ]
    if drafts:
        session.execute(insert(RECORDS), drafts)


def set_fields(session: Session, row: RecordRow, fields: Mapping[str, RecordField]) -> None:
    """Put fields into a record, and what searches need of them into its columns."""
    read = {name: as_parser_field(field) for name, field in fields.items()}
    row.fields = fields_to_document(fields)
    row.search_key = search_key(
        *searched_texts(read), *_cemetery_names(session, {row.cemetery_id}).get(row.cemetery_id, ())
    )
    for name, value in _derived(read).items():
        setattr(row, name, value)


def _cemetery_names(session: Session, ids: Collection[int | None]) -> dict[int | None, tuple[str]]:
    known = [cemetery_id for cemetery_id in ids if cemetery_id is not None]
    if not known:
        return {}
    return {
        row.id: (row.name,) for row in session.execute(select(Cemetery.id, Cemetery.name).where(Cemetery.id.in_(known)))
    }


def _derived(read: Mapping[str, Field]) -> dict[str, Any]:
    """Columns that follow from the fields alone."""
    birth = year_span(read["birth"].value) if "birth" in read else None
    death = year_span(read["death"].value) if "death" in read else None
    birth_years, death_years = birth or (None, None), death or (None, None)
    return {
        "name_key": search_key(*(text for name in ("name", "aliases") for text in texts_of(read.get(name)))),
        "hometown_key": search_key(*texts_of(read.get("hometown"))),
        "birth_year_min": birth_years[0],
        "birth_year_max": birth_years[1],
        "death_year_min": death_years[0],
        "death_year_max": death_years[1],
    }


def get(session: Session, record_id: int, *, lock: bool = False) -> RecordRow:
    """The row of a draft or record. Raises ``NotFoundError``."""
    row = session.get(RecordRow, record_id, with_for_update=lock or None)
    if row is None:
        raise NotFoundError(f"there is no record {record_id}")
    return row


def id_of_photo(session: Session, photo_id: int) -> int | None:
    """Id of the draft or record of a photo."""
    return session.scalar(select(RecordRow.id).where(RecordRow.photo_id == photo_id))


def latest_reading(session: Session, photo_id: int) -> Reading | None:
    """What was last read in a photo."""
    row = photos.latest_reading(session, photo_id)
    return None if row is None else reading_from_json(row.document)


def fields_of(row: RecordRow) -> dict[str, RecordField]:
    """The fields as they stand."""
    return fields_from_document(row.fields)


def reading_of(session: Session, row: RecordRow) -> Reading:
    """The reading that a record was made from."""
    reading = session.get(ReadingRow, row.reading_id)
    if reading is None:
        raise NotFoundError(f"the reading of record {row.id} is gone; restore the database from a backup")
    return reading_from_json(reading.document)


def view(session: Session, row: RecordRow) -> RecordView:
    """The value of a row, with its photo and reading."""
    return RecordView(
        id=row.id,
        state=row.state,
        version=row.version,
        fields=fields_of(row),
        photo=photos.view(session, photos.get(session, row.photo_id)),
        reading=reading_of(session, row),
        created_at=row.created_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        lease_owner=row.lease_owner,
        lease_until=row.lease_until,
        other_shots=graves.other_shots(session, row.photo_id),
    )


def views(session: Session, rows: Iterable[RecordRow]) -> list[RecordView]:
    """The values of rows."""
    return [view(session, row) for row in rows]


def decided(session: Session) -> Iterator[RecordRow]:
    """Every record that people have said something about and not taken back."""
    query = select(RecordRow).where(RecordRow.state != RecordState.DRAFT).order_by(RecordRow.id)
    yield from session.scalars(query.execution_options(yield_per=500))


def waiting(session: Session, *, after_id: int, limit: int) -> list[RecordRow]:
    """Drafts that lead their graves, in the order in which they came, after ``after_id``."""
    return list(session.scalars(_leading(session, select(RecordRow), after_id).limit(limit)))


def count_waiting(session: Session) -> int:
    """How many drafts wait, those behind others included: an index counts them without a look at their graves."""
    query = select(func.count()).select_from(RecordRow).where(RecordRow.state == RecordState.DRAFT)
    return session.scalar(query) or 0


def lease_next(session: Session, reviewer: str, *, after_id: int, lease_s: float, now: datetime) -> int | None:
    """Id of the next draft that nobody else is looking at, leased in one statement; None where there is none.

    Only drafts that lead their graves. Those behind them are passed by and stand near them: not many, however long the
    queue is.
    """
    free = _leading(session, select(RecordRow.id), after_id).where(_free_for(reviewer, now)).limit(1)
    first = free.with_for_update(skip_locked=True).scalar_subquery()
    return _lease(session, RecordRow.id == first, reviewer, lease_s, now)


def lease_one(session: Session, record_id: int, reviewer: str, *, lease_s: float, now: datetime) -> bool:
    """Lease one draft; False where another reviewer holds it or it is no draft any more."""
    mine = and_(RecordRow.id == record_id, RecordRow.state == RecordState.DRAFT, _free_for(reviewer, now))
    return _lease(session, mine, reviewer, lease_s, now) is not None


def _leading(session: Session, query: _Query, after_id: int) -> _Query:
    drafts = keyset.later(session, query, RecordRow.state, RecordState.DRAFT, RecordRow.id, after_id)
    return drafts.where(graves.LEADS)


def _free_for(reviewer: str, now: datetime) -> ColumnElement[bool]:
    return or_(RecordRow.lease_until.is_(None), RecordRow.lease_until < now, RecordRow.lease_owner == reviewer)


def _lease(session: Session, which: ColumnElement[bool], reviewer: str, lease_s: float, now: datetime) -> int | None:
    return session.scalar(
        update(RecordRow)
        .where(which)
        .values(lease_owner=reviewer, lease_until=now + timedelta(seconds=lease_s))
        .returning(RecordRow.id)
        .execution_options(synchronize_session="fetch")
    )


def search(
    session: Session,
    *,
    q: str | None = None,
    name: str | None = None,
    hometown: str | None = None,
    birth_year: int | None = None,
    death_year: int | None = None,
    cemetery: str | None = None,
    after_id: int = 0,
    limit: int,
) -> list[RecordFacts]:
    """Verified records in the order of their ids, after ``after_id``; every given condition must hold."""
    query = keyset.later(session, _with_place(), RecordRow.verified, True, RecordRow.id, after_id)
    query = query.where(RecordRow.state.in_(VERIFIED_STATES))
    asked = ((RecordRow.search_key, q), (RecordRow.name_key, name), (RecordRow.hometown_key, hometown))
    for column, text in asked:
        query = query.where(*(column.like(pattern, escape="\\") for pattern in query_patterns(text or "")))
    if birth_year is not None:
        query = query.where(RecordRow.birth_year_min <= birth_year, RecordRow.birth_year_max >= birth_year)
    if death_year is not None:
        query = query.where(RecordRow.death_year_min <= death_year, RecordRow.death_year_max >= death_year)
    if cemetery:
        spaced = literal(" ").concat(Cemetery.name_key)
        patterns = query_patterns(toneless(cemetery) or cemetery)
        named = select(Cemetery.id).where(*(spaced.like(pattern, escape="\\") for pattern in patterns))
        query = query.where(RecordRow.cemetery_id.in_(named))
    return [_facts(row, context) for row, context in session.execute(query.limit(limit))]


def facts(session: Session, record_id: int) -> RecordFacts:
    """A draft or record without its reading. Raises ``NotFoundError``."""
    found = session.execute(_with_place().where(RecordRow.id == record_id)).first()
    if found is None:
        raise NotFoundError(f"there is no record {record_id}")
    row, context = found
    return _facts(row, context)


def _with_place() -> Select[Any]:
    return select(RecordRow, Photo.context).join(Photo, Photo.id == RecordRow.photo_id)


def _facts(row: RecordRow, context: Mapping[str, Any]) -> RecordFacts:
    return RecordFacts(
        id=row.id,
        state=row.state,
        version=row.version,
        fields=fields_of(row),
        photo_id=row.photo_id,
        grave_id=row.grave_id,
        place=Context(**context),
        decided_at=row.decided_at,
    )
