"""Opening the database, its transactions, and bringing its schema up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from ocr_service.database.types import json_text
from ocr_service.errors import StorageError

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
BUSY_TIMEOUT_MS = 30_000
# A server or a line that is gone shows in half a minute, not when the system gives up on it after a quarter of an hour.
_POSTGRESQL = {
    "application_name": "headstone",
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # ms
}


@dataclass(frozen=True, slots=True)
class Database:
    """One engine; ``writing`` commits at the end of the block, ``reading`` never writes."""

    engine: Engine

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session in one transaction: committed when the block ends, rolled back when it raises."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one snapshot and takes no write lock."""
        options: dict[str, Any] = {"headstone_read_only": True}
        if self.engine.dialect.name == "postgresql":  # whose transactions see each statement's own snapshot otherwise
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        reader = self.engine.execution_options(**options)
        with Session(reader, expire_on_commit=False, autoflush=False) as session:
            yield session

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _prepare_sqlite(engine: Engine, *, foreign_keys: bool) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN comes too late and too weak; ours is in _on_begin.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        # FULL: what was acknowledged survives a power cut, not only a killed process.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        # A deferred transaction that turns into a writing one can fail at once with "database is locked", whatever the
        # timeout; taking the write lock first makes writers queue.
        read_only = connection.get_execution_options().get("headstone_read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _prepare_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        # Made for disks with arms, the default of 4 has the account of a batch of 10,000 files among 400,000 photos go
        # through all of them; 1.1 is what is advised for SSDs.
        connection.execute("SET random_page_cost = 1.1")
        connection.commit()


def _engine(url: str, *, migrating: bool = False) -> Engine:
    parsed = make_url(url)
    # parameters are hidden: what is looked for and stored is about people, and errors end in the log
    options: dict[str, Any] = {"json_serializer": json_text, "hide_parameters": True}
    if migrating:
        options["poolclass"] = NullPool
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, **options)
        # tables are rebuilt while migrating, which foreign keys would refuse; they are checked afterwards
        _prepare_sqlite(engine, foreign_keys=not migrating)
        return engine
    # what the URL says of the same thing wins
    asked = {name: value for name, value in _POSTGRESQL.items() if name not in parsed.query}
    # pre_ping: connections that a restart of the server broke are replaced before anybody uses them
    # READ COMMITTED whatever the server's default: who waits for a lock must see what the other one did
    engine = create_engine(parsed, connect_args=asked, pool_pre_ping=True, isolation_level="READ COMMITTED", **options)
    _prepare_postgresql(engine)
    return engine


def migration_config(connection: Connection) -> Config:
    """Alembic's configuration, without a file: the package's own folder and an open connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade_schema(url: str, revision: str = "head") -> None:
    """Bring a fresh or older database to ``revision`` in one transaction; a second starter waits and finds it done.

    Raises ``StorageError`` where the database cannot be opened or was written by a newer version.
    """
    engine = _engine(url, migrating=True)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(727369)"))
            command.upgrade(migration_config(connection), revision)
            if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise StorageError("the database has rows that point nowhere; restore it from a backup")
    except CommandError as error:
        raise StorageError(
            f"the database does not fit this version of the service ({error}); use the newer one"
        ) from error
    except DBAPIError as error:
        why = " ".join(str(error.orig).split())
        what = (
            "the path and its permissions" if engine.dialect.name == "sqlite" else "its URL and whether the server runs"
        )
        raise StorageError(f"the database cannot be opened: {why}; check {what}") from error
    finally:
        engine.dispose()


def open_database(url: str) -> Database:
    """Open a database, creating its folder and bringing its schema up to date first."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
        folder = Path(str(parsed.database)).parent
        try:
            # 0o700: what is in it is about people
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise StorageError(
                f"{folder} cannot be a folder: a file is in its place; choose another with --data"
            ) from error
        except OSError as error:
            why = error.strerror or error
            raise StorageError(f"the data folder {folder} cannot be made: {why}; choose another with --data") from error
    upgrade_schema(url)
    return connect_database(url)


def connect_database(url: str) -> Database:
    """A database whose schema somebody else has just brought up to date."""
    return Database(_engine(url))
