from __future__ import annotations

import cv2
import numpy as np

from preprocess.quality import QualityReason, judge

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


def test_letters_like_their_ground_have_low_contrast(face: Face) -> None:
    flat = (128 + (face[0].astype(float) - 128) * 0.03).astype(np.uint8)
    assert judge(flat, padded(face[1])).reasons == (QualityReason.LOW_CONTRAST,)


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


def test_a_picture_without_text_says_so() -> None:
    assert judge(np.zeros((100, 100, 3), np.uint8), []).reasons == (QualityReason.NO_TEXT,)
