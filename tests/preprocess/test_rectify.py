from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess.lines import quad_size
from preprocess.rectify import face_to_photo, map_quads, turn_quarters

LEVEL = np.array([[0, 0], [300, 0], [300, 400], [0, 400]], dtype=np.float32)
shifts = st.lists(st.floats(-40, 40), min_size=8, max_size=8)


def oblique(shift: list[float]) -> np.ndarray:
    """A face 300 × 400 somewhere in a picture 640 × 640, its corners shifted by up to 40 px."""
    return np.asarray(LEVEL + 120 + np.array(shift, dtype=np.float32).reshape(4, 2), dtype=np.float32)


@given(shifts)
def test_mapping_there_and_back_changes_nothing(shift: list[float]) -> None:
    face = oblique(shift)
    to_photo = face_to_photo(face)
    assert np.abs(map_quads(map_quads([face], np.linalg.inv(to_photo)), to_photo)[0] - face).max() < 0.05
    width, height = quad_size(face)
    level = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    assert np.abs(map_quads([level], to_photo)[0] - face).max() < 0.05


@pytest.mark.parametrize("quarters", [0, 1, 2, 3, 5])
def test_a_turned_picture_leads_back_to_its_pixels(quarters: int) -> None:
    picture = np.random.default_rng(3).integers(0, 255, (30, 50, 3), dtype=np.uint8)
    view = turn_quarters(picture, quarters)
    for x, y in ((0, 0), (4, 7), (view.image.shape[1] - 1, view.image.shape[0] - 1)):
        back = view.to_photo @ [x + 0.5, y + 0.5, 1.0]
        assert (picture[int(back[1]), int(back[0])] == view.image[y, x]).all()
