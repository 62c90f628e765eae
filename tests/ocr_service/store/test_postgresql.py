from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bench.services import PostgreSQL
from bench.services.process import free_ports
from ocr_service.database import Database, open_database
from ocr_service.errors import StorageError

ADD = text("INSERT INTO batches (label, created_by, created_at) VALUES ('b', 'x', '2026-01-01')")
COUNT = text("SELECT count(*) FROM batches")


def test_a_restart_of_the_server_breaks_no_connection_that_was_idle(own_service: Callable[..., Any]) -> None:
    server: PostgreSQL = own_service(PostgreSQL)
    database = open_database(server.create_database("restarted"))
    with database.writing() as session:
        session.execute(ADD)
    server.kill()
    with pytest.raises(DBAPIError), database.writing() as session:
        session.execute(ADD)
    server.start()
    with database.writing() as session:
        assert session.execute(COUNT).scalar_one() == 1
        session.execute(ADD)
    with database.reading() as session:
        assert session.execute(COUNT).scalar_one() == 2
    database.close()


def test_a_server_that_does_not_answer_is_a_storage_error() -> None:
    (port,) = free_ports(1)
    with pytest.raises(StorageError, match=r"cannot be opened: .*; check .*the server") as raised:
        open_database(f"postgresql+psycopg://headstone:secret@127.0.0.1:{port}/gone")
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_readers_see_one_snapshot_and_cannot_write(database: Database) -> None:
    with database.reading() as reader:
        assert reader.execute(COUNT).scalar_one() == 0
        with database.writing() as writer:
            writer.execute(ADD)
        assert reader.execute(COUNT).scalar_one() == 0
        with pytest.raises(DBAPIError, match="read-only"):
            reader.execute(ADD)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_writers_wait_and_look_again_whatever_the_server_would_do(database: Database) -> None:
    with database.writing() as session:
        name = session.execute(text("SELECT current_database()")).scalar_one()
        session.execute(text(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"))
    database.close()
    with database.writing() as session:
        assert session.execute(text("SHOW transaction_isolation")).scalar_one() == "read committed"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_the_queue_leaves_behind_is_swept_up_long_before_a_fifth_is_dead(database: Database) -> None:
    with database.reading() as session:
        options = session.execute(text("SELECT reloptions FROM pg_class WHERE relname = 'photos'")).scalar_one()
    assert set(options) == {"autovacuum_vacuum_scale_factor=0.02", "autovacuum_analyze_scale_factor=0.02"}
