from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from preprocess.enhance import lightened


def plain(level: int) -> np.ndarray:
    return np.full((4, 6, 3), level, np.uint8)


def test_deep_shadow_is_lifted_more_than_light() -> None:
    lifts = [int(lightened(plain(level))[0, 0, 0]) - level for level in (10, 64, 200)]
    assert lifts[0] > 30
    assert lifts[1] > lifts[2] > 0


@given(st.integers(0, 254))
def test_lighter_stays_lighter(level: int) -> None:
    below, above = lightened(plain(level)), lightened(plain(level + 1))
    assert (above >= below).all()
    assert below.shape == (4, 6, 3)
    assert below.dtype == np.uint8


def test_black_and_white_stay() -> None:
    assert (lightened(plain(0)) == 0).all()
    assert (lightened(plain(255)) == 255).all()
