"""Runtimes that a bundle can be run by, chosen by name and imported only when chosen.

    onnxruntime  the default: CPU, one thread; ``device="cuda"`` where onnxruntime-gpu is installed
    torch        the recogniser by PyTorch, on CUDA where present; lines of several photos share batches
    paddleocr    the bundle through a stock PaddleOCR 3.7, to compare with

The last two need packages that a default installation lacks; the error says how to get them.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping

from models.bundle import Bundle
from models.choices import DEFAULT_ENGINE, Device
from models.engines.engine import Engine, TextDetector, TextRecogniser
from models.errors import EngineMissingError

__all__ = ["ENGINES", "Engine", "TextDetector", "TextRecogniser", "load_engine", "require_engine"]


def load_engine(bundle: Bundle, name: str = DEFAULT_ENGINE, threads: int = 1, device: Device | None = None) -> Engine:
    """Make ``bundle`` ready on the runtime ``name``; raises BundleError, EngineMissingError.

    ``threads`` work inside one operator. ``device`` None is the usual one; "cuda" never falls back to the CPU.
    """
    require_engine(name)
    try:
        return ENGINES[name](bundle, threads, device)
    except ImportError as error:  # installed, and broken
        raise _missing(name, str(error).splitlines()[0]) from error


def require_engine(name: str) -> None:
    """Raise EngineMissingError where ``name`` is unknown or lacks a package; looks for packages and imports none."""
    if name not in ENGINES:
        raise EngineMissingError(f"Engine {name!r} is unknown; choose one of {', '.join(sorted(ENGINES))}.")
    if absent := [package for package in _NEEDED[name][0] if importlib.util.find_spec(package) is None]:
        raise _missing(name, f"no package {', '.join(absent)}")


def _onnxruntime(bundle: Bundle, threads: int, device: Device | None) -> Engine:
    from models.engines.onnx_runtime import open_onnxruntime

    return open_onnxruntime(bundle, threads, device)


def _torch(bundle: Bundle, threads: int, device: Device | None) -> Engine:
    from models.engines.pytorch import open_torch

    return open_torch(bundle, threads, device)


def _paddleocr(bundle: Bundle, threads: int, device: Device | None) -> Engine:
    from models.engines.paddle import open_paddleocr

    return open_paddleocr(bundle, threads, device)


ENGINES: Mapping[str, Callable[[Bundle, int, Device | None], Engine]] = {
    "onnxruntime": _onnxruntime,
    "torch": _torch,
    "paddleocr": _paddleocr,
}

_NEEDED: Mapping[str, tuple[tuple[str, ...], str]] = {  # packages, and the command that brings them
    "onnxruntime": (("onnxruntime",), "make install"),
    "torch": (("torch", "transformers", "onnx"), "pip install '.[torch]'"),
    "paddleocr": (("paddleocr",), "make extras, then use .venv-extras/bin/headstone"),
}


def _missing(engine: str, reason: str) -> EngineMissingError:
    return EngineMissingError(f"Engine {engine!r} is not installed ({reason}); run: {_NEEDED[engine][1]}")
