"""The application over a fresh store, seen from this machine's own pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from ocr_service.settings import Settings

ORIGIN = "http://127.0.0.1:8000"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", reviewer="lan", max_file_bytes=200_000, max_files_per_request=5)


@pytest.fixture
def app(settings: Settings) -> Iterator[FastAPI]:
    app = create_app(settings)
    yield app
    app.state.database.close()


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """A browser on this machine that shows our own pages."""
    return TestClient(app, base_url=ORIGIN, client=("127.0.0.1", 50_000), headers={"Origin": ORIGIN})
