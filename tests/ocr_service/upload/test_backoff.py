from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.upload.backoff import Backoff, retry_after_s

NOW = datetime(2026, 4, 30, 7, 0, tzinfo=UTC)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_waits_double_up_to_a_minute_and_chance_halves_them_at_most(failures: int, chance: float) -> None:
    full_s = min(60.0, 2.0 ** min(failures - 1, 10))
    assert full_s / 2 <= Backoff().wait_s(failures, lambda: chance) <= full_s


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("120", 120.0),
        ("Thu, 30 Apr 2026 07:00:30 GMT", 30.0),
        ("Thu, 30 Apr 2026 06:00:00 GMT", 0.0),
        ("Thu, 30 Apr 2099 06:00:00 GMT", 3600.0),
        ("99999999", 3600.0),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_a_server_may_ask_for_seconds_or_a_date_an_hour_at_most(header: str | None, wait_s: float | None) -> None:
    assert retry_after_s(header, NOW) == wait_s
