"""Crops are made on request from the original, wherever it lies."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from bench.services import Weed
from ocr_service import intake
from ocr_service.records import Line, PhotoType, Reading, ReadingStatus
from ocr_service.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, weed: Weed) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        reviewer="lan",
        s3_endpoint=weed.endpoint,
        s3_secure=False,
        s3_bucket="pictures",
        s3_access_key=weed.access_key,
        s3_secret_key=weed.secret_key,
    )


def test_a_photo_in_an_s3_store_is_shown_whole_and_by_its_lines(
    client: TestClient, app: FastAPI, settings: Settings
) -> None:
    written = io.BytesIO()
    Image.new("RGB", (300, 200), "red").save(written, "JPEG")
    answer = client.post("/api/v1/photos", files=[("files", ("a.jpg", written.getvalue(), "image/jpeg"))])
    assert answer.status_code == 202, answer.text
    assert not list(settings.data_dir.rglob("objects"))
    with app.state.database.writing() as session:
        sha256 = intake.get_photo(session, 1).sha256
        line = Line("MẪU", 0.9, ((10.0, 10.0), (200.0, 10.0), (200.0, 60.0), (10.0, 60.0)))
        reading = Reading(
            "a.jpg", sha256, ReadingStatus.READ, photo_type=PhotoType.HEADSTONE, size_px=(300, 200), lines=(line,)
        )
        intake.store_reading(session, reading)
    for path, height in (("image?size=150", 100), ("lines/0/crop?height=40", 40)):
        picture = client.get(f"/api/v1/photos/1/{path}")
        assert picture.status_code == 200
        assert Image.open(io.BytesIO(picture.content)).size[1] == height
