"""Runtimes that a bundle can be run by, chosen by name and imported only when chosen.

    onnxruntime  the default: CPU, one thread; ``device="cuda"`` where onnxruntime-gpu is installed
    torch        the recogniser by PyTorch, on CUDA where present; lines of several photos share batches
    paddleocr    the bundle through a stock PaddleOCR 3.7, to compare with

The last two need packages that a default installation lacks; the error says how to get them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from models.bundle import Bundle
from models.engines.engine import Device, Engine, TextDetector, TextRecogniser
from models.errors import EngineMissingError

__all__ = ["DEFAULT_ENGINE", "ENGINES", "Device", "Engine", "TextDetector", "TextRecogniser", "load_engine"]

DEFAULT_ENGINE = "onnxruntime"


def load_engine(bundle: Bundle, name: str = DEFAULT_ENGINE, threads: int = 1, device: Device | None = None) -> Engine:
    """Make ``bundle`` ready on the runtime ``name``; raises BundleError, EngineMissingError.

    ``threads`` work inside one operator. ``device`` None is the usual one; "cuda" never falls back to the CPU.
    """
    if name not in ENGINES:
        raise EngineMissingError(f"Engine {name!r} is unknown; choose one of {', '.join(sorted(ENGINES))}.")
    return ENGINES[name](bundle, threads, device)


def _onnxruntime(bundle: Bundle, threads: int, device: Device | None) -> Engine:
    from models.engines.onnx_runtime import open_onnxruntime

    return open_onnxruntime(bundle, threads, device)


def _torch(bundle: Bundle, threads: int, device: Device | None) -> Engine:
    try:
        from models.engines.pytorch import open_torch
    except ImportError as error:
        raise _missing("torch", error, "pip install '.[torch]'") from error
    return open_torch(bundle, threads, device)


def _paddleocr(bundle: Bundle, threads: int, device: Device | None) -> Engine:
    try:
        from models.engines.paddle import open_paddleocr
    except ImportError as error:
        raise _missing("paddleocr", error, "make extras, then use .venv-extras/bin/headstone") from error
    return open_paddleocr(bundle, threads, device)


ENGINES: Mapping[str, Callable[[Bundle, int, Device | None], Engine]] = {
    "onnxruntime": _onnxruntime,
    "torch": _torch,
    "paddleocr": _paddleocr,
}


def _missing(engine: str, error: ImportError, command: str) -> EngineMissingError:
    reason = str(error).splitlines()[0]
    return EngineMissingError(f"Engine {engine!r} is not installed ({reason}); run: {command}")
