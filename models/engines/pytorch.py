"""The recogniser by PyTorch: the engine of GPU workers, which reads the lines of many photos in one batch.

The network is the one that training uses, filled with the weights of the bundle's ONNX file and compared with that
file before the first line is read. Detection stays with ONNX Runtime.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.bundle import Bundle, RecogniserSpec
from models.choices import Device
from models.engines.engine import Crop, Engine
from models.engines.exported_weights import read_exported_weights
from models.engines.gather import Gatherer
from models.engines.onnx_runtime import OnnxLineDetector, has_cuda_provider
from models.errors import BundleError, EngineMissingError
from models.recogniser import LineRecogniser, RecognisedLine, decode
from models.training.network import Recogniser

AGREEMENT = 1e-3
"""Largest difference of a probability between network and graph; rounding gives up to 1e-4, a wrong layer over 1e-2."""

_MOST_LINES = 64  # in one batch
_STEP_PX: dict[Device, int] = {"cpu": 1, "cuda": 32}
"""Padding changes a little of what the network sees of hard lines: of 250 held-out lines padded to multiples of 32 px,
8 % got another text, with 68.8 % instead of 68.4 % exact; to 64 px 11 %. On a CPU it only costs time."""

Rows: TypeAlias = NDArray[np.float32]


class TorchLineRecogniser(LineRecogniser):
    """Reads crops of lines by PyTorch; crops handed in from several threads share batches.

    ``step_px`` widens a crop to its next multiple, so that lines of about the same length can share a batch; 1 keeps
    every crop as ONNX Runtime sees it. Raises BundleError.
    """

    def __init__(self, spec: RecogniserSpec, device: Device, threads: int = 1, step_px: int | None = None) -> None:
        super().__init__(spec, threads)
        torch.set_num_threads(threads)
        self._step_px = step_px or _STEP_PX[device]
        self._device = torch.device(device)
        network = _filled_network(spec)
        self._check(network)
        self._network = network.to(self._device)
        self._gatherer: Gatherer[Crop, Rows] = Gatherer(self._run)

    def probabilities(self, crop: Crop) -> Rows:
        """Return class probabilities (frames, classes) of one ``crop``."""
        return self._gatherer.submit([crop])[0]

    def read_many(self, crops: Sequence[Crop]) -> list[RecognisedLine]:
        """Read several crops, of one photo or of many, in their order."""
        return [decode(rows, self.charset, self.spec) for rows in self._gatherer.submit(crops)]

    def _run(self, crops: list[Crop]) -> list[Rows]:
        by_width: dict[int, list[int]] = defaultdict(list)
        for index, crop in enumerate(crops):
            by_width[_width_px(crop, self.spec, self._step_px)].append(index)
        found: dict[int, Rows] = {}
        for width_px, members in by_width.items():
            for start in range(0, len(members), _MOST_LINES):
                batch = members[start : start + _MOST_LINES]
                lines = np.stack([_tensor(crops[index], self.spec, width_px) for index in batch])
                found |= zip(batch, _forward(self._network, lines, self._device), strict=True)
        return [found[index] for index in range(len(crops))]

    def _check(self, network: Recogniser) -> None:
        """Compare ``network`` with the bundle's own graph on a random crop, while both are on the CPU."""
        crop = np.random.default_rng(0).integers(0, 256, (self.spec.height_px, 328, 3), np.uint8)
        lines = _tensor(crop, self.spec, _width_px(crop, self.spec, 1))[None]
        difference = float(np.abs(_forward(network, lines, torch.device("cpu"))[0] - super().probabilities(crop)).max())
        if difference > AGREEMENT:
            raise BundleError(
                f"PyTorch and ONNX Runtime differ by {difference:.2g} on {self.spec.model}; "
                "read it with the engine onnxruntime."
            )


def open_torch(bundle: Bundle, threads: int, device: Device | None) -> Engine:
    """Make ``bundle`` ready on PyTorch: on CUDA where it is present, unless ``device`` says otherwise."""
    has_cuda = torch.cuda.is_available()
    device = device or ("cuda" if has_cuda else "cpu")
    if device == "cuda" and not has_cuda:
        raise EngineMissingError(
            "PyTorch finds no CUDA device; install its CUDA build and check the driver with nvidia-smi, or use the CPU."
        )
    if device == "cuda":
        torch.backends.cudnn.allow_tf32 = False  # ten bits of mantissa would make texts depend on the device
    return Engine(
        name="torch",
        device=device,
        bundle=bundle,
        detector=OnnxLineDetector(
            bundle.detector, threads, "cuda" if device == "cuda" and has_cuda_provider() else "cpu"
        ),
        recogniser=TorchLineRecogniser(bundle.recogniser, device, threads),
    )


def _filled_network(spec: RecogniserSpec) -> Recogniser:
    weights = read_exported_weights(spec.model)
    network = Recogniser(weights.size, weights.class_count)
    try:
        network.load_state_dict({name: torch.tensor(value) for name, value in weights.parameters.items()})
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise BundleError(f"{spec.model} does not fill the network ({reason}); use the engine onnxruntime.") from error
    network.eval()
    return network


def _width_px(crop: Crop, spec: RecogniserSpec, step_px: int) -> int:
    height, width = crop.shape[:2]
    natural = max(spec.min_width_px, math.ceil(width * spec.height_px / height), 1)
    stepped: int = math.ceil(natural / step_px) * step_px
    return min(stepped, spec.max_width_px)


def _tensor(crop: Crop, spec: RecogniserSpec, width_px: int) -> NDArray[np.float32]:
    """Return (3, height, ``width_px``) BGR in -1..1, padded on the right with mid grey, as ONNX Runtime is given it."""
    height, width = crop.shape[:2]
    own = min(max(1, math.ceil(width * spec.height_px / height)), width_px)
    resized = cv2.resize(crop, (own, spec.height_px), interpolation=cv2.INTER_LINEAR)
    tensor = resized.astype(np.float32).transpose(2, 0, 1) / np.float32(127.5) - np.float32(1.0)
    return np.pad(tensor, ((0, 0), (0, 0), (0, width_px - own)))


def _forward(network: Recogniser, lines: NDArray[np.float32], device: torch.device) -> Rows:
    """Return class probabilities (lines, frames, classes)."""
    with torch.inference_mode():
        probabilities: Rows = network(torch.from_numpy(lines).to(device)).softmax(-1).cpu().numpy()
    return probabilities
