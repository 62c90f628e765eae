from __future__ import annotations

import importlib.util
import os
from itertools import islice

import pytest

from datasets.lines import LineSource
from models.bundle import load_bundle
from models.engines import load_engine

EXTRAS = ("torch", "transformers", "onnx", "paddleocr")

# Tests of engines that need an extra are collected where all of them are installed. `make test-extras` sets the
# variable, so that a package that is missing there fails.
if not os.environ.get("HEADSTONE_TEST_EXTRAS") and not all(map(importlib.util.find_spec, EXTRAS)):
    collect_ignore = ["with_extras"]


@pytest.fixture(scope="session")
def bundle():
    """The bundle that is read with by default."""
    return load_bundle()


@pytest.fixture(scope="session")
def crops():
    """Line crops as the service hands them to a recogniser, narrow and wide ones, a few of them hardly legible."""
    return [crop for crop, _ in islice(iter(LineSource(seed=41, held_out=True)), 40)]


@pytest.fixture(scope="session")
def default_engine(bundle):
    return load_engine(bundle)
