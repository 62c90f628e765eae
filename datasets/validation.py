"""A validation set of the project's own: fixed seeds, fonts and surfaces that training never sees.

For choosing among variants (data, training, decoding, enhancement), so that the sets that measure the product are
never tuned on.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

from datasets.lines import CROP_HEIGHT_PX, LineSource
from datasets.manifest import dump_lines
from datasets.pack import write_stone
from datasets.stones import StonePhoto, StoneRequest, make_stone
from datasets.textures import Image

LINES_SEED = 900_001
STONES_SEED = 900_002
MAX_STONE_BYTES = 400_000


def validation_lines(count: int, height_px: int = CROP_HEIGHT_PX) -> Iterator[tuple[Image, str]]:
    """The first ``count`` held-out lines; a larger count begins with the same lines."""
    return islice(iter(LineSource(LINES_SEED, height_px=height_px, held_out=True)), count)


def validation_stones(count: int) -> Iterator[StonePhoto]:
    """The first ``count`` held-out stones; a larger count begins with the same stones."""
    for index in range(count):
        rng = Random(STONES_SEED + 1000 * index)  # noqa: S311 (seeded pictures, not secrets)
        yield make_stone(rng, StoneRequest(held_out=True, hardness=0.8))


def write_validation(folder: Path, line_count: int, stone_count: int) -> None:
    """``folder/lines`` as crops with a label file, ``folder/stones`` as photographs with truth files."""
    dump_lines(validation_lines(line_count), line_count, folder / "lines")
    for index, photo in enumerate(validation_stones(stone_count)):
        write_stone(photo, folder / "stones", f"{index:03d}", MAX_STONE_BYTES)
