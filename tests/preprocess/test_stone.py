from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.faces import load_segmenter
from preprocess.stone import VIEW_PX, face_view, fill_quads, find_stones, fit_quad, map_points


def overlap(a: np.ndarray, b: np.ndarray, size: tuple[int, int]) -> float:
    masks = [cv2.fillPoly(np.zeros(size[::-1], np.uint8), [np.round(q).astype(np.int32)], 1) for q in (a, b)]
    return float((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum())


def test_the_face_around_its_text_is_found(scene: tuple[np.ndarray, np.ndarray, list[np.ndarray]]) -> None:
    picture, corners, lines = scene
    faces = find_stones(picture, lines, load_segmenter())
    assert len(faces) == 1
    assert overlap(faces[0].quad, corners, (1100, 1050)) > 0.93  # its frame lies close to its edge


def test_corners_run_clockwise_from_the_top_left_of_the_text(
    scene: tuple[np.ndarray, np.ndarray, list[np.ndarray]],
) -> None:
    picture, corners, lines = scene
    assert np.abs(find_stones(picture, lines, load_segmenter())[0].quad - corners).max() < 25


def test_a_face_holds_all_text_it_was_found_by(scene: tuple[np.ndarray, np.ndarray, list[np.ndarray]]) -> None:
    picture, _, lines = scene
    face = find_stones(picture, lines, load_segmenter())[0].quad
    for point in np.concatenate(lines):
        assert cv2.pointPolygonTest(face[:, None], (float(point[0]), float(point[1])), True) > -12


def test_a_picture_filled_by_its_stone_has_no_face(face: tuple[np.ndarray, list[np.ndarray]]) -> None:
    picture, lines = face
    inner = picture[40:-40, 40:-40]
    assert find_stones(inner, [line - 40 for line in lines], load_segmenter()) == []


def test_a_watermark_across_stone_and_ground_does_not_move_the_face(
    scene: tuple[np.ndarray, np.ndarray, list[np.ndarray]],
) -> None:
    picture, corners, lines = scene
    watermark = cv2.boxPoints(((780, 500), (500, 40), -30)).astype(np.float32)
    watermark = np.roll(watermark, -int(np.argmin(watermark.sum(axis=1))), axis=0)
    assert overlap(find_stones(picture, [*lines, watermark], load_segmenter())[0].quad, corners, (1100, 1050)) > 0.93


def test_without_text_there_is_no_face(scene: tuple[np.ndarray, np.ndarray, list[np.ndarray]]) -> None:
    assert find_stones(scene[0], [], load_segmenter()) == []


def test_two_stones_side_by_side_are_two_faces(face: tuple[np.ndarray, list[np.ndarray]]) -> None:
    stone, lines = face
    picture = np.full((1000, 1500, 3), (60, 120, 80), np.uint8)
    picture[100:900, 80:680] = stone
    picture[100:900, 820:1420] = stone
    places = (np.float32([80, 100]), np.float32([820, 100]))
    found = find_stones(picture, [line + place for place in places for line in lines], load_segmenter())
    assert [float(f.quad[:, 0].mean()) for f in found] == pytest.approx([380, 1120], abs=20)


def test_two_inscriptions_on_one_stone_are_one_face(face: tuple[np.ndarray, list[np.ndarray]]) -> None:
    stone, lines = face
    picture = np.full((1000, 1500, 3), (60, 120, 80), np.uint8)
    picture[100:900, 150:1350] = np.hstack([stone[:, 20:580], np.full((800, 80, 3), stone[5, 5]), stone[:, 20:580]])
    places = (np.float32([130, 100]), np.float32([770, 100]))
    found = find_stones(picture, [line + place for place in places for line in lines], load_segmenter())
    assert [float(f.quad[:, 0].mean()) for f in found] == pytest.approx([750], abs=20)


def test_a_plain_picture_has_no_face() -> None:
    line = np.array([[100, 100], [300, 100], [300, 130], [100, 130]], np.float32)
    assert find_stones(np.full((400, 400, 3), 128, np.uint8), [line], load_segmenter()) == []


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(*[st.floats(-14.0, 14.0)] * 8),
    st.floats(0.0, 1.5),
)
def test_a_quad_is_fitted_to_the_edge_of_a_region_within_half_a_pixel(moves: tuple[float, ...], blur: float) -> None:
    corners = np.array([[55, 45], [140, 45], [140, 150], [55, 150]]) + np.reshape(moves, (4, 2))
    region = fill_quads([corners])
    fitted = fit_quad(cv2.GaussianBlur(region, (0, 0), blur) if blur > 0.1 else region)
    assert fitted is not None
    start = int(np.argmin(np.linalg.norm(fitted - corners[0], axis=1)))
    assert np.abs(np.roll(fitted, -start, axis=0) - corners).max() < 0.5


def test_specks_beside_a_region_do_not_move_its_sides() -> None:
    corners = np.array([[50.0, 40.0], [150.0, 52.0], [146.0, 150.0], [44.0, 140.0]])
    region = fill_quads([corners, np.array([[170, 20], [176, 20], [176, 26], [170, 26]])])
    fitted = fit_quad(region)
    assert fitted is not None
    assert np.abs(fitted[np.argsort(fitted.sum(axis=1))[[0, 3]]] - corners[[0, 2]]).max() < 0.5


def test_where_nothing_is_marked_no_quad_is_fitted() -> None:
    assert fit_quad(np.zeros((VIEW_PX, VIEW_PX), np.float32)) is None


@given(st.integers(20, 900), st.integers(20, 900))
def test_a_view_holds_the_whole_picture_in_its_own_shape(width: int, height: int) -> None:
    view = face_view(np.full((height, width, 3), 255, np.uint8), [])
    corners = map_points(np.array([[0, 0], [width, height]]), view.to_view)
    assert corners.min() >= 0 and corners.max() <= VIEW_PX + 1e-9
    assert view.planes[4].sum() == pytest.approx(np.prod(corners[1] - corners[0]))
    assert (view.planes[:3][:, view.planes[4] > 0] == 0.5).all() and not view.planes[:, view.planes[4] == 0].any()


def test_a_region_that_is_no_quad_is_no_face() -> None:
    line = np.array([[120, 190], [280, 190], [280, 210], [120, 210]], np.float32)
    ring = np.zeros((VIEW_PX, VIEW_PX), np.float32)
    cv2.circle(ring, (96, 96), 60, 1.0, 12)
    assert find_stones(np.full((400, 400, 3), 128, np.uint8), [line], lambda planes: ring) == []


def test_a_side_moves_out_to_a_line_that_it_would_cut() -> None:
    line = np.array([[90, 190], [300, 190], [300, 210], [90, 210]], np.float32)
    region = fill_quads([np.array([[48.0, 48.0], [144.0, 48.0], [144.0, 144.0], [48.0, 144.0]])])
    (face,) = find_stones(np.full((400, 400, 3), 128, np.uint8), [line], lambda planes: region)
    assert face.quad[:, 0].min() == pytest.approx(90, abs=1)
    assert face.quad[:, 0].max() == pytest.approx(300, abs=1.5)
