"""A service with a few photos, read and decided, on each of the two databases."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.services import PostgreSQL
from ocr_service import intake, verification
from ocr_service.database import Database, open_database
from ocr_service.records import Field, PhotoType, Reading, ReadingStatus
from ocr_service.states import Verdict
from ocr_service.storage import LocalStore


@dataclass(frozen=True, slots=True)
class Place:
    """A database and a store."""

    url: str
    database: Database
    store: LocalStore
    root: Path

    def add(self, content: bytes, *, name: str = "Nguyễn Văn Mẫu", accept: bool = False) -> str:
        """One photo, read and perhaps accepted; its SHA-256."""
        data = b"\xff\xd8\xff\xe0" + content
        sha256 = hashlib.sha256(data).hexdigest()
        record = {"kind": Field("named", None, 0.9), "name": Field(name, name.upper(), 0.9)}
        reading = Reading(
            "a.jpg", sha256, ReadingStatus.READ, photo_type=PhotoType.HEADSTONE, record=record, bundle="t@1"
        )
        with self.database.writing() as session:
            intake.receive(session, self.store, data, filename="a.jpg", received_by="thu")
            draft_id = intake.store_reading(session, reading)
            assert draft_id is not None
            if accept:
                version = verification.open_draft(session, draft_id, "lan").version
                verification.decide(session, draft_id, Verdict.ACCEPT, reviewer="lan", expected_version=version)
        return sha256


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    root = tmp_path / "service"
    if request.param == "sqlite":
        url, drop = f"sqlite:///{root / 'headstone.sqlite3'}", None
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        name = f"operations_{uuid.uuid4().hex}"
        url, drop = server.create_database(name), (server, name)
    database = open_database(url)
    yield Place(url, database, LocalStore(root / "objects"), root)
    database.close()
    if drop:
        drop[0].drop_database(drop[1])


@pytest.fixture
def empty_url(place: Place, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A place to restore to, of the same kind of database."""
    if place.url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'elsewhere' / 'headstone.sqlite3'}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    name = f"operations_{uuid.uuid4().hex}"
    yield server.create_database(name)
    server.drop_database(name)
