import dataclasses
import threading

import numpy as np
import pytest
import torch

from models.bundle import load_bundle
from models.engines import load_engine
from models.engines.exported_weights import read_exported_weights
from models.engines.pytorch import TorchLineRecogniser
from models.errors import BundleError, EngineMissingError

TOLERANCE = 1e-3  # of a probability


@pytest.fixture(scope="module")
def engine(bundle):
    return load_engine(bundle, "torch", device="cpu")


def test_torch_gives_the_probabilities_and_texts_of_onnxruntime(engine, default_engine, crops):
    for crop in crops:
        found, expected = engine.recogniser.probabilities(crop), default_engine.recogniser.probabilities(crop)
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < TOLERANCE
    ours, theirs = engine.recogniser.read_many(crops), default_engine.recogniser.read_many(crops)
    assert [line.text for line in ours] == [line.text for line in theirs]
    assert [line.confidence for line in ours] == pytest.approx([line.confidence for line in theirs], abs=1e-2)


def test_lines_of_a_batch_do_not_touch_each_other(bundle, crops):
    reader = TorchLineRecogniser(bundle.recogniser, "cpu", step_px=64)
    together = reader.read_many(crops)
    assert [line.text for line in together] == [reader.read(crop).text for crop in crops]


def test_threads_that_read_side_by_side_get_their_own_lines(engine, crops):
    expected = [line.text for line in engine.recogniser.read_many(crops)]
    answers = {}

    def read(photo):
        answers[photo] = [line.text for line in engine.recogniser.read_many(crops[photo : photo + 3])]

    threads = [threading.Thread(target=read, args=(photo,)) for photo in range(0, 12, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == {photo: expected[photo : photo + 3] for photo in range(0, 12, 3)}


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 400, 3), (400, 5, 3), (48, 9000, 3)])
def test_any_shape_of_crop_gives_what_onnxruntime_gives(engine, default_engine, shape):
    crop = np.full(shape, 200, np.uint8)
    assert engine.recogniser.probabilities(crop).shape == default_engine.recogniser.probabilities(crop).shape


def test_the_detector_is_that_of_the_bundle(engine, default_engine):
    picture = np.random.default_rng(0).integers(0, 256, (160, 240, 3), np.uint8)
    assert engine.detector.detect(picture) == default_engine.detector.detect(picture)


def test_the_graph_holds_every_parameter_of_the_network(bundle):
    weights = read_exported_weights(bundle.recogniser.model)
    assert weights.parameters["head.bias"].shape == (weights.class_count,)
    assert weights.parameters["head.weight"].shape[0] == weights.class_count


def test_a_bundle_of_other_origin_is_refused_with_advice():
    with pytest.raises(BundleError, match="engine onnxruntime"):
        load_engine(load_bundle("interim"), "torch", device="cpu")


def test_a_network_that_computes_something_else_is_refused(bundle, monkeypatch):
    def damaged(path):
        weights = read_exported_weights(path)
        parameters = weights.parameters | {"head.bias": weights.parameters["head.bias"][::-1].copy()}
        return dataclasses.replace(weights, parameters=parameters)

    monkeypatch.setattr("models.engines.pytorch.read_exported_weights", damaged)
    with pytest.raises(BundleError, match="differ by"):
        load_engine(bundle, "torch", device="cpu")


def test_cuda_is_refused_where_there_is_none(bundle, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EngineMissingError, match="nvidia-smi"):
        load_engine(bundle, "torch", device="cuda")
    assert load_engine(bundle, "torch").device == "cpu"
