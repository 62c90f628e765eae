"""Makes the sample pack: fixed seeds, a list of what each stone has to show, and a contact sheet of the result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from random import Random

import cv2
import numpy as np
from PIL import Image as PillowImage

from datasets.dice import Dice
from datasets.lettering import Finish, Look, Theme, draw_finish
from datasets.martyrs import sample_martyr
from datasets.stones import StonePhoto, StoneRequest, make_stone
from datasets.textures import Image, Material
from datasets.truth import Inscription, Kind

SAMPLES_DIR = Path(__file__).parent / "samples"
MAX_BYTES = 250_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One stone of the pack. What is None is drawn from the seed."""

    name: str
    seed: int
    theme: Theme
    material: Material
    look: Look
    paint: tuple[float, float, float] | None = None
    wear: float = 0.0
    kind: Kind = Kind.NAMED
    yaw_deg: float | None = None
    two_columns: bool = False
    exif_orientation: int = 1
    long_side_px: int = 1400
    hardness: float = 0.5
    occluder: bool = False


_WHITE, _GOLD, _YELLOW, _RED, _BLACK, _BLUE = (
    (235, 237, 238),
    (75, 175, 222),
    (40, 205, 240),
    (45, 40, 185),
    (24, 22, 22),
    (150, 75, 35),
)

PACK = (
    Sample("01_black_gold", 101, Theme.WORKSHOP, Material.BLACK, Look.SANDBLASTED, _GOLD, yaw_deg=4),
    Sample("02_black_white", 102, Theme.WORKSHOP, Material.BLACK, Look.SANDBLASTED, _WHITE, yaw_deg=-9),
    Sample("03_gold_plate", 103, Theme.WORKSHOP, Material.GOLD, Look.PLATE, _BLACK, yaw_deg=3),
    Sample("04_red_granite", 104, Theme.WORKSHOP, Material.RED, Look.V_CUT, _YELLOW, yaw_deg=14),
    Sample("05_marble_engraved", 105, Theme.WORN, Material.MARBLE, Look.V_CUT, None, wear=0.25, yaw_deg=-12),
    Sample("06_grey_moss", 206, Theme.WORN, Material.GREY, Look.V_CUT, _RED, wear=0.4, occluder=True),
    Sample("07_cement_hand_painted", 107, Theme.HAND_PAINTED, Material.CEMENT, Look.PAINTED, _RED, wear=0.35),
    Sample("08_whitewash_blue", 108, Theme.HAND_PAINTED, Material.WHITEWASH, Look.PAINTED, _BLUE, wear=0.2, yaw_deg=8),
    Sample("09_speckled_white", 109, Theme.WORKSHOP, Material.SPECKLED, Look.PAINTED, _WHITE, yaw_deg=-16),
    Sample("10_unknown", 110, Theme.CLEAN, Material.GREY, Look.V_CUT, _RED, kind=Kind.UNKNOWN, yaw_deg=5),
    Sample("11_two_columns", 111, Theme.CLEAN, Material.MARBLE, Look.PAINTED, _BLACK, two_columns=True, yaw_deg=-3),
    Sample("12_almost_gone", 112, Theme.WORN, Material.CEMENT, Look.V_CUT, _RED, wear=0.92, yaw_deg=10, hardness=1.0),
    Sample("13_turned_by_exif", 113, Theme.WORKSHOP, Material.BLACK, Look.V_CUT, _YELLOW, exif_orientation=6),
    Sample("14_raised", 114, Theme.WORN, Material.GREY, Look.RAISED, _GOLD, wear=0.15, yaw_deg=7),
    Sample("15_oblique_terrazzo", 115, Theme.HAND_PAINTED, Material.TERRAZZO, Look.PAINTED, _RED, wear=0.3, yaw_deg=29),
    Sample("16_blurred", 317, Theme.WORKSHOP, Material.GREEN, Look.PAINTED, _GOLD, long_side_px=1200, hardness=1.3),
)  # fmt: skip


