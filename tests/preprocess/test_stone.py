from __future__ import annotations

import cv2
import numpy as np
import pytest

from preprocess.stone import find_stones


def overlap(a: np.ndarray, b: np.ndarray, size: tuple[int, int]) -> float:
    masks = [cv2.fillPoly(np.zeros(size[::-1], np.uint8), [np.round(q).astype(np.int32)], 1) for q in (a, b)]
    return float((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum())


def test_the_face_around_its_text_is_found(scene: tuple[np.ndarray, np.ndarray, list[np.ndarray]]) -> None:
    picture, corners, lines = scene
    faces = find_stones(picture, lines)
    assert len(faces) == 1
    assert overlap(faces[0].quad, corners, (1100, 1050)) > 0.93  # its frame lies close to its edge


def test_corners_run_clockwise_from_the_top_left_of_the_text(
    scene: tuple[np.ndarray, np.ndarray, list[np.ndarray]],
) -> None:
    picture, corners, lines = scene
    assert np.abs(find_stones(picture, lines)[0].quad - corners).max() < 25


def test_a_face_holds_all_text_it_was_found_by(scene: tuple[np.ndarray, np.ndarray, list[np.ndarray]]) -> None:
    picture, _, lines = scene
    face = find_stones(picture, lines)[0].quad
    for point in np.concatenate(lines):
        assert cv2.pointPolygonTest(face[:, None], (float(point[0]), float(point[1])), True) > -12


def test_a_picture_filled_by_its_stone_has_no_face(face: tuple[np.ndarray, list[np.ndarray]]) -> None:
    picture, lines = face
    inner = picture[40:-40, 40:-40]
    assert find_stones(inner, [line - 40 for line in lines]) == []


def test_a_watermark_across_stone_and_ground_does_not_move_the_face(
    scene: tuple[np.ndarray, np.ndarray, list[np.ndarray]],
) -> None:
    picture, corners, lines = scene
    watermark = cv2.boxPoints(((780, 500), (500, 40), -30)).astype(np.float32)
    watermark = np.roll(watermark, -int(np.argmin(watermark.sum(axis=1))), axis=0)
    assert overlap(find_stones(picture, [*lines, watermark])[0].quad, corners, (1100, 1050)) > 0.93


def test_without_text_there_is_no_face(scene: tuple[np.ndarray, np.ndarray, list[np.ndarray]]) -> None:
    assert find_stones(scene[0], []) == []


def test_two_stones_side_by_side_are_two_faces(face: tuple[np.ndarray, list[np.ndarray]]) -> None:
    stone, lines = face
    picture = np.full((1000, 1500, 3), (60, 120, 80), np.uint8)
    picture[100:900, 80:680] = stone
    picture[100:900, 820:1420] = stone
    places = (np.float32([80, 100]), np.float32([820, 100]))
    found = find_stones(picture, [line + place for place in places for line in lines])
    assert [float(f.quad[:, 0].mean()) for f in found] == pytest.approx([380, 1120], abs=20)


def test_two_inscriptions_on_one_stone_are_one_face(face: tuple[np.ndarray, list[np.ndarray]]) -> None:
    stone, lines = face
    picture = np.full((1000, 1500, 3), (60, 120, 80), np.uint8)
    picture[100:900, 150:1350] = np.hstack([stone[:, 20:580], np.full((800, 80, 3), stone[5, 5]), stone[:, 20:580]])
    places = (np.float32([130, 100]), np.float32([770, 100]))
    found = find_stones(picture, [line + place for place in places for line in lines])
    assert [float(f.quad[:, 0].mean()) for f in found] == pytest.approx([750], abs=20)


def test_a_plain_picture_has_no_face() -> None:
    line = np.array([[100, 100], [300, 100], [300, 130], [100, 130]], np.float32)
    assert find_stones(np.full((400, 400, 3), 128, np.uint8), [line]) == []
