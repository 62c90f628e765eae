from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.i18n import Language, Texts
from api.pages.dates import DateTextError, read_date, show_date

VI, EN = Texts(Language.VI), Texts(Language.EN)

STORED_AND_SHOWN = [
    ("1968-05-12", "12/05/1968"),
    ("1968-05", "05/1968"),
    ("1968", "1968"),
    ("19XX-05", "05/19??"),
    ("195X-02", "02/195?"),
    ("XXXX-08-19", "19/08/????"),
    ("1966/1967", "1966 – 1967"),
    ("1968-01-30/1968-01-31", "30/01/1968 – 31/01/1968"),
    ("1948~", "khoảng 1948"),
    ("1948?", "có thể 1948"),
]


@pytest.mark.parametrize(("stored", "shown"), STORED_AND_SHOWN)
def test_a_stored_date_is_shown_as_people_write_it_and_read_back(stored: str, shown: str) -> None:
    assert show_date(stored, VI) == shown
    assert read_date(shown) == stored


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("12/5/68", "1968-05-12"),
        ("12-5-1968", "1968-05-12"),
        ("12 . 05 . 1968", "1968-05-12"),
        ("1968-05-12", "1968-05-12"),
        ("/12/1946", "1946-12"),
        ("//1949", "1949"),
        ("?/5/1968", "1968-05-XX"),
        ("about 1948", "1948~"),
        ("//", None),
        ("", None),
        ("  ", None),
    ],
)
def test_a_typed_date_is_understood(typed: str, stored: str | None) -> None:
    assert read_date(typed) == stored


@pytest.mark.parametrize(
    "typed", ["30/2/1952", "31/11/1981", "0/5/1968", "12/13/1968", "29/2/1969", "1950 - 7292", "1968 - 1950"]
)
def test_a_day_that_the_calendar_lacks_is_refused(typed: str) -> None:
    with pytest.raises(DateTextError) as refusal:
        read_date(typed)
    assert refusal.value.key == "date.impossible"


@pytest.mark.parametrize(
    "typed", ["KCCP", "1/2/3/1968", "196", "12345", "mùa xuân 1968", "1966 – 1967 – 1968", "5/196O"]
)
def test_a_text_that_is_no_date_is_refused(typed: str) -> None:
    with pytest.raises(DateTextError) as refusal:
        read_date(typed)
    assert refusal.value.key == "date.form"


def test_what_is_not_understood_is_shown_as_stored() -> None:
    assert show_date("mùa khô", VI) == "mùa khô"


@given(st.dates(date(1800, 1, 1), date(2100, 12, 31)), st.sampled_from([VI, EN]))
def test_every_day_survives_being_shown_and_read(day: date, texts: Texts) -> None:
    assert read_date(show_date(day.isoformat(), texts)) == day.isoformat()


@given(
    st.from_regex(r"1[89X][0-9X]{2}(-0[1-9X](-(0[1-9]|1[0-9]|2[0-8X]|XX))?)?[~?]?", fullmatch=True),
    st.sampled_from([VI, EN]),
)
def test_partly_known_dates_survive_being_shown_and_read(stored: str, texts: Texts) -> None:
    assert read_date(show_date(stored, texts)) == stored


@given(st.text(max_size=12))
def test_any_text_is_a_date_or_is_refused(text: str) -> None:
    try:
        stored = read_date(text)
    except DateTextError:
        return
    assert stored is None or read_date(show_date(stored, VI)) == stored
