"""What tests of the store and of intake share: a clock that only moves when told, and a database to be copied."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ocr_service.database.engine import upgrade_schema


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 4, 30, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the newest schema, to be copied: quicker than migrations for every test."""
    path = tmp_path_factory.mktemp("template") / "template.sqlite3"
    upgrade_schema(f"sqlite:///{path}")
    return path
