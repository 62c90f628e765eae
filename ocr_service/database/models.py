"""The tables: one each for cemetery, grave, batch, photo, arrival, reading, shot, record, decision.

A photo is bytes under their SHA-256; an arrival is one file of a batch (a duplicate is a second arrival of the same
photo, a file that was announced or refused an arrival without one); a reading is what one bundle saw; a record is the
draft made of it and what decisions made of that; decisions are append-only and hash-chained.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    MetaData,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    false,
    literal_column,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ocr_service.database.types import BigId, Document, UtcDateTime, enum_column, utc_now
from ocr_service.records import PhotoType, RejectReason
from ocr_service.states import PhotoState, Priority, RecordState, Verdict

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Root of the tables; constraints are named so that migrations can find them on both databases."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime(), Any: Document}  # noqa: RUF012 - SQLAlchemy's own contract


_WAITS = f"state = '{PhotoState.RECEIVED}'"


def _where(name: str, condition: str, *columns: str) -> Index:
    """An index over the rows for which a condition holds; queries must name it with literals, not parameters."""
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


class Cemetery(Base):
    """A place of graves; found again by its toneless name within province and commune."""

    __tablename__ = "cemeteries"
    __table_args__ = (UniqueConstraint("name_key", "province_key", "commune_key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    province: Mapped[str | None] = mapped_column(Text)
    commune: Mapped[str | None] = mapped_column(Text)
    # empty, never NULL: NULLs are all different in a unique constraint
    name_key: Mapped[str] = mapped_column(Text)
    province_key: Mapped[str] = mapped_column(Text, default="")
    commune_key: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Grave(Base):
    """One grave, known by its plot within a cemetery."""

    __tablename__ = "graves"
    __table_args__ = (UniqueConstraint("cemetery_id", "plot_key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    cemetery_id: Mapped[int] = mapped_column(BigId, ForeignKey("cemeteries.id"))
    plot: Mapped[str] = mapped_column(Text)
    plot_key: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Batch(Base):
    """Photos that were handed in together."""

    __tablename__ = "batches"
    __table_args__ = (UniqueConstraint("created_by", "key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    label: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    # chosen by whoever opened it, so that opening it again finds it
    key: Mapped[str | None] = mapped_column(String(64))
    # what holds for every file that does not say otherwise: see records.Context and records.Origin
    context: Mapped[Any | None] = mapped_column()
    origin: Mapped[Any | None] = mapped_column()
    priority: Mapped[int] = mapped_column(SmallInteger, default=Priority.BULK, server_default=str(int(Priority.BULK)))


class Photo(Base):
    """One picture's bytes, where they came from and where they stand."""

    __tablename__ = "photos"
    # The hot path looks at the few rows that wait or are held, never at the millions that are done: partial indexes.
    __table_args__ = (
        Index(None, "state", "id"),
        # the state again as a column, or SQLite takes the index above and sorts all that wait
        _where("ix_photos_waiting", _WAITS, "state", "priority", "id"),
        _where("ix_photos_unpublished", f"{_WAITS} AND queued_at IS NULL", "state", "priority", "id"),
        _where("ix_photos_published", f"{_WAITS} AND queued_at IS NOT NULL", "state", "priority", "queued_at"),
        _where("ix_photos_rephotograph", "needs_rephotograph", "id"),
        _where("ix_photos_shots_due", "shots_due", "batch_id", "id"),
        Index(None, "batch_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    size_bytes: Mapped[int] = mapped_column(BigId)
    filename: Mapped[str] = mapped_column(Text)
    batch_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("batches.id"))
    cemetery_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("cemeteries.id"), index=True)
    grave_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("graves.id"), index=True)
    context: Mapped[Any] = mapped_column()
    origin: Mapped[Any | None] = mapped_column()
    received_at: Mapped[datetime] = mapped_column(default=utc_now)
    received_by: Mapped[str] = mapped_column(Text)
    priority: Mapped[int] = mapped_column(SmallInteger, default=Priority.BULK, server_default=str(int(Priority.BULK)))
    # when a message last said that it waits; a hint, the state is the truth
    queued_at: Mapped[datetime | None] = mapped_column()

    state: Mapped[PhotoState] = mapped_column(enum_column(PhotoState), default=PhotoState.RECEIVED)
    reason: Mapped[RejectReason | None] = mapped_column(enum_column(RejectReason))
    detail: Mapped[str | None] = mapped_column(Text)
    photo_type: Mapped[PhotoType | None] = mapped_column(enum_column(PhotoType))
    width_px: Mapped[int | None] = mapped_column()
    height_px: Mapped[int | None] = mapped_column()
    # what the last reading said: the photo, not the stone, kept text from being read
    needs_rephotograph: Mapped[bool] = mapped_column(default=False, server_default=false())
    # it was read and is still to be compared with its neighbours in the batch: see Shot
    shots_due: Mapped[bool] = mapped_column(default=False, server_default=false())

    attempts: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[datetime | None] = mapped_column()
    lease_token: Mapped[int] = mapped_column(BigId, default=0)
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)


def in_state(state: PhotoState) -> ColumnElement[bool]:
    """Whether a photo is in a state, which is spelled out: SQLite and prepared statements need that for an index."""
    return Photo.state == literal_column(f"'{state}'")


