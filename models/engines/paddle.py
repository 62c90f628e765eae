"""The bundle through PaddleOCR 3.7: its own preparation of pictures and its own runner, on ONNX Runtime.

For comparing with a stock installation of PaddleOCR, which loads the bundle's ``det/`` and ``rec/`` unchanged. Texts,
rivals and confidences are decoded as everywhere else, so that a reading means the same whatever the engine.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from models.bundle import Bundle, DetectorSpec, RecogniserSpec
from models.choices import Device
from models.detector import DetectedLine, Quad
from models.engines.engine import Crop, Engine
from models.engines.onnx_runtime import OnnxLineRecogniser, require_cuda_provider
from models.errors import BundleError


@contextmanager
def _any_opencv_counts() -> Iterator[None]:
    """Let PaddleX take ``opencv-python-headless`` for the distribution of the same ``cv2`` that it asks for by name.

    It looks for ``opencv-contrib-python`` while it is imported, and leaves ``import cv2`` out where that is missing;
    installing both would overwrite one with the other.
    """
    version = importlib.metadata.version

    def answer(distribution_name: str) -> str:
        return version("opencv-python-headless" if distribution_name == "opencv-contrib-python" else distribution_name)

    importlib.metadata.version = answer
    try:
        yield
    finally:
        importlib.metadata.version = version


with _any_opencv_counts():
    from paddleocr import TextDetection, TextRecognition


class PaddleLineDetector:
    """Text lines by PaddleOCR's ``TextDetection``, run with the bundle's own size and thresholds."""

    def __init__(self, spec: DetectorSpec, threads: int, device: Device) -> None:
        self.spec = spec
        self._model = TextDetection(
            limit_side_len=spec.side_px,
            limit_type="max",
            thresh=spec.binary_threshold,
            box_thresh=spec.box_threshold,
            unclip_ratio=spec.unclip_ratio,
            **_running(spec.model, threads, device),
        )

    def detect(self, image: NDArray[np.uint8], side_px: int | None = None) -> list[DetectedLine]:
        """Return the text lines of ``image`` (height, width, 3; BGR), top to bottom; corners are whole pixels."""
        (found,) = self._model.predict(image, limit_side_len=side_px or self.spec.side_px)
        lines = [
            DetectedLine(_as_quad(corners), float(score))
            for corners, score in zip(found["dt_polys"], found["dt_scores"], strict=True)
        ]
        return sorted(lines, key=lambda line: line.quad[0][1])


class PaddleLineRecogniser(OnnxLineRecogniser):
    """Class probabilities by PaddleOCR's ``TextRecognition``, which pads every line to at least 320 px."""

    def __init__(self, spec: RecogniserSpec, threads: int, device: Device) -> None:
        super().__init__(spec, threads)
        self._predictor = TextRecognition(**_running(spec.model, threads, device)).paddlex_predictor

    def probabilities(self, crop: Crop) -> NDArray[np.float32]:
        """Return class probabilities (frames, classes) of one ``crop``."""
        prepared = [crop]
        for step in ("Read", "ReisizeNorm", "ToBatch"):  # PaddleX's own spelling
            prepared = self._predictor.pre_tfs[step](imgs=prepared)
        found: NDArray[np.float32] = self._predictor.runner(x=prepared)[0][0]
        return found


def open_paddleocr(bundle: Bundle, threads: int, device: Device | None) -> Engine:
    """Make ``bundle`` ready on PaddleOCR: on the CPU unless ``device`` says otherwise."""
    device = device or "cpu"
    if device == "cuda":
        require_cuda_provider()
    return Engine(
        name="paddleocr",
        device=device,
        bundle=bundle,
        detector=PaddleLineDetector(bundle.detector, threads, device),
        recogniser=PaddleLineRecogniser(bundle.recogniser, threads, device),
    )


def _running(model: Path, threads: int, device: Device) -> dict[str, object]:
    """What PaddleOCR is told of a model: the name it is registered by, its folder and how to run it."""
    settings = model.with_name("inference.yml")
    if model.name != "inference.onnx" or not settings.is_file():
        raise BundleError(f"{model} is not laid out for PaddleOCR; read this bundle with the engine onnxruntime.")
    return {
        "model_name": yaml.safe_load(settings.read_text(encoding="utf-8"))["Global"]["model_name"],
        "model_dir": str(model.parent),
        "engine": "onnxruntime",
        "engine_config": {"intra_op_num_threads": threads},
        "device": "gpu:0" if device == "cuda" else "cpu",
    }


def _as_quad(corners: NDArray[np.int16]) -> Quad:
    a, b, c, d = ((float(x), float(y)) for x, y in corners)
    return (a, b, c, d)
