from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preprocess.quality import QualityReason, judge, measure

Face = tuple[np.ndarray, list[np.ndarray]]


def padded(quads: list[np.ndarray], scale: float = 1.0) -> list[np.ndarray]:
    """Quads as a detector gives them, with some ground around the letters."""
    return [((q + np.array([[-8, -8], [8, -8], [8, 8], [-8, 8]])) * scale).astype(np.float32) for q in quads]


def test_a_good_photo_has_no_reason_against_it(face: Face) -> None:
    assert judge(face[0], padded(face[1])).reasons == ()


def test_a_dark_stone_is_not_a_dark_photo(scene: tuple[np.ndarray, np.ndarray, list[np.ndarray]]) -> None:
    assert QualityReason.TOO_DARK not in judge(scene[0], padded(scene[2])).reasons


def test_a_blurred_photo_is_called_blurred(face: Face) -> None:
    assert judge(cv2.GaussianBlur(face[0], (0, 0), 6), padded(face[1])).reasons == (QualityReason.BLURRED,)


def test_letters_of_a_few_pixels_are_too_small(face: Face) -> None:
    small = cv2.resize(face[0], None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    assert QualityReason.TOO_SMALL in judge(small, padded(face[1], 0.25)).reasons


def test_a_photo_without_light_is_too_dark(face: Face) -> None:
    assert judge((face[0] * 0.04).astype(np.uint8), padded(face[1])).reasons == (QualityReason.TOO_DARK,)


def test_faint_letters_are_no_fault_of_the_photo(face: Face) -> None:
    flat = (128 + (face[0].astype(float) - 128) * 0.1).astype(np.uint8)
    assert judge(flat, padded(face[1])).reasons == ()


def test_an_overexposed_photo_is_too_bright(face: Face) -> None:
    bright = np.clip(face[0].astype(float) * 1.2 + 150, 0, 255).astype(np.uint8)
    assert QualityReason.TOO_BRIGHT in judge(np.maximum(bright, 225), padded(face[1])).reasons


def test_a_reflection_over_the_text_is_glare(face: Face) -> None:
    glary = face[0].copy()
    cv2.ellipse(glary, (300, 380), (170, 120), 20, 0, 360, (255, 255, 255), -1)
    assert judge(glary, padded(face[1])).reasons == (QualityReason.GLARE,)


def test_glare_beside_the_text_does_not_matter(face: Face) -> None:
    glary = face[0].copy()
    cv2.circle(glary, (300, 720), 70, (255, 255, 255), -1)
    assert judge(glary, padded(face[1])).reasons == ()


def test_text_that_runs_into_the_edge_is_cut_off(face: Face) -> None:
    left = 250
    quads = [np.clip(quad - [left, 0], 0, None).astype(np.float32) for quad in padded(face[1])]
    cut = np.ascontiguousarray(face[0][:, left:])
    assert judge(cut, quads).reasons == (QualityReason.CUT_OFF,)


def test_flowers_over_the_text_cover_it(face: Face) -> None:
    covered = face[0].copy()
    for x in range(200, 420, 40):
        cv2.circle(covered, (x, 380), 38, (60, 60, 220), -1)
        cv2.circle(covered, (x + 15, 420), 30, (40, 130, 60), -1)
    assert judge(covered, padded(face[1])).reasons == (QualityReason.COVERED,)


@pytest.mark.parametrize("turn_deg", [0.0, 35.0, 55.0])
def test_the_tilt_of_a_face_is_measured(face: Face, turn_deg: float) -> None:
    height, width = face[0].shape[:2]
    focal, turn = float(max(height, width)), np.radians(turn_deg)
    flat = np.array([[-0.3, -0.4, 0], [0.3, -0.4, 0], [0.3, 0.4, 0], [-0.3, 0.4, 0]])
    about = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    seen = flat @ about.T + [0, 0, 1.2]
    quad = (seen[:, :2] / seen[:, 2:] * focal + [width / 2, height / 2]).astype(np.float32)
    assert measure(face[0], padded(face[1]), [quad]).tilt_deg == pytest.approx(turn_deg, abs=1.0)


def test_a_face_turned_far_away_is_too_oblique(face: Face) -> None:
    steep = np.array([[250, 40], [350, 250], [350, 600], [250, 780]], dtype=np.float32)
    assert QualityReason.TOO_OBLIQUE in judge(face[0], padded(face[1]), [steep]).reasons


def test_a_picture_of_something_else_has_no_text_and_no_fault(face: Face) -> None:
    noise = np.random.default_rng(3).integers(60, 200, (300, 400, 3), dtype=np.uint8)
    assert judge(noise, []).reasons == (QualityReason.NO_TEXT,)


def test_a_black_picture_is_too_dark_and_a_white_one_too_bright() -> None:
    assert judge(np.zeros((100, 100, 3), np.uint8), []).reasons == (QualityReason.NO_TEXT, QualityReason.TOO_DARK)
    white = np.full((100, 100, 3), 255, np.uint8)
    assert judge(white, []).reasons == (QualityReason.NO_TEXT, QualityReason.TOO_BRIGHT)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_no_picture_and_no_quads_break_the_verdict(seed: int) -> None:
    dice = np.random.default_rng(seed)
    height, width = dice.integers(2, 90, 2)
    image = dice.integers(0, 256, (height, width, 3), dtype=np.uint8)
    quads = [(dice.random((4, 2)) * [width, height]).astype(np.float32) for _ in range(dice.integers(0, 5))]
    measures = measure(image, quads, quads[:1])
    assert 0 <= measures.glare <= 1
    assert 0 <= measures.foreign <= 1
    assert 0 <= measures.tilt_deg <= 90