def of_priority(priority: Priority) -> ColumnElement[bool]:
    """Whether a photo is of a priority, as a range: queries in the order of priority and id then keep to that order.

    Told by equality that priorities do not differ, PostgreSQL would look through all photos in the order of ids for the
    first one that waits, as if those that wait stood everywhere and not at the end.
    """
    return Photo.priority.between(int(priority), int(priority))


class Arrival(Base):
    """One file of a batch: announced, then a new photo, a further copy of one, or refused with a reason.

    Announced and not here yet is a row without photo and without reason. A file that was announced is known by its path
    in the collector's folder and its SHA-256; one that just came has neither.
    """

    __tablename__ = "arrivals"
    __table_args__ = (
        UniqueConstraint("batch_id", "path", "sha256"),
        Index(None, "batch_id", "sha256"),
        Index(None, "batch_id", "id"),
        # not those without: a search for files of a batch that are still to come would go through all of them
        _where("ix_arrivals_photo_id", "photo_id IS NOT NULL", "photo_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    photo_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("photos.id"))
    batch_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("batches.id"))
    filename: Mapped[str] = mapped_column(Text)
    duplicate: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[RejectReason | None] = mapped_column(enum_column(RejectReason))
    detail: Mapped[str | None] = mapped_column(Text)
    path: Mapped[str | None] = mapped_column(Text)
    sha256: Mapped[str | None] = mapped_column(String(64))
    size_bytes: Mapped[int | None] = mapped_column(BigId)
    context: Mapped[Any | None] = mapped_column()
    origin: Mapped[Any | None] = mapped_column()
    at: Mapped[datetime] = mapped_column(default=utc_now)
    by: Mapped[str] = mapped_column(Text)


class ReadingRow(Base):
    """What one bundle saw in one photo. Never changed; a photo may have many."""

    __tablename__ = "readings"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    photo_id: Mapped[int] = mapped_column(BigId, ForeignKey("photos.id"), index=True)
    bundle: Mapped[str] = mapped_column(Text)
    document: Mapped[Any] = mapped_column()
    at: Mapped[datetime] = mapped_column(default=utc_now)


class Shot(Base):
    """A photo that shows the same grave as a better one, told by what was read in both. Computed; people may differ.

    One that a person set apart is a shot of itself.
    """

    __tablename__ = "shots"

    photo_id: Mapped[int] = mapped_column(BigId, ForeignKey("photos.id"), primary_key=True, autoincrement=False)
    best_photo_id: Mapped[int] = mapped_column(BigId, ForeignKey("photos.id"), index=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)


class RecordRow(Base):
    """The draft of a photo and, once decided, what holds now. Everything in it follows from reading and decisions."""

    __tablename__ = "records"
    __table_args__ = (Index(None, "state", "id"), Index(None, "verified", "id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    photo_id: Mapped[int] = mapped_column(BigId, ForeignKey("photos.id"), unique=True)
    reading_id: Mapped[int] = mapped_column(BigId, ForeignKey("readings.id"))
    grave_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("graves.id"), index=True)
    cemetery_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("cemeteries.id"), index=True)
    state: Mapped[RecordState] = mapped_column(enum_column(RecordState), default=RecordState.DRAFT)
    # follows from state; one value to look for, so that the public's lists are read in the order of an index
    verified: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    fields: Mapped[Any] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    decided_at: Mapped[datetime | None] = mapped_column()
    decided_by: Mapped[str | None] = mapped_column(Text)

    lease_owner: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[datetime | None] = mapped_column()

    # derived, for searching; see search_keys
    name_key: Mapped[str] = mapped_column(Text, default="")
    hometown_key: Mapped[str] = mapped_column(Text, default="")
    search_key: Mapped[str] = mapped_column(Text, default="")
    birth_year_min: Mapped[int | None] = mapped_column()
    birth_year_max: Mapped[int | None] = mapped_column()
    death_year_min: Mapped[int | None] = mapped_column()
    death_year_max: Mapped[int | None] = mapped_column()


class Decision(Base):
    """One changed fact of a record: who, when, what before, what after, why. The database refuses UPDATE and DELETE.

    The rows of one decision share ``action``: one for the state and one for each field that changed. One that ends the
    other shots of a grave has rows on several records.
    """

    __tablename__ = "decisions"
    __table_args__ = (Index(None, "record_id", "id"), Index(None, "reviewer", "id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    record_id: Mapped[int] = mapped_column(BigId, ForeignKey("records.id"))
    action: Mapped[str] = mapped_column(String(32), index=True)
    undoes: Mapped[str | None] = mapped_column(String(32))
    version: Mapped[int] = mapped_column()
    at: Mapped[datetime] = mapped_column()
    reviewer: Mapped[str] = mapped_column(Text)
    verdict: Mapped[Verdict] = mapped_column(enum_column(Verdict))
    field: Mapped[str] = mapped_column(Text)
    before: Mapped[Any | None] = mapped_column()
    after: Mapped[Any | None] = mapped_column()
    reason: Mapped[str | None] = mapped_column(Text)
    evidence: Mapped[Any] = mapped_column()
    prev_hash: Mapped[str] = mapped_column(String(64), unique=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)


class AuditHead(Base):
    """The end of the decision chain, one row: appending locks it, and a chain cut short no longer fits it."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    length: Mapped[int] = mapped_column(BigId)
    hash: Mapped[str] = mapped_column(String(64))
