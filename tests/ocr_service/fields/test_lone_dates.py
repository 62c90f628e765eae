from __future__ import annotations

import pytest

from ocr_service.fields import Inscription, parse_text


def _stone(*lines: str) -> Inscription:
    return parse_text("\n".join(("LIỆT SĨ", "TRẦN VĂN TÁM", *lines)))


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("NHÌGỮMTHÁNG/09/ 1963", "enlist", "1963-09"),
        ("THAMKGIANGM.02-03-1980", "enlist", "1980-03-02"),
        ("HV SXNH NGAY 12/5/1968", "death", "1968-05-12"),
    ],
)
def test_a_date_behind_a_garbled_label_goes_where_the_label_is_like_one(line: str, field: str, value: str) -> None:
    inscription = _stone(line)
    assert inscription.value(field) == value
    assert "unlabelled_date" in inscription.record[field].flags
    assert inscription.record[field].confidence < 0.6
    assert all(inscription.value(other) is None for other in {"birth", "enlist", "death"} - {field})


@pytest.mark.parametrize("line", ["ĐÌNH NĂN - 92", "QXZKW PLTRV 12/5/1968", "BẮNG KEI 1972"])
def test_a_date_behind_words_that_are_like_no_label_stays_unread(line: str) -> None:
    inscription = _stone(line)
    assert all(inscription.value(field) is None for field in ("birth", "enlist", "death"))
    assert line in inscription.value("other_lines")


def test_a_date_of_unknown_meaning_is_told() -> None:
    assert "date_unassigned" in _stone("QXZKW PLTRV 12/5/1968").flags


def test_a_garbled_label_does_not_outweigh_the_order_of_a_life() -> None:
    inscription = _stone("Sinh năm: 1950", "HV SXNH NGAY 12/5/1948")
    assert inscription.value("death") is None
    assert "date_unassigned" in inscription.flags


@pytest.mark.parametrize(
    ("dates", "birth", "death"),
    [
        (("1947", "1968"), "1947", "1968"),
        (("12/5/1968",), None, "1968-05-12"),
        (("1965", "1968"), None, None),
        (("1938",), None, None),
    ],
)
def test_dates_without_words_have_a_sense_only_where_a_life_leaves_one(
    dates: tuple[str, ...], birth: str | None, death: str | None
) -> None:
    inscription = _stone(*dates)
    assert (inscription.value("birth"), inscription.value("death")) == (birth, death)
    assert ("date_unassigned" in inscription.flags) == (birth is None and death is None)


@pytest.mark.parametrize(
    ("text", "value", "candidates"),
    [
        ("TỪ TRẦN (7292 1950", None, ["1950"]),
        ("Hy sinh: 1954 - 1975", None, ["1954", "1975"]),
        ("Hy sinh: 1966 - 1967", "1966/1967", None),
    ],
)
def test_a_span_of_years_must_be_a_possible_one(text: str, value: str | None, candidates: list[str] | None) -> None:
    inscription = _stone(text)
    assert inscription.value("death") == value
    assert inscription.value("death_candidates") == candidates
