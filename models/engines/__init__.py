"""Runtimes that a bundle can be run by, chosen by name and imported only when chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from models.bundle import Bundle
from models.detector import LineDetector
from models.errors import EngineMissingError
from models.recogniser import LineRecogniser

DEFAULT_ENGINE = "onnxruntime"


@dataclass(frozen=True, slots=True)
class Engine:
    """A bundle that is ready to read: its detector and recogniser on one runtime."""

    name: str
    bundle: Bundle
    detector: LineDetector
    recogniser: LineRecogniser


def load_engine(bundle: Bundle, name: str = DEFAULT_ENGINE, threads: int = 1) -> Engine:
    """Make ``bundle`` ready on the runtime ``name``; raises BundleError, EngineMissingError."""
    if name not in ENGINES:
        raise EngineMissingError(f"Engine {name!r} is unknown; choose one of {', '.join(sorted(ENGINES))}.")
    return ENGINES[name](bundle, threads)


def _onnxruntime(bundle: Bundle, threads: int) -> Engine:
    return Engine(
        name="onnxruntime",
        bundle=bundle,
        detector=LineDetector(bundle.detector, threads),
        recogniser=LineRecogniser(bundle.recogniser, threads),
    )


ENGINES: Mapping[str, Callable[[Bundle, int], Engine]] = {"onnxruntime": _onnxruntime}
