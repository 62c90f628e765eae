"""How well a network in training reads lines that it never learns from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from models.charset import Charset
from models.ctc import greedy
from models.metrics import LineErrors, line_errors
from models.training.alphabet import CLASSES
from models.training.batches import to_batch, to_pixels
from models.training.lines import Line
from models.training.network import Recogniser

BATCH_LINES = 16


def read_lines(network: Recogniser, lines: Sequence[Line], device: torch.device) -> list[str]:
    """Texts of ``lines`` by greedy decoding, in their order."""
    charset, texts = Charset(CLASSES), [""] * len(lines)
    order = sorted(range(len(lines)), key=lambda index: lines[index][0].shape[1])
    for start in range(0, len(order), BATCH_LINES):
        chosen = order[start : start + BATCH_LINES]
        batch = to_batch([lines[index] for index in chosen])
        with torch.no_grad():
            probabilities = network(to_pixels(batch, device)).float().softmax(-1).cpu().numpy()
        for index, frames in zip(chosen, probabilities, strict=True):
            texts[index] = charset.text(greedy(np.asarray(frames)).labels).strip()
    return texts


def score(network: Recogniser, lines: Sequence[Line], device: torch.device) -> LineErrors:
    """Errors over ``lines``."""
    total = LineErrors()
    for (_, truth), read in zip(lines, read_lines(network, lines, device), strict=True):
        total += line_errors([truth], [read])
    return total
