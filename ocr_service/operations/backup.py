"""Backups of database and photos, taken while the service runs.

    TARGET/objects/ab/cd/<sha256>               every photo once; a further backup adds the new ones only
    TARGET/20260430T080000Z/database.sqlite3    or database.dump of PostgreSQL
    TARGET/20260430T080000Z/objects.txt         name and size of each object that this database names
    TARGET/20260430T080000Z/manifest.json       counts, revision, end of the audit chain, checksums; written last

The database is copied first, in one snapshot, and then the objects that this snapshot names. An object is durable
before its row is written, is never changed, and is not deleted while a row names it: so each is still there. The other
way round, a photo that came in between would have its row in the backup and not its picture.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import make_url, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ocr_service.database import connect_database
from ocr_service.database.models import Photo
from ocr_service.errors import StorageError, UsageError
from ocr_service.operations import postgresql
from ocr_service.operations.copying import copy_objects
from ocr_service.operations.manifest import FILE_NAME, DatabaseFacts, Manifest, facts_of, sha256_of, write_manifest
from ocr_service.storage import LocalStore, ObjectStore

NAMES = "objects.txt"
DUMP_FILES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup and the folder where its database lies."""

    folder: Path
    manifest: Manifest


def objects_of(target: Path) -> LocalStore:
    """The objects of all backups of a target. Raises ``StorageError``."""
    return LocalStore(target / "objects")


def newest(target: Path) -> Path:
    """The folder of the newest finished backup. Raises ``UsageError`` where there is none."""
    finished = sorted(found.parent for found in target.glob(f"*/{FILE_NAME}"))
    if not finished:
        raise UsageError(f"{target} holds no finished backup; name the folder that headstone backup wrote to")
    return finished[-1]


def back_up(database_url: str, store: ObjectStore, target: Path, *, now: datetime | None = None) -> Backup:
    """Copy the database and the objects that it names. Raises ``StorageError``, ``UsageError``."""
    now = now or datetime.now(UTC)
    folder = target / now.strftime("%Y%m%dT%H%M%SZ")
    backend = make_url(database_url).get_backend_name()
    if backend not in DUMP_FILES:
        raise UsageError(f"{backend} cannot be backed up; use SQLite or PostgreSQL")
    try:
        # 0o700: what is in it is about people
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise StorageError(f"{folder} cannot be made: {error.strerror}; choose another target") from error
    dump, names = folder / DUMP_FILES[backend], folder / NAMES
    copy_database = _copy_sqlite if backend == "sqlite" else _copy_postgresql
    facts = copy_database(database_url, dump, names)
    copied = copy_objects(names, store, objects_of(target))
    manifest = Manifest(
        created_at=now.isoformat(),
        backend=backend,
        facts=facts,
        dump_file=dump.name,
        dump_bytes=dump.stat().st_size,
        dump_sha256=sha256_of(dump),
        names_sha256=sha256_of(names),
        objects=copied.objects,
        objects_bytes=copied.size_bytes,
        missing=copied.missing,
    )
    write_manifest(folder, manifest)
    return Backup(folder, manifest)


def _copy_sqlite(url: str, dump: Path, names: Path) -> DatabaseFacts:
    path = Path(str(make_url(url).database)).resolve()
    try:
        with (
            closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(dump)) as copy,
        ):
            source.backup(copy)  # in one step: the state of one moment, without holding up those who write
    except sqlite3.Error as error:
        raise StorageError(f"{path} cannot be copied: {error}; look at HEADSTONE_DATA_DIR and make room") from error
    with reading_of(f"sqlite:///{dump}") as session:
        return _described(session, names)


def _copy_postgresql(url: str, dump: Path, names: Path) -> DatabaseFacts:
    with reading_of(url) as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        snapshot = session.scalar(text("SELECT pg_export_snapshot()"))
        postgresql.dump(url, dump, str(snapshot))
        return _described(session, names)  # in the transaction whose snapshot was dumped


def _described(session: Session, names: Path) -> DatabaseFacts:
    every = select(Photo.sha256, Photo.size_bytes).order_by(Photo.id).execution_options(yield_per=10_000)
    with names.open("w", encoding="ascii") as file:
        file.writelines(f"{sha256} {size}\n" for sha256, size in session.execute(every))
    return facts_of(session)


@contextmanager
def reading_of(url: str) -> Iterator[Session]:
    """One snapshot of a database, which is let go of afterwards. Raises ``StorageError`` where it cannot be read."""
    database = connect_database(url)
    try:
        with database.reading() as session:
            yield session
    except DBAPIError as error:
        raise StorageError(
            f"the database cannot be read: {str(error.orig).splitlines()[0]}; run headstone doctor"
        ) from error
    finally:
        database.close()
