"""The parameters of a network out of the ONNX graph that ``models/training/export.py`` wrote of it.

So a bundle holds its weights once, for every runtime.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from models.errors import BundleError

_PREFIX = "network."  # the exporter's name of the network inside what it serves
_HEAD_BIAS = "head.bias"


@dataclass(frozen=True, slots=True)
class ExportedWeights:
    """Parameters by their name in ``models.training.network.Recogniser``, and what it is to be built with."""

    size: Literal["small", "tiny"]
    class_count: int
    parameters: dict[str, NDArray[np.float32]]


def read_exported_weights(path: Path) -> ExportedWeights:
    """Read the parameters of an exported recogniser; raises BundleError for a graph of other origin."""
    graph = onnx.load(str(path)).graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in values:  # the exporter keeps equal parameters once
            values[node.output[0]] = values[node.input[0]]
    parameters = {name.removeprefix(_PREFIX): value for name, value in values.items() if name.startswith(_PREFIX)}
    adders = {name: node for node in graph.node if node.op_type == "Add" for name in node.input}
    for node in graph.node:
        # the exporter turns the weight of a linear layer over and loses its name; the bias added next still has one
        if node.op_type == "MatMul" and node.input[1] in values and (adder := adders.get(node.output[0])):
            bias = next((name for name in adder.input if name.startswith(_PREFIX)), None)
            if bias is not None:
                parameters[bias.removeprefix(_PREFIX).removesuffix("bias") + "weight"] = values[node.input[1]].T
    if _HEAD_BIAS not in parameters:
        raise BundleError(f"{path} was not exported by models.training.export; read it with the engine onnxruntime.")
    has_attention = any(name.startswith("neck.svtr_block.") for name in parameters)
    return ExportedWeights("small" if has_attention else "tiny", len(parameters[_HEAD_BIAS]), parameters)
