"""Held-out rendered stones that fields are calibrated on: seeds that nothing else uses, rendered and read once.

Rendering takes two thirds of a CPU second a stone, reading less than half of one, so both are kept in a folder: stones
as photos with truth files, readings in a journal of each bundle.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

from datasets.inscriptions import sample_inscription
from datasets.pack import write_stone
from datasets.stones import StonePhoto, StoneRequest, make_stone
from ocr_service.evaluation.truth import TruePhoto, load_truth
from ocr_service.journal import Journal
from ocr_service.reading import Reader, read_photo
from ocr_service.records import Reading

CIVIL_SHARE = 0.1
MAX_STONE_BYTES = 400_000


def draw_stone(index: int) -> StonePhoto:
    """Render stone number ``index``: fonts and surfaces unknown to training, pictures from clean to hardly legible.

    Harder than most photos on purpose (sides of 800 to 1,600 px, hardness 0.4 to 2.4): a confidence is needed where
    something can go wrong.
    """
    rng = Random(f"field calibration {index}")  # noqa: S311 - seeded pictures, not secrets
    inscription = sample_inscription(rng, civil_share=CIVIL_SHARE)
    hardness = 0.4 + 2.0 * rng.random() ** 2
    request = StoneRequest(inscription, hardness=hardness, long_side_px=rng.randint(800, 1600), held_out=True)
    return make_stone(rng, request)


def write_stones(folder: Path, count: int) -> None:
    """Render those of the first ``count`` stones that ``folder`` lacks."""
    for index in range(count):
        if not (folder / f"{index:04d}.json").is_file():
            write_stone(draw_stone(index), folder, f"{index:04d}", MAX_STONE_BYTES)


def read_stones(folder: Path, count: int, reader: Reader, journal: Path) -> list[tuple[TruePhoto, Reading]]:
    """Return the truth of the first ``count`` stones and their readings, taken anew where the journal has none.

    Raises StorageError or UsageError as the journal does.
    """
    stones = load_truth(folder)[:count]
    with Journal(journal) as kept:
        for stone in stones:
            if stone.path.name not in kept.readings:
                kept.append(read_photo(stone.path.read_bytes(), stone.path.name, reader))
        return [(stone, kept.readings[stone.path.name]) for stone in stones]
