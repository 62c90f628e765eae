"""A check that the reader reads: bundle, engine and device, on a photo of the sample pack whose text is known."""

from __future__ import annotations

import json
import time
from pathlib import Path

import datasets
from models.metrics import line_errors
from ocr_service.errors import BundleError, EngineError, HeadstoneError
from ocr_service.operations.findings import Finding, broken, warning, well
from ocr_service.settings import Settings

SAMPLE = Path(datasets.__file__).parent / "samples" / "01_black_gold.jpg"

LEAST_EXACT = 0.5
"""Share of lines read exactly on a plain stone; every bundle that ships reads all five."""


def check_reader(settings: Settings, sample: Path = SAMPLE) -> Finding:
    """Bundle and engine are there, fit each other, and read the sample."""
    from ocr_service.reading import read_photo, reader_of  # loads a runtime, which other checks do without

    try:
        reader = reader_of(settings)
        data, truth = sample.read_bytes(), json.loads(sample.with_suffix(".json").read_text("utf-8"))["lines"]
    except BundleError as error:
        return broken("reader", str(error), "set HEADSTONE_BUNDLE or HEADSTONE_PROFILE to one that ships")
    except EngineError as error:
        return broken(
            "reader", str(error), "install the engine, or set HEADSTONE_ENGINE and HEADSTONE_DEVICE to others"
        )
    except (HeadstoneError, OSError) as error:
        return broken("reader", str(error), "install the package again: make install")
    started = time.perf_counter()
    reading = read_photo(data, sample.name, reader)
    took_s = time.perf_counter() - started
    exact = line_errors(truth, [line.text for line in reading.lines]).exact_share
    seen = f"{reader.bundle_id} on {reader.engine}: {exact:.0%} of {len(truth)} lines exact, {took_s:.1f} s"
    if exact < LEAST_EXACT:
        return broken("reader", seen, "this engine or device computes wrongly: try HEADSTONE_ENGINE=onnxruntime")
    if settings.engine == "torch" and reader.engine.endswith("/cpu") and settings.device is None:
        return warning(
            "reader", seen, "torch sees no GPU: look at its driver, or set HEADSTONE_DEVICE=cpu if that is meant"
        )
    return well("reader", seen)
