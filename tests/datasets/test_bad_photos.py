from __future__ import annotations

from functools import cache
from random import Random

import cv2
import numpy as np
import pytest

from datasets.bad_photos import Defect, spoil
from datasets.dice import Dice
from datasets.stones import StonePhoto, StoneRequest, make_stone


@cache
def stone() -> StonePhoto:
    return make_stone(Random(3), StoneRequest(long_side_px=500, hardness=0.0, watermark=False))


def contrast_of_edges(image: np.ndarray) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.CV_32F).std())


@pytest.mark.parametrize("defect", list(Defect))
def test_a_defect_changes_the_picture_and_leaves_every_line_its_place(defect: Defect) -> None:
    one = spoil(Dice.of(Random(5)), stone(), defect, 0.5)
    assert one.texts == stone().texts
    assert len(one.line_quads) == len(one.hidden) == len(one.texts)
    assert not np.array_equal(one.image, stone().image)


def test_a_seed_draws_the_same_defect_again() -> None:
    one, other = (spoil(Dice.of(Random(5)), stone(), Defect.COVERED, 0.5) for _ in range(2))
    assert np.array_equal(one.image, other.image)


@pytest.mark.parametrize("defect", [Defect.DEFOCUS, Defect.SHAKE])
def test_blur_grows_with_strength(defect: Defect) -> None:
    edges = [contrast_of_edges(spoil(Dice.of(Random(5)), stone(), defect, s).image) for s in (0.0, 0.5, 1.0)]
    assert edges == sorted(edges, reverse=True)


def test_lines_beyond_the_frame_or_under_flowers_are_hidden() -> None:
    for defect in (Defect.CUT_OFF, Defect.COVERED):
        weak, strong = (spoil(Dice.of(Random(6)), stone(), defect, s) for s in (0.0, 1.0))
        assert max(strong.hidden) > 0.5
        assert sum(weak.hidden) < sum(strong.hidden)
    assert max(spoil(Dice.of(Random(6)), stone(), Defect.DARK, 1.0).hidden) == 0


def test_a_far_stone_keeps_its_form_at_a_fraction_of_its_size() -> None:
    far = spoil(Dice.of(Random(7)), stone(), Defect.FAR, 0.5)
    sides = [np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1) for quad in (far.stone_quad, stone().stone_quad)]
    shares = sides[0] / sides[1]
    assert shares.max() < 0.3
    assert shares.max() - shares.min() < 0.01
    assert far.image.shape == stone().image.shape
