"""A fresh database and object folder, and a clock that only moves when told."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from bench.services import PostgreSQL
from ocr_service import intake
from ocr_service.database import Database, connect_database
from ocr_service.database.engine import upgrade_schema
from ocr_service.records import Context, Field, Line, PhotoType, Reading, ReadingStatus
from ocr_service.storage import LocalStore

NOWHERE = Context()
JPEG_START = b"\xff\xd8\xff\xe0"

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgresql_template(postgresql: PostgreSQL) -> str:
    """As ``sqlite_template``, in PostgreSQL."""
    upgrade_schema(postgresql.create_database("store_template"))
    return "store_template"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    name = f"empty_{next(_numbers)}"
    yield server.create_database(name)
    server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of the test's own with the newest schema, once of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "store.sqlite3"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    name = f"store_{next(_numbers)}"
    yield server.create_database(name, template=request.getfixturevalue("postgresql_template"))
    server.drop_database(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = connect_database(database_url)
    yield database
    database.close()


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "objects")


@pytest.fixture
def reading_of() -> Callable[..., Reading]:
    """What a reader would see in a photo with this name on the stone."""

    def make(sha256: str, stone: str = "NGUYỄN VĂN MẪU", **fields: Field) -> Reading:
        record = {
            "kind": Field("named", None, 0.99),
            "name": Field(stone.title(), stone, 0.93, (0,)),
            "birth": Field("1948", "1948", 0.9, (1,)),
            "death": Field("1968-05-12", "12-5-1968", 0.88, (2,)),
            "hometown": Field({"commune": "Tân Phú", "province": "Bến Tre"}, "Tân Phú - Bến Tre", 0.8, (3,)),
            **fields,
        }
        quad = ((10.0, 10.0), (90.0, 10.0), (90.0, 20.0), (10.0, 20.0))
        return Reading(
            photo="a.jpg",
            sha256=sha256,
            status=ReadingStatus.READ,
            photo_type=PhotoType.HEADSTONE,
            size_px=(100, 80),
            lines=(Line(stone, 0.93, quad),),
            record=record,
            bundle="test@1",
        )

    return make


@pytest.fixture
def add_draft(
    database: Database, store: LocalStore, reading_of: Callable[..., Reading], now: datetime
) -> Callable[..., int]:
    """Receive a photo and store its reading; gives the draft's id."""
    made = 0

    def add(stone: str = "NGUYỄN VĂN MẪU", context: Context = NOWHERE, **fields: Field) -> int:
        nonlocal made
        made += 1
        with database.writing() as session:
            received = intake.receive(
                session,
                store,
                JPEG_START + bytes([made % 256, made // 256]),
                filename=f"{made}.jpg",
                received_by="thu",
                context=context,
                now=now,
            )
            assert received.sha256 is not None
            draft_id = intake.store_reading(session, reading_of(received.sha256, stone, **fields), now=now)
        assert draft_id is not None
        return draft_id

    return add
