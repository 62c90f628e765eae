from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.training.schedule import averaging_decay, depth_share, rate_share


@given(st.floats(0.0, 2.0), st.floats(0.01, 0.5))
def test_the_rate_stays_between_its_floor_and_the_full_rate(progress: float, warmup: float) -> None:
    assert 0.01 - 1e-12 <= rate_share(progress, warmup) <= 1.0


def test_the_rate_rises_to_full_at_the_end_of_the_warm_up_and_then_falls() -> None:
    shares = [rate_share(hundredth / 100, 0.1) for hundredth in range(101)]
    assert shares[10] == pytest.approx(1.0)
    assert all(before < after for before, after in pairwise(shares[1:11]))
    assert all(before > after for before, after in pairwise(shares[10:]))
    assert shares[100] == pytest.approx(0.01)


def test_parts_near_the_pixels_learn_slowest() -> None:
    assert depth_share(0, 0.7) == 1.0
    assert depth_share(4, 0.7) < depth_share(1, 0.7) < 1.0


def test_the_average_follows_closely_at_first_and_slowly_later() -> None:
    assert averaging_decay(0, 0.999) == pytest.approx(0.1)
    assert averaging_decay(10**6, 0.999) == 0.999
