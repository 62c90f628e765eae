"""How rightly shots are told to show one grave, and files to hold one picture.

An upload as cemeteries give them: row by row, each grave photographed twice from different places, and beside each a
man of the same family name and village, in the same lettering, with other dates; then graves of the unknown, whose
stones all say the same. Pairs of neighbouring photos are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from random import Random

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from datasets.bad_photos import Defect, spoil
from datasets.dice import Dice
from datasets.lettering import draw_finish
from datasets.lexicon import lexicon
from datasets.martyrs import sample_martyr
from datasets.stones import StoneRequest, make_stone
from datasets.textures import Image
from datasets.truth import Inscription, Kind, Role
from models.metrics import LineErrors, line_errors
from ocr_service.reading import Reader, load_reader, read_photo
from ocr_service.reading.shots import NEAR_DUPLICATE_BITS, REACH, group_shots, merge_lines
from ocr_service.records import Reading
from preprocess.fingerprint import distance_bits, fingerprint

SEED = 96_000
FAMILIES = 8
UNKNOWN = 6
_ANOTHER_VIEW = ((Defect.OBLIQUE, 0.3), (Defect.FAR, 0.2), (Defect.GLARE, 0.3), (Defect.DEFOCUS, 0.12))


def run(console: Console) -> Mapping[str, float]:
    """Read the upload, group it, print the table, and return the figures."""
    reader = load_reader()
    shots = list(take_photos())
    readings = [_read(f"{place:03d}.jpg", image, reader) for place, (_, _, image) in enumerate(shots)]
    graves = group_shots(readings)
    group_of = {at: number for number, grave in enumerate(graves) for at in grave.shots}
    pairs = [(a, b) for a, b in combinations(range(len(shots)), 2) if b - a <= REACH]
    same = [shots[a][0] == shots[b][0] for a, b in pairs]
    said = [group_of[a] == group_of[b] for a, b in pairs]
    hits = sum(t and s for t, s in zip(same, said, strict=True))
    figures = {
        "photos": float(len(shots)),
        "graves": float(len({grave for grave, _, _ in shots})),
        "same_grave_precision": round(hits / max(1, sum(said)), 3),
        "same_grave_recall": round(hits / max(1, sum(same)), 3),
        **_merging(shots, readings, [grave.shots for grave in graves if len(grave.shots) > 1]),
        **_near_duplicates([(grave, image) for grave, _, image in shots]),
    }
    table = Table("figure", "value", title=f"{len(shots)} photos, neighbours up to {REACH} apart")
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), f"{value:g}")
    console.print(table)
    return figures


def take_photos() -> Iterator[tuple[int, tuple[str, ...], Image]]:
    """Number of the grave, what stands on it, and a photo, in upload order."""
    grave = 0
    for family in range(FAMILIES):
        rng = Random(SEED + family)
        man = _martyr(rng, Kind.NAMED)
        finish = draw_finish(Dice.of(rng))
        for inscription in (man, _namesake(rng, man)):
            grave += 1
            request = StoneRequest(inscription, finish=finish, hardness=0.4, held_out=True, watermark=False)
            stone = make_stone(rng, request)
            yield grave, stone.texts, stone.image
            dice = Dice.of(rng)
            defect, most = dice.choice(_ANOTHER_VIEW)
            yield grave, stone.texts, spoil(dice, stone, defect, dice.uniform(0, most)).image
    rng = Random(SEED - 1)
    nobody = _martyr(rng, Kind.UNKNOWN)
    finish = draw_finish(Dice.of(rng))
    for _ in range(UNKNOWN):
        grave += 1
        stone = make_stone(rng, StoneRequest(nobody, finish=finish, yaw_deg=2.0, hardness=0.4, held_out=True))
        yield grave, stone.texts, stone.image


def _martyr(rng: Random, kind: Kind) -> Inscription:
    while (found := sample_martyr(rng)).kind is not kind:
        pass
    return found


def _namesake(rng: Random, man: Inscription) -> Inscription:
    """A man of the same family name and village: another given name, other days and years."""

    def other(text: str, role: Role) -> str:
        if role is Role.NAME:
            given = lexicon().givens.draw(rng)
            return " ".join([*text.split()[:-1], given.upper() if text.isupper() else given])
        return re.sub(r"\d+", lambda number: _another(rng, number[0]), text)

    return replace(man, lines=tuple(other(text, role) for text, role in zip(man.lines, man.roles, strict=True)))


def _another(rng: Random, number: str) -> str:
    if len(number) == 4:
        return str(int(number) + rng.choice((-6, -4, -3, -1, 1, 2, 3, 5)))
    return f"{rng.randint(1, 12):0{len(number)}d}" if len(number) < 3 else number


def _read(name: str, image: Image, reader: Reader) -> Reading:
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
    return read_photo(data, name, reader)


def _merging(
    shots: Sequence[tuple[int, tuple[str, ...], Image]], readings: Sequence[Reading], groups: Sequence[Sequence[int]]
) -> dict[str, float]:
    """Character errors of the best shot alone and of all shots together, where there are several."""
    alone = together = LineErrors()
    for group in groups:
        order = sorted(group, key=lambda at: -sum(len(line.text) * line.confidence for line in readings[at].lines))
        truth = shots[group[0]][1]
        alone += line_errors(truth, [line.text for line in readings[order[0]].lines])
        merged = merge_lines([readings[at].lines for at in order])
        together += line_errors(truth, [one.line.text for one in merged])
    return {"best_shot_cer": round(alone.cer, 4), "merged_cer": round(together.cer, 4)}


def _near_duplicates(pictures: Sequence[tuple[int, Image]]) -> dict[str, float]:
    """Pictures saved again, shrunk, brightened or trimmed against all pairs of pictures of different graves."""
    prints = [(grave, fingerprint(image)) for grave, image in pictures]
    own = zip(prints, pictures, strict=True)
    copies = [(known, fingerprint(copy)) for (_, known), (_, image) in own for copy in _copies(image)]
    found = sum(distance_bits(*pair) <= NEAR_DUPLICATE_BITS for pair in copies)
    false = sum(
        distance_bits(one, other) <= NEAR_DUPLICATE_BITS
        for (grave, one), (other_grave, other) in combinations(prints, 2)
        if grave != other_grave
    )
    return {
        "near_duplicate_precision": round(found / max(1, found + false), 3),
        "near_duplicate_recall": round(found / len(copies), 3),
    }


def _copies(image: Image) -> Iterator[Image]:
    trim_y, trim_x = image.shape[0] // 50, image.shape[1] // 50
    saved = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
    yield np.asarray(cv2.imdecode(saved, cv2.IMREAD_COLOR), np.uint8)
    yield np.asarray(cv2.resize(image, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA), np.uint8)
    yield np.asarray(cv2.convertScaleAbs(image, alpha=1.2, beta=10), np.uint8)
    yield image[trim_y:-trim_y, trim_x:-trim_x]
