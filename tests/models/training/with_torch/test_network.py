from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from models.bundle import load_bundle
from models.recogniser import LineRecogniser
from models.training.alphabet import CLASSES, donors
from models.training.export import export_onnx, write_bundle
from models.training.network import Recogniser, Size
from models.training.weights import StockWeightsError, fill, shipped_stock_file, shipped_stock_weights

# Largest difference of a probability on random lines; 6e-6 was seen for small and 1.7e-4 for tiny. A layer in the wrong
# place gives more than 1e-2.
TOLERANCE: dict[Size, float] = {"small": 1e-4, "tiny": 1e-3}


def random_line(width_px: int = 328) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (1, 3, 48, width_px)).astype(np.float32)


@pytest.mark.parametrize("size", ["small", "tiny"])
def test_the_network_with_stock_weights_computes_what_the_stock_graph_computes(size: Size) -> None:
    stock = shipped_stock_weights(size)
    network = Recogniser(size, len(stock.classes)).eval()
    fill(network, stock, stock.classes)
    session = onnxruntime.InferenceSession(str(shipped_stock_file(size)), providers=["CPUExecutionProvider"])
    expected = session.run(None, {"x": random_line()})[0]
    with torch.no_grad():
        found = network(torch.from_numpy(random_line())).softmax(-1).numpy()
    assert np.abs(found - expected).max() < TOLERANCE[size]


def test_a_known_letter_keeps_its_row_and_a_new_one_gets_the_mean_of_its_donors() -> None:
    stock = shipped_stock_weights("small")
    network = Recogniser("small", len(CLASSES))
    fill(network, stock)
    rows, place = (
        network.head.weight.detach().numpy(),
        {character: index for index, character in enumerate(stock.classes)},
    )
    weight = stock.linears[-1][0]
    assert np.array_equal(rows[CLASSES.index("N")], weight[place["N"]])
    parents = [place[donor] for donor in donors("ế", place)]
    assert len(parents) == 2
    assert np.allclose(rows[CLASSES.index("ế")], weight[parents].mean(axis=0))


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(StockWeightsError):
        fill(Recogniser("small", len(CLASSES)), shipped_stock_weights("tiny"))


def test_an_exported_graph_takes_any_width_and_carries_its_dictionary(tmp_path: Path) -> None:
    network = Recogniser("tiny", len(CLASSES)).eval()
    export_onnx(network, tmp_path / "rec.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "rec.onnx"), providers=["CPUExecutionProvider"])
    assert session.run(None, {"x": random_line(96)})[0].shape == (1, 12, len(CLASSES))
    assert session.get_modelmeta().custom_metadata_map["character"].split("\n") == list(CLASSES[1:-1])


def test_a_written_bundle_is_one_that_serving_loads(tmp_path: Path) -> None:
    folder = tmp_path / "headstone-vi" / "9.9.9"
    write_bundle(Recogniser("tiny", len(CLASSES)).eval(), folder)
    bundle = load_bundle(folder)
    assert bundle.id == "headstone-vi@9.9.9"
    assert (bundle.detector.side_px, bundle.recogniser.min_width_px) == (640, 32)
    assert bundle.recogniser.language is not None
    assert LineRecogniser(bundle.recogniser).charset.chars == CLASSES
