from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets.manifest import dump_lines
from models.training import lines as training
from models.training.lines import Line, read_labelled_lines, training_lines

RENDERED: Line = (np.full((48, 100, 3), 9, np.uint8), "LIỆT SĨ")
VERIFIED: Line = (np.full((60, 125, 3), 200, np.uint8), "Hy sinh: 1972")


@pytest.fixture
def verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(training, "LineSource", lambda seed, height_px, blank_share: [RENDERED] * 2000)
    return dump_lines(iter([VERIFIED]), 1, tmp_path)


def test_verified_crops_come_in_their_share(verified: Path) -> None:
    mixed = list(islice(training_lines(1, verified, verified_share=0.25), 2000))
    share = sum(text == VERIFIED[1] for _, text in mixed) / len(mixed)
    assert 0.2 < share < 0.3


def test_without_verified_crops_every_line_is_rendered(verified: Path) -> None:
    assert {text for _, text in islice(training_lines(1), 500)} == {RENDERED[1]}


def test_labelled_crops_take_the_height_of_the_input(verified: Path) -> None:
    ((image, text),) = read_labelled_lines(verified)
    assert (image.shape, text) == ((48, 100, 3), VERIFIED[1])


def test_a_missing_crop_is_named(verified: Path) -> None:
    (verified.parent / "crops/000000.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"000000\.png"):
        read_labelled_lines(verified)


def test_crops_are_read_in_colour_order_of_the_network(verified: Path) -> None:
    cv2.imwrite(str(verified.parent / "crops/000000.png"), np.full((48, 90, 3), (255, 0, 0), np.uint8))
    ((image, _),) = read_labelled_lines(verified)
    assert image[0, 0].tolist() == [255, 0, 0]
