"""The default engine: ONNX Runtime on the CPU, or through its CUDA provider where that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnxruntime

from models.bundle import Bundle, DetectorSpec, RecogniserSpec
from models.choices import Device
from models.detector import LineDetector
from models.engines.engine import Crop, Engine
from models.errors import EngineMissingError
from models.recogniser import LineRecogniser, RecognisedLine

_CUDA = "CUDAExecutionProvider"


class OnnxLineDetector(LineDetector):
    """The line detector on the CPU or on CUDA; raises EngineMissingError."""

    def __init__(self, spec: DetectorSpec, threads: int = 1, device: Device = "cpu") -> None:
        super().__init__(spec, threads)
        if device == "cuda":
            move_to_cuda(self._session)


class OnnxLineRecogniser(LineRecogniser):
    """The recogniser on the CPU or on CUDA; raises EngineMissingError."""

    def __init__(self, spec: RecogniserSpec, threads: int = 1, device: Device = "cpu") -> None:
        super().__init__(spec, threads)
        if device == "cuda":
            move_to_cuda(self._session)

    def read_many(self, crops: Sequence[Crop]) -> list[RecognisedLine]:
        """Read several crops one by one: on a CPU that is faster than a padded batch."""
        return [self.read(crop) for crop in crops]


def open_onnxruntime(bundle: Bundle, threads: int, device: Device | None) -> Engine:
    """Make ``bundle`` ready on ONNX Runtime: on the CPU unless ``device`` says otherwise."""
    device = device or "cpu"
    return Engine(
        name="onnxruntime",
        device=device,
        bundle=bundle,
        detector=OnnxLineDetector(bundle.detector, threads, device),
        recogniser=OnnxLineRecogniser(bundle.recogniser, threads, device),
    )


def has_cuda_provider() -> bool:
    """Whether the installed ONNX Runtime was built for CUDA."""
    return _CUDA in onnxruntime.get_available_providers()


def require_cuda_provider() -> None:
    """Raise EngineMissingError where the installed ONNX Runtime was not built for CUDA."""
    if not has_cuda_provider():
        raise EngineMissingError(
            "This ONNX Runtime has no CUDA provider; install onnxruntime-gpu in place of onnxruntime, or use the CPU."
        )


def move_to_cuda(session: Any) -> None:
    """Run an open ``session`` on CUDA; raises EngineMissingError rather than falling back to the CPU in silence."""
    require_cuda_provider()
    session.set_providers([_CUDA, "CPUExecutionProvider"])
    if _CUDA not in session.get_providers():
        raise EngineMissingError(
            "ONNX Runtime found no usable CUDA device; check the driver with nvidia-smi, or use the CPU."
        )
