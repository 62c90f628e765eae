"""The heavy engines behind the product: whole photos, read in one go and as the command line reads them."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

import datasets
from models import bundle as bundles
from models.choices import EngineName
from models.training.alphabet import CLASSES
from models.training.export import write_bundle
from models.training.network import Recogniser
from ocr_service import batch
from ocr_service.errors import BundleError
from ocr_service.evaluation import evaluate, load_truth
from ocr_service.reading import load_reader, read_photo
from ocr_service.records import Context, Reading
from ocr_service.settings import Settings

SAMPLES = Path(datasets.__file__).parent / "samples"
PHOTOS = ("01_black_gold.jpg", "04_red_granite.jpg")


@cache
def texts_by(engine: EngineName) -> list[list[str]]:
    reader = load_reader(engine=engine, device="cpu")
    return [texts(read_photo((SAMPLES / photo).read_bytes(), photo, reader)) for photo in PHOTOS]


def texts(reading: Reading) -> list[str]:
    return [line.text for line in reading.lines]


def test_torch_reads_photos_as_onnxruntime_does():
    assert texts_by("torch") == texts_by("onnxruntime")


def test_paddleocr_reads_most_lines_of_photos_as_onnxruntime_does():
    pairs = [
        (line, expected)
        for ours, theirs in zip(texts_by("paddleocr"), texts_by("onnxruntime"), strict=True)
        for line, expected in zip(ours, theirs, strict=True)
    ]
    assert sum(line == expected for line, expected in pairs) >= 0.7 * len(pairs)


def test_a_worker_with_torch_reads_photos_side_by_side_and_every_reading_names_the_engine():
    readings = {
        reading.photo: reading
        for reading in batch.read_files(
            batch.find_photos([SAMPLES / photo for photo in PHOTOS]),
            Settings(engine="torch", device="cpu"),
            bundle_id="",
            workers=1,
            context=Context(),
            stop=threading.Event(),
        )
    }
    assert [texts(readings[photo]) for photo in PHOTOS] == texts_by("onnxruntime")
    assert {reading.engine for reading in readings.values()} == {"torch/cpu"}


@pytest.mark.parametrize("engine", ["torch", "paddleocr"])
def test_evaluate_measures_our_bundle_on_the_engine(engine):
    truth = [photo for photo in load_truth(SAMPLES) if photo.path.name == PHOTOS[0]]
    (score,) = evaluate(truth, [f"ours-{engine}"], Settings(device="cpu"))
    assert score.runtime == f"{engine}/cpu"
    assert score.errors.cer < 0.2


def test_a_bundle_of_the_tiny_network_serves_the_fast_profile_on_every_engine(tmp_path, monkeypatch):
    monkeypatch.setattr(bundles, "WEIGHTS_DIR", tmp_path)
    with pytest.raises(BundleError, match="headstone-vi-fast does not ship"):
        load_reader(profile="fast")
    write_bundle(Recogniser("tiny", len(CLASSES)).eval(), tmp_path / "headstone-vi-fast" / "0.1.0")
    for engine in get_args(EngineName):
        reader = load_reader(profile="fast", engine=engine, device="cpu")
        assert (reader.bundle_id, reader.engine) == ("headstone-vi-fast@0.1.0", f"{engine}/cpu")
