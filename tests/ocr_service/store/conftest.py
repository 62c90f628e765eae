"""A fresh database and object folder, and a clock that only moves when told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ocr_service import intake
from ocr_service.database import Database, open_database
from ocr_service.records import Context, Field, Line, PhotoType, Reading, ReadingStatus
from ocr_service.storage import LocalStore

NOWHERE = Context()
JPEG_START = b"\xff\xd8\xff\xe0"


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 4, 30, 8, 0, tzinfo=UTC)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.sqlite3'}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = open_database(database_url)
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
