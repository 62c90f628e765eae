from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.fields import parse_lines
from ocr_service.records import Alternative, Line

NOWHERE = ((0.0, 0.0), (90.0, 0.0), (90.0, 20.0), (0.0, 20.0))


def _line(text: str, confidence: float = 0.95, *others: str) -> Line:
    return Line(text, confidence, NOWHERE, 0, tuple(Alternative(other, 0.3) for other in others))


@pytest.mark.parametrize("text", ["Cuoc Khikcon", "Conloim Nềprongàngs", "GIAN PÌNG TƯƠG VẬN", "QUYẾNHOỸ MANHHU"])
def test_letters_guessed_from_stains_are_no_name(text: str) -> None:
    inscription = parse_lines([_line("LIỆT SĨ"), _line(text, 0.05)])
    assert inscription.value("name") is None
    assert inscription.value("name_status") == "illegible"
    assert inscription.value("kind") == "partial"
    assert inscription.record["name"].raw == text
    assert "illegible_name" in inscription.flags


def test_a_labelled_name_is_no_surer_for_its_label() -> None:
    inscription = parse_lines([_line("Họ và tên: Cuoc Khikcon", 0.1)])
    assert (inscription.value("name"), inscription.value("name_status")) == (None, "illegible")


@pytest.mark.parametrize("text", ["LƯU HỮNG THÁU", "NGUYEN VAN AN", "TRẦN THỊ BA"])
def test_a_possible_name_on_a_doubtful_line_keeps_its_low_confidence(text: str) -> None:
    record = parse_lines([_line("LIỆT SĨ"), _line(text, 0.1)]).record
    assert record["name"].value == text.title()
    assert record["name"].confidence <= 0.1


def test_an_impossible_syllable_is_believed_only_from_a_line_that_is_right_rather_than_wrong() -> None:
    assert parse_lines([_line("LIỆT SĨ"), _line("LƯƯSỸ ĐỒNG", 0.3)]).value("name_status") == "illegible"
    assert parse_lines([_line("LIỆT SĨ"), _line("LƯƯSỸ ĐỒNG", 0.9)]).value("name_status") == "full"


def test_a_guessed_line_leaves_the_name_to_the_one_that_was_read() -> None:
    inscription = parse_lines([_line("Cuoc Khikcon", 0.01), _line("TRẦN VĂN TÁM"), _line("GIAN PÌNG TƯƠG VẬN", 0.01)])
    assert inscription.value("name") == "Trần Văn Tám"
    assert inscription.value("other_names") is None
    assert {"Cuoc Khikcon", "GIAN PÌNG TƯƠG VẬN"} <= set(inscription.value("other_lines"))


def test_crumbs_are_no_unit_and_no_form_of_address() -> None:
    inscription = parse_lines([_line("LIỆT SĨ"), _line("TRẦN VĂN TÁM"), _line("KKK", 0.1), _line("CO", 0.5)])
    assert inscription.value("unit") is None
    assert inscription.value("honorific") is None
    assert set(inscription.value("other_lines")) == {"KKK", "CO"}


def test_a_row_of_a_list_that_was_guessed_has_no_name() -> None:
    rows = [_line(f"{i}. NGUYỄN VĂN AN - 194{i}") for i in range(1, 5)]
    guessed = _line("5. NGUYỄN PRÔNGS XKỂN - 1946", 0.02)
    persons = parse_lines([_line("DANH SÁCH LIỆT SĨ"), *rows, guessed]).value("persons")
    assert [person["name"] for person in persons[3:]] == ["Nguyễn Văn An", None]


@given(st.text("qxzwkj .,|_*", min_size=1, max_size=30).filter(str.strip), st.floats(0, 0.19))
def test_a_failed_reading_never_makes_the_dead_unknown(text: str, confidence: float) -> None:
    assert parse_lines([_line("LIỆT SĨ"), _line(text, confidence)]).value("kind") != "unknown"


