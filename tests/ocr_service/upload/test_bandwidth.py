from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.errors import UsageError
from ocr_service.upload.bandwidth import TokenBucket, parse_rate


@given(
    st.floats(2_000, 5_000_000),
    st.lists(st.tuples(st.integers(1, 65_536), st.floats(0, 2)), min_size=1, max_size=50),
)
def test_no_more_goes_in_any_time_than_the_limit_and_one_piece(
    bytes_per_s: float, asked: list[tuple[int, float]]
) -> None:
    bucket = TokenBucket(bytes_per_s)
    now_s = 1000.0
    went: list[tuple[float, int]] = []
    for count, pause_s in asked:
        now_s += pause_s
        now_s += bucket.take(count, now_s)
        went.append((now_s, count))
    for first in range(len(went)):
        span_s = went[-1][0] - went[first][0]
        sent_bytes = sum(count for _, count in went[first + 1 :])
        assert sent_bytes <= span_s * bytes_per_s + bucket.piece_bytes + 1


def test_threads_that_send_at_once_share_the_limit_in_turn() -> None:
    bucket = TokenBucket(10_000)
    assert bucket.piece_bytes == 1024
    waits_s = [bucket.take(1000, 0.0) for _ in range(11)]
    assert waits_s[0] == 0  # what was saved while nobody sent
    assert [round(after - before, 6) for before, after in pairwise(waits_s[1:])] == [0.1] * 9
    assert waits_s[-1] == pytest.approx(11_000 / 10_000 - 1024 / 10_000)


def test_time_that_was_not_used_is_saved_for_one_piece_only() -> None:
    bucket = TokenBucket(10_000)
    bucket.take(1024, 0.0)
    assert bucket.take(1024, 3600.0) == 0
    assert bucket.take(1024, 3600.0) == pytest.approx(0.1024)


def test_without_a_limit_nothing_waits() -> None:
    bucket = TokenBucket(None)
    assert [bucket.take(10**9, 0.0) for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("text", "bytes_per_s"), [("200k", 200_000), ("1.5M", 1_500_000), ("50000", 50_000), ("2 MB/s", 2_000_000)]
)
def test_rates_are_read_as_people_write_them(text: str, bytes_per_s: int) -> None:
    assert parse_rate(text) == bytes_per_s


@pytest.mark.parametrize("text", ["", "fast", "-5k", "100", "0", "k"])
def test_what_is_no_rate_or_none_that_gets_anywhere_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="200k"):
        parse_rate(text)
