"""What each part of seeing brings: photos read plainly, then with one part of the product more at a time.

``python -m bench --only ablation`` renders held-out stones; ``python -m bench.ablation FOLDER`` takes photos with truth
files.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from random import Random

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from datasets.lettering import Theme
from datasets.pack import write_stone
from datasets.stones import StonePhoto, StoneRequest, make_stone
from datasets.textures import Image
from datasets.validation import validation_stones
from models.bundle import load_bundle
from models.detector import LineDetector
from models.recogniser import RecognisedLine
from ocr_service.evaluation import EngineScore, TruePhoto, load_truth
from ocr_service.evaluation.peers import Ours, PhotoReader, SeenLine, SeenPhoto
from ocr_service.evaluation.run import measure
from ocr_service.reading import Reader, load_reader
from ocr_service.reading.photo import MAX_SIDE_PX
from ocr_service.reading.second_look import look_again
from ocr_service.reading.sight import (
    first_look,
    in_more_light,
    is_text,
    legibility,
    look_nearer,
    read_lines,
    stood_up,
    turned_over,
)
from preprocess.decode import decode_photo

PARTS = ("levelled", "ornaments left out", "nearer look", "turns", "more light", "second look")
RAW = "raw photo"
WHOLE = "whole product"

STONES, WORN, SPECIAL = 32, 20, 9
_WORN_SEED = 900_003
_FAR = 2.5  # times the stone's own frame
_TURNS = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)
_LEAST_SCORE = 0.5  # what RapidOCR leaves out by default: lines whose characters have a lower mean probability
_PHOTO_BYTES = 3_000_000


@dataclass(frozen=True, slots=True)
class Seeing:
    """The shipped detector and recogniser on the decoded photo, with some of ``PARTS`` of what the product adds.

    Without any, it is what a plain pipeline does: boxes of the detector, cut out, read once each.
    """

    reader: Reader
    parts: frozenset[str]

    def read(self, path: Path) -> SeenPhoto:
        """Read the photo at ``path``."""
        detector, recogniser = self.reader.detector, self.reader.recogniser
        if "levelled" not in self.parts:
            detector = _unlevelled(self.reader.bundle_id)
        sight = first_look(decode_photo(path.read_bytes(), max_side_px=MAX_SIDE_PX).image, detector)
        if "nearer look" in self.parts:
            sight = look_nearer(sight, detector)
        if "turns" in self.parts:
            sight = stood_up(sight, detector, recogniser)
        seen = read_lines(sight, recogniser)
        if "turns" in self.parts and (turned := turned_over(sight, seen, recogniser)):
            sight, seen = turned, read_lines(turned, recogniser)
        if "more light" in self.parts and (lit := in_more_light(sight, seen, detector, recogniser)):
            sight, seen = lit
        if "second look" in self.parts:
            seen = look_again(sight.image, sight.quads, seen, recogniser)
        return SeenPhoto(tuple(SeenLine(line.text, line.confidence) for line in seen if self._counts(line)))

    def _counts(self, line: RecognisedLine) -> bool:
        return is_text(line) if "ornaments left out" in self.parts else legibility([line]) >= _LEAST_SCORE


@lru_cache(maxsize=1)
def _unlevelled(bundle_id: str) -> LineDetector:
    return LineDetector(load_bundle(bundle_id).detector, levelled=False)


def run(console: Console) -> Mapping[str, float]:
    """Measure on rendered stones: as they come, worn, turned without EXIF, far away; return the figures."""
    figures: dict[str, float] = {}
    for name, photos in _sets().items():
        with tempfile.TemporaryDirectory() as folder:
            for index, photo in enumerate(photos):
                write_stone(photo, Path(folder), f"{index:03d}", _PHOTO_BYTES)
            scores = ablate(load_truth(Path(folder)), load_reader())
        console.print(table(scores, f"{len(scores[RAW].photos)} stones, {name}"))
        for row, score in scores.items():
            key = f"{name}_{row}".replace("+ ", "").replace(",", "").replace(" ", "_")
            figures[f"{key}_cer"] = round(score.errors.cer, 4)
            figures[f"{key}_times_raw"] = round(score.cpu_seconds_per_photo / scores[RAW].cpu_seconds_per_photo, 2)
    return figures


def ablate(truth: Sequence[TruePhoto], reader: Reader) -> dict[str, EngineScore]:
    """Read all photos plainly, then with one part more at a time, then by the product itself."""
    rows: dict[str, PhotoReader] = {RAW: Seeing(reader, frozenset())}
    rows |= {f"+ {part}": Seeing(reader, frozenset(PARTS[: count + 1])) for count, part in enumerate(PARTS)}
    rows[WHOLE] = Ours(reader)
    return {name: measure(name, row, truth) for name, row in rows.items()}


def table(scores: Mapping[str, EngineScore], title: str) -> Table:
    """One row a step; times are CPU time, ratios are to the raw photo."""
    raw = scores[RAW]
    found = Table(
        "", "char errors", "CER", "exact lines", "missed", "false", "ms a photo", "x errors", "x time", title=title
    )
    for name, score in scores.items():
        errors = score.errors
        found.add_row(
            name,
            f"{errors.char_errors} / {errors.chars}",
            f"{errors.cer:.1%}",
            f"{errors.exact_lines} / {errors.lines}",
            str(errors.missed_lines),
            str(errors.false_lines),
            f"{score.cpu_seconds_per_photo * 1000:.0f}",
            f"{errors.char_errors / max(raw.errors.char_errors, 1):.2f}",
            f"{score.cpu_seconds_per_photo / raw.cpu_seconds_per_photo:.2f}",
        )
    return found


def _sets() -> dict[str, Iterator[StonePhoto]]:
    return {
        "all kinds": validation_stones(STONES),
        "worn": (_worn(index) for index in range(WORN)),
        "turned without EXIF": map(_turned, validation_stones(SPECIAL), range(SPECIAL)),
        "far away": map(_far, validation_stones(SPECIAL)),
    }


def _worn(index: int) -> StonePhoto:
    rng = Random(_WORN_SEED + 1000 * index)
    return make_stone(rng, StoneRequest(held_out=True, theme=Theme.WORN))


def _turned(photo: StonePhoto, index: int) -> StonePhoto:
    return replace(photo, image=np.asarray(cv2.rotate(photo.image, _TURNS[index % 3]), np.uint8), line_quads=())


def _far(photo: StonePhoto) -> StonePhoto:
    """The photo in the middle of a frame ``_FAR`` times its size, filled with its own edges."""
    height, width = photo.image.shape[:2]
    above, beside = round(height * (_FAR - 1) / 2), round(width * (_FAR - 1) / 2)
    frame: Image = np.asarray(
        cv2.copyMakeBorder(photo.image, above, above, beside, beside, cv2.BORDER_REPLICATE), np.uint8
    )
    return replace(photo, image=frame, line_quads=())


def main() -> None:
    """Print the table for a folder of photos with truth files."""
    parser = argparse.ArgumentParser(prog="python -m bench.ablation", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    truth = load_truth(folder)
    Console(width=140).print(table(ablate(truth, load_reader()), f"{len(truth)} photos"))


if __name__ == "__main__":
    main()