def _inscription(sample: Sample, rng: Random) -> Inscription:
    """A martyr's stone of the wanted kind; two columns need two short dated lines in a row."""
    while True:
        inscription = sample_martyr(rng)
        if inscription.kind is not sample.kind:
            continue
        if sample.kind is Kind.UNKNOWN:
            return inscription
        dated = [len(line) < 22 and any(char.isdigit() for char in line) for line in inscription.lines]
        if len(inscription.lines) >= 5 and (not sample.two_columns or any(map(all, pairwise(dated)))):
            return inscription


def render(sample: Sample) -> StonePhoto:
    """The photograph of one sample, the same on every machine that has the same fonts."""
    rng = Random(sample.seed)  # noqa: S311 (seeded pictures, not secrets)
    finish = draw_finish(Dice.of(rng), sample.theme)
    finish = Finish(sample.theme, sample.material, sample.look, sample.paint, sample.wear, finish.polish, finish.light)
    request = StoneRequest(
        inscription=_inscription(sample, rng), finish=finish, long_side_px=sample.long_side_px, yaw_deg=sample.yaw_deg,
        two_columns=sample.two_columns, occluder=sample.occluder,
        exif_orientation=sample.exif_orientation, hardness=sample.hardness,
    )  # fmt: skip
    return make_stone(rng, request)


_TURNS = {1: None, 3: cv2.ROTATE_180, 6: cv2.ROTATE_90_COUNTERCLOCKWISE, 8: cv2.ROTATE_90_CLOCKWISE}


def encode_jpeg(image: Image, exif_orientation: int = 1, max_bytes: int = MAX_BYTES) -> bytes:
    """JPEG bytes of an upright picture, stored turned as a phone would, at the best quality that fits ``max_bytes``."""
    turn = _TURNS[exif_orientation]
    stored = image if turn is None else cv2.rotate(image, turn)
    picture = PillowImage.fromarray(cv2.cvtColor(np.asarray(stored), cv2.COLOR_BGR2RGB))
    exif = PillowImage.Exif()
    exif[0x0112] = exif_orientation
    for quality in range(90, 30, -5):
        buffer = BytesIO()
        picture.save(buffer, "JPEG", quality=quality, exif=exif.tobytes(), optimize=True)
        if buffer.tell() <= max_bytes:
            break
    return buffer.getvalue()


def write_stone(photo: StonePhoto, folder: Path, name: str, max_bytes: int = MAX_BYTES) -> None:
    """``NAME.jpg`` and its truth ``NAME.json`` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jpg").write_bytes(encode_jpeg(photo.image, photo.exif_orientation, max_bytes))
    text = json.dumps(photo.as_json(), ensure_ascii=False, indent=1)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def contact_sheet(images: list[Image], row_height_px: int = 420, width_px: int = 1800) -> Image:
    """All pictures side by side in rows of one height, black where a row ends early."""
    rows: list[list[Image]] = [[]]
    for image in images:
        width = min(width_px, max(1, round(image.shape[1] * row_height_px / image.shape[0])))
        small = np.asarray(cv2.resize(image, (width, row_height_px), interpolation=cv2.INTER_AREA), np.uint8)
        if rows[-1] and sum(piece.shape[1] for piece in rows[-1]) + width > width_px:
            rows.append([])
        rows[-1].append(small)
    sheet = np.zeros((row_height_px * len(rows), width_px, 3), np.uint8)
    for index, row in enumerate(rows):
        left = 0
        for piece in row:
            sheet[index * row_height_px : (index + 1) * row_height_px, left : left + piece.shape[1]] = piece
            left += piece.shape[1]
    return sheet


def write_pack(folder: Path, sheet: Path) -> int:
    """Render the whole pack into ``folder`` and its contact sheet; returns the number of photographs."""
    photos = [render(sample) for sample in PACK]
    for sample, photo in zip(PACK, photos, strict=True):
        write_stone(photo, folder, sample.name)
    sheet.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(sheet), contact_sheet([photo.image for photo in photos]))
    return len(photos)
