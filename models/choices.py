"""What a reader is chosen by: names for settings and command lines, which cost no import of a runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

EngineName: TypeAlias = Literal["onnxruntime", "torch", "paddleocr"]
Device: TypeAlias = Literal["cpu", "cuda"]

DEFAULT_ENGINE: EngineName = "onnxruntime"
DEFAULT_PROFILE = "accurate"

PHOTOS_SIDE_BY_SIDE: Mapping[EngineName, int] = {"onnxruntime": 1, "torch": 8, "paddleocr": 1}
"""How many photos one process reads at a time. Only torch gains by it: threads that read side by side share batches.

Eight photos of the sample pack, widths in steps of 32 px as on CUDA: 2.6 lines a run of the network, 1.2 one by one.
"""
