from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.command import downgrade
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from ocr_service import verification
from ocr_service.database import Database, open_database
from ocr_service.database.engine import migration_config, upgrade_schema
from ocr_service.database.models import Base
from ocr_service.errors import StorageError
from ocr_service.states import Verdict


def test_migrations_make_exactly_the_tables_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_opening_twice_keeps_what_is_there(database_url: str) -> None:
    first = open_database(database_url)
    with first.writing() as session:
        session.execute(text("INSERT INTO batches (label, created_by, created_at) VALUES ('b', 'x', '2026-01-01')"))
    first.close()
    again = open_database(database_url)
    with again.reading() as session:
        assert session.execute(text("SELECT count(*) FROM batches")).scalar_one() == 1
    again.close()


def test_the_schema_goes_down_and_up_again(database: Database, database_url: str) -> None:
    database.close()
    with database.engine.begin() as connection:
        downgrade(migration_config(connection), "base")
    with database.engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}
    upgrade_schema(database_url)
    with database.engine.connect() as connection:
        assert set(Base.metadata.tables) <= set(inspect(connection).get_table_names())


def test_several_processes_may_open_a_fresh_database_at_once(empty_url: str) -> None:
    code = f"from ocr_service.database import open_database; open_database({empty_url!r}).close()"
    starting = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait(60) for process in starting] == [0, 0]


def test_a_database_of_a_newer_version_is_refused(database: Database, database_url: str) -> None:
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match="version"):
        open_database(database_url)


def test_a_file_that_is_no_database_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite3").write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(StorageError):
        open_database(f"sqlite:///{tmp_path / 'x.sqlite3'}")


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        open_database(f"sqlite:///{tmp_path / 'file' / 'x.sqlite3'}")


def test_a_block_that_raises_leaves_nothing_behind(database: Database) -> None:
    statement = text("INSERT INTO batches (label, created_by, created_at) VALUES ('b', 'x', '2026-01-01')")

    def write_and_fail() -> None:
        with database.writing() as session:
            session.execute(statement)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        write_and_fail()
    with database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM batches")).scalar_one() == 0


def test_reading_does_not_wait_for_a_writer(database: Database) -> None:
    with database.writing() as writer:
        writer.execute(text("INSERT INTO batches (label, created_by, created_at) VALUES ('b', 'x', '2026-01-01')"))
        with database.reading() as reader:
            assert reader.execute(text("SELECT count(*) FROM batches")).scalar_one() == 0


def test_what_is_committed_is_synced_to_disk(database: Database) -> None:
    asked = {
        "sqlite": {"PRAGMA synchronous": 2, "PRAGMA journal_mode": "wal", "PRAGMA foreign_keys": 1},
        "postgresql": {"SHOW synchronous_commit": "on"},
    }[database.engine.dialect.name]
    with database.reading() as session:
        assert {question: session.execute(text(question)).scalar_one() for question in asked} == asked


def test_names_fit_postgresql() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in Base.metadata.tables.values():
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
        names = [str(index.name) for index in table.indexes] + [str(c.name) for c in table.constraints]
        assert all(len(name) <= 63 for name in names), names


@pytest.mark.parametrize("statement", ["UPDATE decisions SET reviewer = 'x'", "DELETE FROM decisions"])
def test_the_database_itself_refuses_to_change_decisions(
    database: Database, add_draft: Callable[..., int], statement: str
) -> None:
    with database.writing() as session:
        verification.decide(session, add_draft(), Verdict.ACCEPT, reviewer="lan", expected_version=1)
    with database.writing() as session, pytest.raises(DBAPIError, match="append-only"):
        session.execute(text(statement))
