"""Rendered lines, made into batches by background processes while the network learns.

Lines of like width share a batch, so little of it is padding. The padding is what the runtimes do: mid grey, which is
0 after normalisation, on the right; every other batch is at least ``PADDED_WIDTH_PX`` wide, since PaddleX and
RapidOCR pad every line to that, while our own serving pads nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from models.training.alphabet import CLASSES, is_writable
from models.training.lines import HEIGHT_PX, Line

PADDED_WIDTH_PX = 320
FRAME_PX = 8
POOL_LINES = 320
MAX_BATCH_LINES = 48
PREFETCHED_BATCHES = 48
"""A worker fills its pool in one go and then hands out some twenty batches; this many bridge the gap."""

_LABEL = {character: label for label, character in enumerate(CLASSES)}


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines side by side: ``images`` ``(lines, 48, width, 3)`` uint8, their own ``widths_px``, and their classes."""

    images: torch.Tensor
    widths_px: torch.Tensor
    labels: torch.Tensor
    """The classes of all lines, one after the other."""
    label_counts: torch.Tensor


def to_batch(lines: list[Line], min_width_px: int = 0) -> Batch:
    """Stack lines, padded on the right to the widest, and at least to ``min_width_px``."""
    width = max(min_width_px, *(image.shape[1] for image, _ in lines))
    images = np.zeros((len(lines), HEIGHT_PX, width, 3), np.uint8)
    for row, (image, _) in enumerate(lines):
        images[row, :, : image.shape[1]] = image
    labels = [[_LABEL[character] for character in text] for _, text in lines]
    return Batch(
        images=torch.from_numpy(images),
        widths_px=torch.tensor([image.shape[1] for image, _ in lines]),
        labels=torch.tensor([label for line in labels for label in line], dtype=torch.long),
        label_counts=torch.tensor([len(line) for line in labels]),
    )


def to_pixels(batch: Batch, device: torch.device) -> torch.Tensor:
    """Network input ``(lines, 3, 48, width)`` in -1..1, BGR; 0 where a line ended."""
    images = batch.images.to(device, non_blocking=True).permute(0, 3, 1, 2).float() / 127.5 - 1.0
    columns = torch.arange(images.shape[3], device=device)
    inside = columns[None] < batch.widths_px.to(device)[:, None]
    return (images * inside[:, None, None]).contiguous(memory_format=torch.channels_last)


def is_trainable(line: Line, max_width_px: int) -> bool:
    """Whether CTC can align the text: known characters, and a frame for each of them and between equal neighbours.

    The empty text is learnt too: a detector's false alarm is to be read as nothing.
    """
    image, text = line
    frames_needed = len(text) + sum(before == after for before, after in pairwise(text))
    return is_writable(text) and frames_needed * FRAME_PX <= image.shape[1] <= max_width_px


def batches_of(lines: list[Line], columns_px: int, shuffle: random.Random) -> Iterator[Batch]:
    """Cut a pool of lines into batches of like widths, in random order; half of them padded as the peers pad."""
    by_width = sorted(lines, key=lambda line: line[0].shape[1])
    groups: list[list[Line]] = [[]]
    for line in by_width:
        is_full = (len(groups[-1]) + 1) * line[0].shape[1] > columns_px or len(groups[-1]) == MAX_BATCH_LINES
        if groups[-1] and is_full:
            groups.append([])
        groups[-1].append(line)
    shuffle.shuffle(groups)
    for group in groups:
        yield to_batch(group, PADDED_WIDTH_PX if shuffle.random() < 0.5 else 0)


class RenderedBatches(IterableDataset[Batch]):  # type: ignore[misc]  # torch is optional
    """Endless batches from ``open_source(seed)``; each background process renders from a seed of its own.

    Every line is learnt from once: rendering one takes a sixth of the time of learning from it on a CPU.
    """

    def __init__(
        self,
        open_source: Callable[[int], Iterator[Line]],
        seed: int,
        columns_px: int,
        max_width_px: int,
    ):
        super().__init__()
        self.open_source, self.seed = open_source, seed
        self.columns_px, self.max_width_px = columns_px, max_width_px

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        seed = self.seed * 1000 + (worker.id if worker else 0)
        dice, pool = random.Random(seed), list[Line]()  # noqa: S311 - order of training lines
        for line in self.open_source(seed):
            if is_trainable(line, self.max_width_px):
                pool.append(line)
            if len(pool) == POOL_LINES:
                yield from batches_of(pool, self.columns_px, dice)
                pool = []


def load_batches(batches: RenderedBatches, workers: int) -> Iterator[Batch]:
    """Batches from ``workers`` background processes; fresh ones, as OpenCV's threads do not survive a fork."""
    context = "spawn" if workers else None
    prefetch = PREFETCHED_BATCHES if workers else None
    return iter(
        DataLoader(
            batches, batch_size=None, num_workers=workers, multiprocessing_context=context, prefetch_factor=prefetch
        )
    )
