"""How many bytes a photo costs in the database: real readings of the sample pack, told over and over as new photos."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from bench.services import PostgreSQL
from ocr_service import intake, verification
from ocr_service.database import Database, open_database
from ocr_service.reading import load_reader, read_photo
from ocr_service.records import Reading
from ocr_service.states import Verdict
from ocr_service.storage import LocalStore

SAMPLES = Path(__file__).parent.parent / "datasets" / "samples"
PHOTOS = 400
"""Twice as many give a PostgreSQL that is 5 % smaller a photo: what is half filled at the end counts less."""


def run(console: Console) -> Mapping[str, float]:
    """Fill a database of each kind with readings and then decisions; returns bytes a photo and a decision."""
    reader = load_reader(None)
    readings = [read_photo(path.read_bytes(), path.name, reader) for path in sorted(SAMPLES.glob("*.jpg"))]
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        figures |= _measure("sqlite", open_database(f"sqlite:///{folder}/growth.sqlite3"), readings, Path(folder))
        if PostgreSQL.missing() is None:
            with PostgreSQL(durable=False) as server:
                database = open_database(server.create_database("growth"))
                figures |= _measure("postgresql", database, readings, Path(folder))
    table = Table("database", "bytes a photo", "bytes a decision", title=f"{PHOTOS} photos, read and then accepted")
    for name in ("sqlite", "postgresql"):
        if f"{name}_bytes_per_photo" in figures:
            cells = (figures[f"{name}_bytes_per_{what}"] for what in ("photo", "decision"))
            table.add_row(name, *(f"{cell:,.0f}" for cell in cells))
    console.print(table)
    return figures


def _measure(name: str, database: Database, readings: Sequence[Reading], folder: Path) -> dict[str, float]:
    store = LocalStore(folder / f"{name}-objects")
    empty = _size_bytes(database)
    drafts = [_add(database, store, number, readings[number % len(readings)]) for number in range(PHOTOS)]
    read = _size_bytes(database)
    decided = [draft_id for draft_id in drafts if draft_id is not None]
    for draft_id in decided:
        with database.writing() as session:
            version = verification.open_draft(session, draft_id, "lan").version
            verification.decide(session, draft_id, Verdict.ACCEPT, reviewer="lan", expected_version=version)
    accepted = _size_bytes(database)
    database.close()
    return {
        f"{name}_bytes_per_photo": round((read - empty) / PHOTOS, 1),
        f"{name}_bytes_per_decision": round((accepted - read) / len(decided), 1),
    }


def _add(database: Database, store: LocalStore, number: int, reading: Reading) -> int | None:
    data = b"\xff\xd8\xff\xe0" + number.to_bytes(4, "big")
    told = dataclasses.replace(reading, photo=f"IMG_{number:05}.jpg", sha256=hashlib.sha256(data).hexdigest())
    with database.writing() as session:
        intake.receive(session, store, data, filename=told.photo, received_by="thu")
        return intake.store_reading(session, told)


def _size_bytes(database: Database) -> int:
    """What tables and indexes take up, without logs and without room that is free again."""
    if database.engine.dialect.name == "sqlite":
        with database.reading() as session:
            pages, free, size = (
                session.scalar(text(f"PRAGMA {what}")) for what in ("page_count", "freelist_count", "page_size")
            )
        return (int(pages) - int(free)) * int(size)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM FULL"))
        return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
