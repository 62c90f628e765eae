"""A stock PaddleOCR reads the shipped bundle as it is, and so does the engine made of it."""

import dataclasses
import importlib.metadata
from itertools import islice

import cv2
import numpy as np
import pytest

from datasets.validation import validation_stones
from models.bundle import load_bundle
from models.ctc import greedy
from models.engines import load_engine
from models.errors import BundleError


@pytest.fixture(scope="module")
def engine(bundle):
    return load_engine(bundle, "paddleocr")


@pytest.fixture(scope="module")
def padded(bundle):
    """The default engine with lines padded as PaddleOCR pads them."""
    return load_engine(dataclasses.replace(bundle, recogniser=dataclasses.replace(bundle.recogniser, min_width_px=320)))


@pytest.fixture(scope="module")
def stone():
    return next(islice(validation_stones(1), 1)).image


def test_paddleocr_reads_the_same_text_from_the_same_crops(bundle, engine, padded, crops):
    from paddleocr import TextRecognition

    stock = TextRecognition(
        model_name="PP-OCRv6_small_rec",
        model_dir=str(bundle.folder / "rec"),
        engine="onnxruntime",
        engine_config={"intra_op_num_threads": 1},
    )
    theirs = [stock.predict(crop)[0]["rec_text"] for crop in crops]
    reader = padded.recogniser
    assert theirs == [reader.charset.text(greedy(reader.probabilities(crop)).labels) for crop in crops]
    assert sum(len(text) > 3 for text in theirs) > len(theirs) / 2


def test_the_engine_gives_the_probabilities_and_readings_of_the_default_one(engine, padded, crops):
    for crop in crops:
        found, expected = engine.recogniser.probabilities(crop), padded.recogniser.probabilities(crop)
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < 1e-3
    assert [line.text for line in engine.recogniser.read_many(crops)] == [
        line.text for line in padded.recogniser.read_many(crops)
    ]


def test_the_engine_finds_the_lines_that_the_default_one_finds_at_the_same_size(bundle, engine, padded, stone):
    found, expected = (np.zeros(stone.shape[:2], np.uint8) for _ in range(2))
    for mask, detector in ((found, engine.detector), (expected, padded.detector)):
        lines = detector.detect(stone, bundle.detector.side_px)
        assert [line.quad[0][1] for line in lines] == sorted(line.quad[0][1] for line in lines)
        for line in lines:
            cv2.fillPoly(mask, [np.round(line.quad).astype(np.int32)], 1)
    overlap = (found & expected).sum() / (found | expected).sum()
    assert overlap > 0.9
    assert expected.mean() > 0.02


def test_a_bundle_that_is_not_laid_out_for_paddleocr_is_refused_with_advice():
    with pytest.raises(BundleError, match="engine onnxruntime"):
        load_engine(load_bundle("interim"), "paddleocr")


def test_one_opencv_is_installed_and_its_version_is_told_truly(engine):
    assert engine.name == "paddleocr"
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("opencv-contrib-python")
