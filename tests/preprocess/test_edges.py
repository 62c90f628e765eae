from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preprocess.edges import snap_to_edges

CORNERS = np.array([[130.0, 90.0], [390.0, 104.0], [382.0, 410.0], [122.0, 396.0]])


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """A grey face on grass, with grain as a camera has it."""
    clean = np.full((512, 512, 3), (70, 130, 95), np.uint8)
    cv2.fillPoly(clean, [np.round((CORNERS - 0.5) * 16).astype(np.int32)], (150, 150, 155), cv2.LINE_AA, 4)
    grain = np.random.default_rng(1).normal(0, 6, clean.shape)
    return np.asarray(np.clip(clean + grain, 0, 255), np.uint8)


@settings(max_examples=25, deadline=None)
@given(moves=st.tuples(*[st.floats(-4.0, 4.0)] * 8))
def test_sides_come_to_the_edges_from_a_little_beside_them(picture: np.ndarray, moves: tuple[float, ...]) -> None:
    snapped = snap_to_edges(picture, CORNERS + np.reshape(moves, (4, 2)))
    assert np.abs(snapped - CORNERS).max() < 3.0


def test_a_larger_picture_gives_the_same_face_in_its_own_pixels(picture: np.ndarray) -> None:
    larger = np.asarray(cv2.resize(picture, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC), np.uint8)
    assert np.abs(snap_to_edges(larger, CORNERS * 3 + 10) - CORNERS * 3).max() < 6.0


def test_where_no_colour_changes_a_side_stays() -> None:
    blank = np.full((512, 512, 3), 128, np.uint8)
    assert np.abs(snap_to_edges(blank, CORNERS) - CORNERS).max() < 1e-6


def test_a_frame_further_inside_is_not_taken_for_the_edge(picture: np.ndarray) -> None:
    framed = picture.copy()
    inner = CORNERS + np.array([[14, 14], [-14, 14], [-14, -14], [14, -14]])
    cv2.polylines(framed, [np.round(inner).astype(np.int32)], True, (20, 20, 30), 3, cv2.LINE_AA)
    assert np.abs(snap_to_edges(framed, CORNERS + 3.5) - CORNERS).max() < 2.0
