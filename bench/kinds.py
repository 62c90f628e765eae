"""What pictures are taken for: a confusion matrix over drawn pictures, in fonts that no rule was tried on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random

import cv2
from rich.console import Console
from rich.table import Table

from datasets.other_pictures import Subject, draw_picture
from ocr_service.reading import load_reader, read_photo

SEED = 60_000
PICTURES = 8  # a kind


def run(console: Console) -> Mapping[str, float]:
    """Read the pictures, print the matrix, and return the figures: precision and recall of every kind."""
    reader = load_reader()
    seen: Counter[tuple[str, str]] = Counter()
    for place, subject in enumerate(Subject):
        for index in range(PICTURES):
            picture = draw_picture(Random(SEED + 1000 * place + index), subject, held_out=True)
            data = cv2.imencode(".jpg", picture.image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
            seen[str(subject), str(read_photo(data, "picture.jpg", reader).photo_type)] += 1
    console.print(matrix(seen))
    return figures(seen)


def matrix(seen: Mapping[tuple[str, str], int]) -> Table:
    """A row for each kind that was drawn, a column for each that was said."""
    kinds = [str(subject) for subject in Subject]
    table = Table("drawn as", *kinds, title="what pictures are taken for")
    for drawn in kinds:
        table.add_row(drawn, *(str(seen.get((drawn, said), 0) or "·") for said in kinds))
    return table


def figures(seen: Mapping[tuple[str, str], int]) -> dict[str, float]:
    """Precision and recall of every kind, the share that is right, and the headstones taken for no grave at all."""
    kinds = [str(subject) for subject in Subject]
    found: dict[str, float] = {}
    for kind in kinds:
        right = seen.get((kind, kind), 0)
        drawn = sum(seen.get((kind, said), 0) for said in kinds)
        said = sum(seen.get((other, kind), 0) for other in kinds)
        found[f"{kind}_recall"] = round(right / drawn, 3) if drawn else 0.0
        found[f"{kind}_precision"] = round(right / said, 3) if said else 0.0
    total = sum(seen.values())
    graves, unsure = {"headstone", "collective_stone"}, {"headstone", "collective_stone", "other"}
    found["right"] = round(sum(seen.get((kind, kind), 0) for kind in kinds) / max(total, 1), 3)
    found["graves_lost"] = sum(n for (drawn, said), n in seen.items() if drawn in graves and said not in unsure)
    return found
