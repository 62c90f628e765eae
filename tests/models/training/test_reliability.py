from __future__ import annotations

import random
from pathlib import Path

import cv2
import pytest

from models.training.reliability import Bin, draw_reliability, reliability


def test_bins_hold_the_mean_confidence_and_the_share_that_was_right() -> None:
    found = reliability([0.91, 0.99, 0.95, 0.12], [True, True, False, False])
    assert found == [Bin(1, pytest.approx(0.12), 0.0), Bin(3, pytest.approx(0.95), pytest.approx(2 / 3))]


def test_full_confidence_belongs_to_the_last_bin() -> None:
    assert reliability([1.0, 0.97], [True, True]) == [Bin(2, pytest.approx(0.985), 1.0)]


def test_honest_confidences_lie_on_the_diagonal() -> None:
    dice = random.Random(3)
    given = [dice.random() for _ in range(20_000)]
    for entry in reliability(given, [dice.random() < chance for chance in given]):
        assert entry.exact_share == pytest.approx(entry.confidence, abs=0.04)


def test_the_drawing_is_a_picture_whose_curve_moves_with_the_shares(tmp_path: Path) -> None:
    draw_reliability([Bin(10, 0.2, 0.2), Bin(90, 0.9, 0.95)], tmp_path / "honest.png")
    draw_reliability([Bin(10, 0.2, 0.0), Bin(90, 0.9, 0.4)], tmp_path / "boasting.png")
    honest, boasting = (cv2.imread(str(tmp_path / f"{name}.png")) for name in ("honest", "boasting"))
    assert honest.shape == boasting.shape
    assert (honest != boasting).any()
