from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.fields.lunar import LunarDate, solar_candidates, solar_day, years_named

YEARS, MONTHS, ZONES = st.integers(1880, 2040), st.integers(1, 12), st.sampled_from((7, 8))


@given(YEARS, MONTHS, ZONES)
def test_the_days_of_a_lunar_month_follow_each_other_and_are_29_or_30(year: int, month: int, zone: int) -> None:
    days = [solar_day(LunarDate(year, month, day), zone) for day in range(1, 31)]
    first = days[0]
    assert first is not None
    assert days[:29] == [first + timedelta(days=i) for i in range(29)]
    assert days[29] in (None, first + timedelta(days=29))


@given(YEARS, MONTHS, ZONES)
def test_a_lunar_month_begins_where_the_one_before_ended_or_after_a_leap_month(
    year: int, month: int, zone: int
) -> None:
    own = solar_day(LunarDate(year, month, 1), zone)
    following = LunarDate(year, month + 1, 1) if month < 12 else LunarDate(year + 1, 1, 1)
    leap = solar_day(LunarDate(year, month, 1, leap=True), zone)
    begins = leap or solar_day(following, zone)
    assert own is not None
    assert begins is not None
    assert 29 <= (begins - own).days <= 30


@pytest.mark.parametrize(
    ("lunar", "solar"),
    [
        (LunarDate(1954, 2, 12), date(1954, 3, 16)),
        (LunarDate(1971, 8, 15), date(1971, 10, 3)),
        (LunarDate(1952, 2, 30), date(1952, 3, 25)),
        (LunarDate(1975, 1, 1), date(1975, 2, 11)),
        (LunarDate(2007, 1, 1), date(2007, 2, 17)),
        (LunarDate(2023, 2, 1, leap=True), date(2023, 3, 22)),
        (LunarDate(2025, 6, 1, leap=True), date(2025, 7, 25)),
        (LunarDate(1984, 11, 1), date(1984, 11, 23)),
    ],
)
def test_known_days_are_found(lunar: LunarDate, solar: date) -> None:
    assert solar in solar_candidates(lunar)


def test_the_new_year_of_1968_began_a_day_earlier_in_the_north() -> None:
    assert solar_candidates(LunarDate(1968, 1, 1)) == (date(1968, 1, 29), date(1968, 1, 30))


def test_the_north_alone_had_its_new_year_of_1985_in_january() -> None:
    assert solar_day(LunarDate(1985, 1, 1), 7) == date(1985, 1, 21)
    assert solar_day(LunarDate(1985, 1, 1), 8) == date(1985, 2, 20)


def test_days_that_no_month_has_are_none() -> None:
    assert solar_day(LunarDate(1968, 1, 31)) is None
    assert solar_day(LunarDate(1968, 13, 1)) is None
    assert solar_day(LunarDate(1968, 5, 1, leap=True)) is None


def test_years_have_their_names() -> None:
    assert years_named(4, 8, 1930, 1990) == (1968,)
    assert years_named(0, 1, 1900, 2000) == ()
