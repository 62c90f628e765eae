"""Where the lines of a run come from: rendered without end, verified by people, held out to judge by."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets.lettering import Theme
from datasets.lines import LineSource
from datasets.manifest import read_manifest
from datasets.validation import validation_lines
from models.training.alphabet import as_written, is_writable

HEIGHT_PX = 48

Line = tuple[NDArray[np.uint8], str]
"""A crop ``(48, width, 3)`` in BGR and its text in NFC."""

BLANK_SHARE = 0.4
"""Chance of a crop without letters after each stone, some six of a hundred lines: detectors box frames and stars."""

CALIBRATION_SEED = 7_000_002
"""Keeps the lines that calibrate confidences apart from those that choose between runs."""


def training_lines(
    seed: int, verified: Path | None = None, verified_share: float = 0.0, *, plain: bool = False
) -> Iterator[Line]:
    """Rendered lines without end, mixed with crops from a label file that people have verified.

    ``verified`` is in PaddleOCR's format (``datasets/manifest.py``); ``verified_share`` of the lines come from it.
    ``plain`` lines are clean letters on clean stone, well photographed, for measuring what the others teach. Stones
    follow each other, so shuffle over a few hundred lines.
    """
    cv2.setNumThreads(1)
    dice = random.Random(seed)  # noqa: S311 - order of training lines
    crops = read_labelled_lines(verified) if verified else []
    source = LineSource(seed, HEIGHT_PX, blank_share=BLANK_SHARE)
    for image, text in replace(source, theme=Theme.CLEAN, hardness=0.0) if plain else source:
        yield image, as_written(text)
        while crops and dice.random() < verified_share:
            yield dice.choice(crops)


def read_labelled_lines(manifest: Path) -> list[Line]:
    """Crops of a label file at the height of the network's input; raises FileNotFoundError for what is no picture."""
    lines = []
    for label in read_manifest(manifest):
        image = cv2.imread(str(manifest.parent / label.path))
        if image is None:
            raise FileNotFoundError(
                f"{manifest.parent / label.path} is no picture; mend {manifest} or leave the line out"
            )
        width_px = max(1, round(image.shape[1] * HEIGHT_PX / image.shape[0]))
        resized = cv2.resize(image, (width_px, HEIGHT_PX), interpolation=cv2.INTER_AREA)
        lines.append((np.asarray(resized, np.uint8), as_written(label.text)))
    return lines


def held_out_lines(count: int) -> list[Line]:
    """The first ``count`` lines of the validation set, always the same ones; runs are compared on them."""
    return _writable(validation_lines(2 * count, HEIGHT_PX), count)


def calibration_lines(count: int) -> list[Line]:
    """Crops of fonts and surfaces unknown to training, some without letters, that choose nothing but the confidence."""
    source = LineSource(CALIBRATION_SEED, HEIGHT_PX, held_out=True, blank_share=BLANK_SHARE)
    return _writable(iter(source), count)


def _writable(lines: Iterator[Line], count: int) -> list[Line]:
    return list(islice(((image, as_written(text)) for image, text in lines if is_writable(as_written(text))), count))
