import json
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from datasets.pack import MAX_BYTES, PACK, SAMPLES_DIR, contact_sheet, encode_jpeg

NAMES = [sample.name for sample in PACK]


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_fits_its_truth(name: str) -> None:
    photo = SAMPLES_DIR / f"{name}.jpg"
    truth = json.loads((SAMPLES_DIR / f"{name}.json").read_text(encoding="utf-8"))
    assert photo.stat().st_size <= MAX_BYTES
    upright = cv2.imread(str(photo))  # OpenCV applies the EXIF orientation
    assert [upright.shape[1], upright.shape[0]] == truth["size"]
    assert len(truth["lines"]) == len(truth["line_quads"]) > 0
    assert truth["kind"] != "civil"


def test_the_pack_holds_what_it_has_to_show() -> None:
    truths = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in SAMPLES_DIR.glob("*.json")}
    assert sorted(truths) == sorted(NAMES)
    assert len(truths) >= 14
    assert any(truth["truth"].get("unknown") for truth in truths.values())
    assert any(truth["scene"]["wear"] > 0.85 for truth in truths.values())
    assert len({truth["scene"]["material"] for truth in truths.values()}) >= 7
    assert any(truth["scene"]["exif"] != 1 for truth in truths.values())


def test_the_turned_sample_is_stored_as_a_phone_would() -> None:
    turned = next(sample for sample in PACK if sample.exif_orientation == 6)
    with Image.open(SAMPLES_DIR / f"{turned.name}.jpg") as picture:
        assert picture.getexif()[0x0112] == 6
        truth = json.loads((SAMPLES_DIR / f"{turned.name}.json").read_text(encoding="utf-8"))
        assert list(picture.size) == truth["size"][::-1]


def test_two_lines_of_the_two_column_sample_share_a_row() -> None:
    truth = json.loads((SAMPLES_DIR / "11_two_columns.json").read_text(encoding="utf-8"))
    middles = [np.mean([y for _, y in quad]) for quad in truth["line_quads"]]
    assert min(abs(a - b) for a, b in pairwise(middles)) < 25


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_turned_jpeg_opens_upright(orientation: int, tmp_path: Path) -> None:
    image = np.zeros((40, 80, 3), np.uint8)
    image[:10, :20] = 255
    path = tmp_path / "turned.jpg"
    path.write_bytes(encode_jpeg(image, orientation))
    upright = cv2.imread(str(path))
    assert upright.shape == image.shape
    assert upright[:8, :18].mean() > 200 and upright[15:, 25:].mean() < 30


def test_a_noisy_picture_is_pressed_below_the_limit() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    assert len(encode_jpeg(noise, max_bytes=60_000)) <= 60_000


def test_a_contact_sheet_holds_every_picture_in_its_rows() -> None:
    pictures = [np.full((50, 80, 3), shade, np.uint8) for shade in (60, 120, 180)]
    sheet = contact_sheet(pictures, row_height_px=50, width_px=170)
    assert sheet.shape == (100, 170, 3)
    assert [int(sheet[25, 40, 0]), int(sheet[25, 120, 0]), int(sheet[75, 40, 0])] == [60, 120, 180]
