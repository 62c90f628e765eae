from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.fields.dates import read_date

DAYS = st.dates(min_value=date(1930, 1, 1), max_value=date(2020, 12, 31))
SEPARATORS = st.sampled_from(["/", "-", ".", " - ", " / ", "- ", " -"])


@given(DAYS, SEPARATORS, st.booleans())
def test_a_written_day_is_read_back(day: date, separator: str, pad: bool) -> None:
    width = "02d" if pad else "d"
    text = separator.join((format(day.day, width), format(day.month, width), str(day.year)))
    assert read_date(text).value == day.isoformat()
    assert read_date(f"ngày {day.day} tháng {day.month} năm {day.year}").value == day.isoformat()


@given(st.text(max_size=60))
def test_any_text_is_a_date_or_none(text: str) -> None:
    reading = read_date(text)
    assert reading.value is None or reading.value[0] in "12X"


PIECES = [
    "12", "5", "/", "-", ".", " ", "1968", "99999999999", "19", "x", "v", "II", "ngày", "tháng", "năm", "chạp",
    "mười hai", "rằm", "mồng", "Tết", "Mậu Thân", "Kỷ", "Dậu", "ÂL", "(", ")", "tức", "?", "…", "khoảng", "đến",
    "mùa xuân", "7h30", "u",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.sampled_from(["", " "]))
def test_any_mixture_of_the_words_of_dates_is_read(pieces: list[str], joint: str) -> None:
    reading = read_date(joint.join(pieces))
    assert reading.value is None or len(reading.value) >= 4


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 9 4 7", "1947"),
        ("30.O4.I975", "1975-04-30"),
        ("196?", "196X"),
        ("19...", "19XX"),
        ("195", "195X"),
        ("12/5", "XXXX-05-12"),
        ("12/../1968", "1968-XX-12"),
        ("ngày ... tháng ... năm 1968", "1968"),
        ("03H55 NGÀY 04 - 08 - 2024", "2024-08-04"),
        ("12/V/1968", "1968-05-12"),
        ("12051968", "1968-05-12"),
        ("8/1970 - 9/1970", "1970-08/1970-09"),
        ("1966/67", "1966/1967"),
        ("rằm tháng 7 năm 1969", "1969-08-27"),
        ("tháng Chạp năm Mậu Thân", "1969-01/1969-02"),
        ("tháng tư năm 1968", "1968-04"),
        ("1968?", "1968"),
        ("12/03 (Canh Tuất)", "1970-04-17"),
    ],
)
def test_wordings_of_stones_have_their_edtf(text: str, value: str) -> None:
    assert read_date(text).value == value


def test_what_a_date_did_not_use_is_left() -> None:
    assert read_date("1979 tại biên giới Tây Nam").rest == "tại biên giới Tây Nam"


def test_a_can_chi_year_is_sought_only_in_the_given_years() -> None:
    assert read_date("19-9-Giáp Thìn", years=(2000, 2035)).value == "2024-10-21"
    assert read_date("19-9-Giáp Thìn").value == "1964-10-24"


def test_a_lunar_day_that_contradicts_the_solar_one_is_told() -> None:
    assert "lunar_mismatch" in read_date("16-3-1954 (tức 20/9 Giáp Ngọ)").flags
