"""A fresh database, one batch in it, and a clock that only moves when told."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from ocr_service.database import Database, connect_database
from ocr_service.database.announcements import BatchFacts
from ocr_service.intake import announcing
from ocr_service.records import Context, Origin
from ocr_service.storage import LocalStore


@pytest.fixture
def database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    database = connect_database(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'intake.sqlite3')}")
    yield database
    database.close()


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "objects")


@pytest.fixture
def batch(database: Database, now: datetime) -> BatchFacts:
    with database.writing() as session:
        return announcing.open_announced_batch(
            session,
            "khu A",
            "thu",
            context=Context(cemetery="NTLS Tân Phú", cemetery_province="Bến Tre"),
            origin=Origin(collector="Tổ 3"),
            now=now,
        )[0]
