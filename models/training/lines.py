"""Where the lines of a run come from: endless rendered ones to learn from, held-out ones to be judged by."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets.lines import LineSource
from models.training.alphabet import is_writable

HEIGHT_PX = 48

Line = tuple[NDArray[np.uint8], str]
"""A crop ``(48, width, 3)`` in BGR and its text in NFC."""

# Fonts and surfaces of held-out lines are unknown to training; these seeds keep the texts apart too, and keep the
# lines that choose between runs apart from those that calibrate confidences.
VALIDATION_SEED = 7_000_001
CALIBRATION_SEED = 7_000_002


def training_lines(seed: int) -> Iterator[Line]:
    """Rendered lines without end; stones follow each other, so shuffle over a few hundred lines."""
    cv2.setNumThreads(1)
    yield from LineSource(seed, HEIGHT_PX)


def held_out_lines(count: int, seed: int = VALIDATION_SEED) -> list[Line]:
    """The first ``count`` writable lines of a held-out source, always the same ones."""
    source = LineSource(seed, HEIGHT_PX, held_out=True)
    return list(islice(((image, text) for image, text in source if is_writable(text)), count))