@pytest.mark.parametrize(
    ("cut", "name", "flag"),
    [
        ("ĐẰO VĂN TÁM", "Đào Văn Tám", "surname_fix"),
        ("HOÀMG VĂN TÁM", "Hoàng Văn Tám", "surname_fix"),
        ("NGYỄN VĂN TÁM", "Nguyễn Văn Tám", "surname_fix"),
        ("RẦI VĂN TÁM", "Rầi Văn Tám", "surname_unclear"),
        ("PHẠNM VĂN TÁM", "Phạm Văn Tám", "spelling_fix"),
    ],
)
def test_a_family_name_is_mended_only_where_one_other_has_its_shape(cut: str, name: str, flag: str) -> None:
    inscription = parse_lines([_line("LIỆT SĨ"), _line(cut)])
    assert inscription.value("name") == name
    assert flag in inscription.record["name"].flags


def test_another_reading_of_the_line_can_speak_against_mending_a_family_name() -> None:
    agreed = parse_lines([_line("LIỆT SĨ"), _line("HOÀMG VĂN TÁM", 0.9, "HOÀNG VĂN TÁM")])
    assert agreed.value("name") == "Hoàng Văn Tám"
    disputed = parse_lines([_line("LIỆT SĨ"), _line("HOÀMG VĂN TÁM", 0.9, "HOÀI VĂN TÁM")])
    assert disputed.value("name") == "Hoàmg Văn Tám"
    assert disputed.record["name"].flags == ("surname_unclear",)


def test_other_readings_of_a_guessed_line_name_nobody() -> None:
    guessed = parse_lines([_line("LIỆT SĨ"), _line("TRxN VĂ9 TXM", 0.1, "TRẦN VĂN TÁM")])
    assert guessed.value("name") is None
    assert guessed.record["name"].raw == "TRxN VĂ9 TXM"


def test_the_kind_and_the_header_are_as_sure_as_the_lines_that_say_them() -> None:
    lines = [_line("LIỆT SĨ", 0.9), _line("TRẦN VĂN TÁM", 0.8), _line("Hy sinh: 1968", 0.7), _line("lglalgl9lal", 0.0)]
    record = parse_lines(lines).record
    assert (record["kind"].confidence, record["kind"].raw, record["kind"].lines) == (0.8, "TRẦN VĂN TÁM", (1,))
    assert (record["header"].confidence, record["header"].lines) == (0.9, (0,))
    unknown = parse_lines([_line("CHƯA BIẾT TÊN", 0.8), _line("x&", 0.1)]).record
    assert unknown["kind"].confidence == unknown["unknown_wording"].confidence == 0.8


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("ĐT: O9I2.345.678", "O9I2.345.678"),
        ("CON TRAI PHUNG LAP O912 345 678", "O912 345 678"),
        ("Quê quán: Nam Đàn - Nghệ An - 0912 345 678", "0912 345 678"),
        ("xqz 84.912.345.67l", "84.912.345.67l"),
        ("O 912 345 678", "O 912 345 678"),
    ],
)
def test_telephone_numbers_are_found_in_any_line_and_stand_in_no_text_of_the_whole(line: str, number: str) -> None:
    inscription = parse_lines([_line("LIỆT SĨ"), _line("TRẦN VĂN TÁM"), _line(line)])
    assert number in inscription.value("redact")
    assert "living_person_pii" in inscription.flags
    assert number not in (inscription.record["kind"].raw or "")
    assert not any(number in text for text in inscription.value("other_lines") or ())


@pytest.mark.parametrize(
    "line", ["HS: 05-12-1968", "01 02 1968 05 06 1970", "LÔ 5 HÀNG 12 SỐ 3", "(12/05/1945 - 03/02/1970)"]
)
def test_dates_and_plots_are_no_telephone_numbers(line: str) -> None:
    assert not parse_lines([_line("LIỆT SĨ"), _line("TRẦN VĂN TÁM"), _line(line)]).value("redact")


def test_a_line_too_long_to_be_read_whole_is_told() -> None:
    assert "line_cut" in parse_lines([_line("Quê quán: Nam Đàn - Nghệ An " + "x" * 600)]).flags
    assert "line_cut" not in parse_lines([_line("Quê quán: Nam Đàn - Nghệ An")]).flags


def test_a_fact_repeated_without_end_keeps_its_first_lines_and_leaves_the_rest_unread() -> None:
    inscription = parse_lines([_line(f"huân chương hạng {number}") for number in range(80)])
    assert len(inscription.record["award"].lines) == 50
    assert len(inscription.value("other_lines")) == 30
