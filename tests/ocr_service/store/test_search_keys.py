from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.database.search_keys import query_patterns, search_key, toneless, words, year_span

VIETNAMESE = st.text(alphabet="aăâbcdđeêghiklmnoôơpqrstuưvxyàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọ AĐƯỞ.,-/'0123456789")


def found(query: str, *texts: str) -> bool:
    key = search_key(*texts)
    return all(pattern.strip("%") in key for pattern in query_patterns(query))


@given(VIETNAMESE.filter(lambda text: any(char.isalnum() for char in text)))
def test_a_text_is_found_by_itself_and_by_its_toneless_form(text: str) -> None:
    assert found(text, text)
    assert found(toneless(text), text)


@given(st.text(), st.text())
def test_no_query_holds_anything_that_like_would_interpret(text: str, query: str) -> None:
    found(query, text)
    for pattern in query_patterns(query):
        assert pattern.startswith("% ")
        assert not set(pattern[2:-1]) & set("%_\\ ")


@given(VIETNAMESE)
def test_composed_and_decomposed_text_have_one_key(text: str) -> None:
    assert search_key(unicodedata.normalize("NFD", text)) == search_key(text)


@pytest.mark.parametrize(("one", "other"), [("hoà", "hòa"), ("uý", "úy"), ("Thuỷ", "Thủy"), ("QUÍ", "quí")])
def test_both_spellings_of_a_tone_are_one_word(one: str, other: str) -> None:
    assert words(one) == words(other)


@pytest.mark.parametrize(("text", "bare"), [("Đặng Thị Ướt", "dang thi uot"), ("  a--B_c ", "a b c"), ("", "")])
def test_toneless_text_has_no_mark_left(text: str, bare: str) -> None:
    assert toneless(text) == bare


@pytest.mark.parametrize(
    ("edtf", "span"),
    [
        ("1968-05-12", (1968, 1968)),
        ("195X-02", (1950, 1959)),
        ("1966/1967", (1966, 1967)),
        ("1948~", (1948, 1948)),
        ("19XX-05", (1900, 1999)),
        ("XXXX-08-19", None),
        ("", None),
        (None, None),
        ({"value": "1968"}, None),
    ],
)
def test_a_date_spans_the_years_it_may_mean(edtf: object, span: tuple[int, int] | None) -> None:
    assert year_span(edtf) == span
