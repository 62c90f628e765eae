from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from itertools import count

import numpy as np
import torch

from models.training.alphabet import CLASSES
from models.training.batches import POOL_LINES, RenderedBatches, batches_of, is_trainable, to_batch, to_pixels
from models.training.lines import Line


def line(text: str, width_px: int, grey: int = 255) -> Line:
    return np.full((48, width_px, 3), grey, np.uint8), text


def test_padding_is_zero_after_normalisation() -> None:
    pixels = to_pixels(to_batch([line("A", 40), line("B", 100)], 320), torch.device("cpu"))
    assert pixels.shape == (2, 3, 48, 320)
    assert torch.all(pixels[0, :, :, :40] == 1.0)
    assert torch.all(pixels[0, :, :, 40:] == 0.0)


def test_labels_spell_the_texts_one_after_the_other() -> None:
    batch = to_batch([line("Hà", 40), line("Nội", 60)])
    assert "".join(CLASSES[label] for label in batch.labels) == "HàNội"
    assert batch.label_counts.tolist() == [2, 3]


def test_lines_too_short_for_ctc_or_with_foreign_letters_are_left_out() -> None:
    assert is_trainable(line("1972", 48), 900)
    assert not is_trainable(line("1972", 24), 900)
    assert not is_trainable(line("NN", 23), 900)
    assert not is_trainable(line("烈士", 90), 900)
    assert not is_trainable(line("1972", 901), 900)


def test_a_crop_without_letters_is_learnt_as_the_empty_text() -> None:
    assert is_trainable(line("", 60), 900)
    batch = to_batch([line("", 60)])
    assert batch.label_counts.tolist() == [0]
    assert batch.labels.dtype == torch.long


def test_every_line_of_a_pool_is_in_exactly_one_batch() -> None:
    dice = random.Random(5)
    lines = [line("A" * count, 20 + 17 * count) for count in range(1, 41)]
    batches = list(batches_of(lines, 1600, dice))
    assert sorted(count for batch in batches for count in batch.label_counts.tolist()) == list(range(1, 41))
    assert all(len(batch.widths_px) * int(batch.widths_px.max()) <= 1600 for batch in batches)


def numbered_lines(seed: int) -> Iterator[Line]:
    for number in count(seed):
        yield line(f"{number:08}", 160)


def texts_of(batches: RenderedBatches, pools: int) -> Counter[str]:
    """Texts of the batches made of the first ``pools`` pools, with how often each was used."""
    texts: Counter[str] = Counter()
    for batch in batches:
        spelt = "".join(CLASSES[label] for label in batch.labels)
        texts.update(spelt[start : start + 8] for start in range(0, len(spelt), 8))
        if texts.total() >= POOL_LINES * pools:
            break
    return texts


def test_every_rendered_line_is_learnt_from_once() -> None:
    texts = texts_of(RenderedBatches(numbered_lines, 3, 6400, 900), pools=2)
    assert len(texts) == texts.total() == 2 * POOL_LINES


def test_each_run_renders_from_seeds_of_its_own() -> None:
    first, second = (texts_of(RenderedBatches(numbered_lines, seed, 6400, 900), pools=1) for seed in (1, 2))
    assert not set(first) & set(second)
