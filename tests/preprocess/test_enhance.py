from __future__ import annotations

import cv2
import numpy as np
import pytest

from preprocess.enhance import VARIANTS, ink


def letters(ground: tuple[int, int, int], paint: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A line's crop, and the mask of its letters."""
    mask = np.zeros((48, 400), np.uint8)
    cv2.putText(mask, "NGUYEN VAN HUNG", (10, 36), cv2.FONT_HERSHEY_DUPLEX, 1.1, 255, 2)
    crop = np.full((48, 400, 3), ground, np.uint8)
    crop[mask > 0] = paint
    return crop, mask > 0


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize(
    ("ground", "paint"),
    [
        ((30, 30, 30), (90, 200, 235)),  # gold on black
        ((210, 210, 210), (40, 40, 40)),  # black on marble
        ((40, 30, 110), (235, 235, 235)),  # white on red granite
        ((205, 200, 200), (40, 40, 190)),  # red on cement
    ],
)
def test_letters_come_out_dark_on_light(name: str, ground: tuple[int, int, int], paint: tuple[int, int, int]) -> None:
    crop, mask = letters(ground, paint)
    seen = VARIANTS[name](crop)
    assert seen.shape == crop.shape
    assert seen.dtype == np.uint8
    assert seen[mask].mean() + 80 < seen[~mask].mean()


def test_paint_as_light_as_its_ground_is_told_by_colour() -> None:
    crop, mask = letters((200, 200, 200), (70, 215, 235))
    assert abs(float(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)[mask].mean()) - 200) < 12
    seen = ink(crop)
    assert abs(float(seen[mask].mean()) - float(seen[~mask].mean())) > 80


def test_one_threshold_parts_letters_from_ground_across_a_shadow() -> None:
    crop, mask = letters((210, 210, 210), (60, 60, 60))
    shaded = (crop * np.linspace(1.0, 0.1, 400)[None, :, None]).astype(np.uint8)

    def parted(picture: np.ndarray) -> bool:
        grey, ends = picture[..., 0], (slice(0, 130), slice(270, 400))
        letter = [float(np.median(grey[:, end][mask[:, end]])) for end in ends]
        ground = [float(np.median(grey[:, end][~mask[:, end]])) for end in ends]
        return max(letter) < min(ground)

    assert not parted(shaded)
    assert parted(ink(shaded))


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_are_deterministic_and_survive_plain_crops(name: str) -> None:
    for value in (0, 128, 255):
        plain = np.full((32, 16, 3), value, np.uint8)
        assert (VARIANTS[name](plain) == VARIANTS[name](plain)).all()
