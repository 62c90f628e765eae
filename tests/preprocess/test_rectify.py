from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preprocess.lines import quad_angle_deg, quad_size
from preprocess.rectify import deskew, face_to_photo, map_quads, rectify, text_angle_deg, turn_quarters

LEVEL = np.array([[0, 0], [300, 0], [300, 400], [0, 400]], dtype=np.float32)
shifts = st.lists(st.floats(-40, 40), min_size=8, max_size=8)


def oblique(shift: list[float]) -> np.ndarray:
    """A face 300 × 400 somewhere in a picture 640 × 640, its corners shifted by up to 40 px."""
    return np.asarray(LEVEL + 120 + np.array(shift, dtype=np.float32).reshape(4, 2), dtype=np.float32)


def line_on_face(to_photo: np.ndarray) -> np.ndarray:
    line = np.array([[60, 100], [240, 100], [240, 130], [60, 130]], dtype=np.float32)
    return map_quads([line], to_photo)[0]


@settings(deadline=None, max_examples=60)
@given(shifts)
def test_lines_of_an_oblique_face_come_out_level(shift: list[float]) -> None:
    face = oblique(shift)
    line = line_on_face(cv2.getPerspectiveTransform(LEVEL, face))
    flat = map_quads([line], np.linalg.inv(rectify(np.zeros((640, 640, 3), np.uint8), face, max_side_px=600).to_photo))
    assert abs(quad_angle_deg(flat[0])) < 0.1
    down = flat[0][3] - flat[0][0]
    assert abs(np.degrees(np.arctan2(down[0], down[1]))) < 0.1


@settings(deadline=None, max_examples=40)
@given(shifts, st.integers(200, 900))
def test_a_quad_found_in_the_view_goes_back_within_two_pixels(shift: list[float], max_side_px: int) -> None:
    face = oblique(shift)
    line = line_on_face(cv2.getPerspectiveTransform(LEVEL, face))
    picture = np.full((640, 640, 3), 220, np.uint8)
    cv2.fillConvexPoly(picture, np.round(line * 16).astype(np.int32), (20, 20, 20), cv2.LINE_AA, 4)
    view = rectify(picture, face, max_side_px=max_side_px)
    assert max(view.image.shape[:2]) <= max_side_px
    rows, columns = np.nonzero(view.image[..., 0] < 120)
    x0, x1, y0, y1 = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
    found = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], dtype=np.float32)
    # fillConvexPoly counts from pixel centres: what it draws lies half a pixel further on
    assert np.abs(map_quads([found], view.to_photo)[0] - (line + 0.5)).max() < 2.0 + 800 / max_side_px


@given(shifts)
def test_mapping_there_and_back_changes_nothing(shift: list[float]) -> None:
    face = oblique(shift)
    to_photo = face_to_photo(face)
    assert np.abs(map_quads(map_quads([face], np.linalg.inv(to_photo)), to_photo)[0] - face).max() < 0.05
    width, height = quad_size(face)
    level = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    assert np.abs(map_quads([level], to_photo)[0] - face).max() < 0.05


def test_text_beyond_the_face_stays_in_the_view() -> None:
    face = oblique([0.0] * 8)
    outside = np.array([[40, 300], [400, 300], [400, 330], [40, 330]], dtype=np.float32)
    view = rectify(np.zeros((640, 640, 3), np.uint8), face, [outside], max_side_px=640)
    seen = map_quads([outside], np.linalg.inv(view.to_photo))[0]
    assert seen.min() >= -0.5
    assert (seen.max(axis=0) <= np.array(view.image.shape[1::-1]) + 0.5).all()


@settings(deadline=None, max_examples=30)
@given(st.floats(-40, 40))
def test_deskew_recovers_a_known_rotation(angle_deg: float) -> None:
    matrix = cv2.getRotationMatrix2D((320, 240), -angle_deg, 1.0)
    level = [np.array([[200, y], [440, y], [440, y + 30], [200, y + 30]], np.float32) for y in (150, 220, 290)]
    text = [cv2.transform(quad[None], matrix)[0] for quad in level]
    assert text_angle_deg(text) == pytest.approx(angle_deg, abs=0.01)
    view = deskew(np.zeros((480, 640, 3), np.uint8), text_angle_deg(text), max_side_px=2000)
    for quad in map_quads(text, np.linalg.inv(view.to_photo)):
        assert abs(quad_angle_deg(quad)) < 0.05
        assert quad.min() > 0


def test_deskew_keeps_every_corner_of_the_picture() -> None:
    view = deskew(np.zeros((480, 640, 3), np.uint8), 17.0, max_side_px=500)
    corners = np.array([[0, 0], [640, 0], [640, 480], [0, 480]], dtype=np.float32)
    seen = map_quads([corners], np.linalg.inv(view.to_photo))[0]
    assert seen.min() > -0.01
    assert (seen.max(axis=0) <= np.array(view.image.shape[1::-1])).all()


@pytest.mark.parametrize("quarters", [0, 1, 2, 3, 5])
def test_a_turned_picture_leads_back_to_its_pixels(quarters: int) -> None:
    picture = np.random.default_rng(3).integers(0, 255, (30, 50, 3), dtype=np.uint8)
    view = turn_quarters(picture, quarters)
    for x, y in ((0, 0), (4, 7), (view.image.shape[1] - 1, view.image.shape[0] - 1)):
        back = view.to_photo @ [x + 0.5, y + 0.5, 1.0]
        assert (picture[int(back[1]), int(back[0])] == view.image[y, x]).all()


def test_short_boxes_do_not_decide_the_direction_of_text() -> None:
    wide = np.array([[0, 0], [400, 0], [400, 30], [0, 30]], np.float32)
    short = np.array([[0, 100], [30, 115], [20, 140], [-10, 125]], np.float32)
    assert text_angle_deg([wide, short, short + 60]) == 0.0
    assert text_angle_deg([]) == 0.0
