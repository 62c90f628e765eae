from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.fields.lunar import LunarDate, lunar_day, solar_candidates, solar_day, year_name, years_named

DAYS = st.dates(min_value=date(1880, 1, 1), max_value=date(2040, 12, 31))
ZONES = st.sampled_from((7, 8))


@given(DAYS, ZONES)
def test_a_day_turned_lunar_and_back_is_the_same_day(day: date, zone: int) -> None:
    assert solar_day(lunar_day(day, zone), zone) == day


@given(DAYS, ZONES)
def test_lunar_days_count_up_by_one_or_begin_a_month_of_29_or_30_days(day: date, zone: int) -> None:
    today, tomorrow = lunar_day(day, zone), lunar_day(date.fromordinal(day.toordinal() + 1), zone)
    if tomorrow.day == 1:
        assert today.day in (29, 30)
        assert (tomorrow.month, tomorrow.leap) != (today.month, today.leap)
    else:
        assert (tomorrow.year, tomorrow.month, tomorrow.leap, tomorrow.day) == (
            today.year,
            today.month,
            today.leap,
            today.day + 1,
        )


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
    assert year_name(1968) == "Mậu Thân"
    assert years_named(4, 8, 1930, 1990) == (1968,)
    assert years_named(0, 1, 1900, 2000) == ()
