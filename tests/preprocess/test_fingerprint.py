from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from preprocess.fingerprint import FINGERPRINT_BITS, distance_bits, fingerprint

hashes = st.integers(0, 2**FINGERPRINT_BITS - 1)


def picture(seed: int) -> np.ndarray:
    grid = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), dtype=np.uint8)
    return cv2.resize(grid, (640, 480), interpolation=cv2.INTER_CUBIC)


def test_a_picture_saved_again_smaller_or_darker_keeps_its_fingerprint() -> None:
    own = fingerprint(picture(1))
    saved = cv2.imdecode(cv2.imencode(".jpg", picture(1), [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR)
    small = cv2.resize(picture(1), None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
    dark = (picture(1) * 0.6).astype(np.uint8)
    assert max(distance_bits(own, fingerprint(other)) for other in (saved, small, dark)) <= 4


def test_different_pictures_differ_in_many_bits() -> None:
    prints = [fingerprint(picture(seed)) for seed in range(12)]
    assert min(distance_bits(a, b) for i, a in enumerate(prints) for b in prints[:i]) > 12


@given(hashes, hashes, hashes)
def test_distance_is_a_metric(a: int, b: int, c: int) -> None:
    assert distance_bits(a, a) == 0
    assert distance_bits(a, b) == distance_bits(b, a) <= FINGERPRINT_BITS
    assert distance_bits(a, c) <= distance_bits(a, b) + distance_bits(b, c)


def test_a_fingerprint_has_as_many_bits_as_it_says() -> None:
    assert 0 <= fingerprint(picture(4)) < 2**FINGERPRINT_BITS
