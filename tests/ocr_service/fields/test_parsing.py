from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ocr_service.fields import context_from_json, parse_lines, parse_text
from ocr_service.fields.confidence import field_confidence
from ocr_service.records import Alternative, Context, Line

PIECES = st.sampled_from(
    ["Sinh năm", "Hy sinh", "HS", "Quê quán:", "ĐV", "12/5/1968", "//", "1/25/68", "LIỆT SĨ", "NGUYỄN VĂN AN", "ÂL",
     "Tết Mậu Thân", "(", ")", "-", ",", "\n", "  ", "tháng", "năm", "\u00a0", "Hà Nam", "c3/d7", "0912 345 678", "…"]
)  # fmt: skip


def _line(text: str, confidence: float = 0.9, stone: int = 0, top: float = 0.0, left: float = 0.0) -> Line:
    quad = ((left, top), (left + 90, top), (left + 90, top + 20), (left, top + 20))
    return Line(text, confidence, quad, stone)


@settings(max_examples=300)
@given(
    st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map(" ".join)),
    st.sampled_from([None, "line", "death", "hometown", "unit"]),
)
def test_any_text_parses(text: str, field: str | None) -> None:
    flat = parse_text(text, Context(field=field, source="roster")).flat()
    assert isinstance(flat["kind"], str)
    assert flat["flags"] == sorted(set(flat["flags"]))


@given(st.text(max_size=300), st.floats(0, 1))
def test_no_field_is_surer_than_its_lines(text: str, confidence: float) -> None:
    lines = [_line(part, confidence) for part in text.split("\n")]
    record = parse_lines(lines).record
    assert all(field.confidence <= confidence + 1e-4 for field in record.values() if field.lines)


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=4),
    st.floats(0, 1),
    st.sets(st.sampled_from(["gazetteer_fix", "lunar_mismatch", "two_columns", "illegible_year"])),
)
def test_a_doubt_never_raises_the_confidence(lines: list[float], fit: float, flags: set[str]) -> None:
    plain = field_confidence(lines, fit=fit)
    assert field_confidence(lines, fit=fit, flags=flags) <= plain
    assert field_confidence(lines, fit=fit, misread_label=True) <= plain
    assert field_confidence([*lines, 0.1], fit=fit) <= plain
    assert field_confidence(lines, fit=fit / 2) <= plain


def test_thousands_of_lines_and_endless_ones_are_read_to_the_end() -> None:
    long = parse_text("\n".join(f"{i} NGUYỄN VĂN AN - {1940 + i % 20} - Hà Nam" for i in range(3000))).flat()
    assert long["kind"] == "memorial_list"
    assert len(long["persons"]) == 3000
    assert parse_text("Quê quán: " + "- " * 50_000 + "a" * 50_000).flat()["kind"]
    assert parse_text("HS: " + "1" * 20_000 + "/" * 20_000).flat()["kind"]


def test_nothing_read_is_not_taken_for_a_blank_stone() -> None:
    assert parse_text("").flat()["kind"] == "other"
    assert parse_text("\n\n").flat()["flags"] == ["blank_stone"]


def test_a_chain_that_exists_beats_the_better_guess() -> None:
    lines = [
        _line("LIỆT SĨ"),
        _line("NGUYỄN VĂN AN"),
        Line("Quê quán: Hiệp Cát - Nam Sécn - Hải Hưng", 0.9, _line("").quad, 0,
             (Alternative("Quê quán: Hiệp Cát - Nam Sách - Hải Hưng", 0.8),)),
        Line("Hy sinh: 31/11/1968", 0.9, _line("").quad, 0, (Alternative("Hy sinh: 21/11/1968", 0.7),)),
    ]  # fmt: skip
    inscription = parse_lines(lines)
    assert inscription.value("hometown")["district"] == "Nam Sách"
    assert inscription.value("death") == "1968-11-21"
    assert "chosen_alternative" in inscription.flags


def test_the_second_line_of_a_hometown_is_chosen_by_the_chain_it_makes() -> None:
    lines = [
        _line("LIỆT SĨ"),
        _line("NGUYỄN VĂN AN"),
        _line("Quê quán: Kim Liên"),
        Line("Num Dxn - Ngxx Am", 0.9, _line("").quad, 0, (Alternative("Nam Đàn - Nghệ An", 0.2),)),
    ]
    inscription = parse_lines(lines)
    assert inscription.value("hometown")["commune"] == "Kim Liên"
    assert inscription.value("hometown")["province"] == "Nghệ An"
    assert "chosen_alternative" in inscription.flags


def test_a_name_that_cannot_be_one_takes_the_readers_next_reading_and_keeps_what_was_read() -> None:
    name = Line("NGUYỄN VĂN Tx4N", 0.9, _line("").quad, 0, (Alternative("NGUYỄN VĂN TOÀN", 0.2),))
    record = parse_lines([_line("LIỆT SĨ"), name]).record
    assert (record["name"].value, record["name"].raw) == ("Nguyễn Văn Toàn", "NGUYỄN VĂN Tx4N")
    assert record["name"].flags == ("chosen_alternative",)
    assert record["name"].confidence < 0.8
    for cut, other in (("NGUYỄN VĂN TẠM", "NGUYỄN VĂN TÁM"), ("BÉ THỊ TRÍ", "BẾ THỊ TRÍ")):
        possible = Line(cut, 0.5, _line("").quad, 0, (Alternative(other, 0.4),))
        assert parse_lines([_line("LIỆT SĨ"), possible]).record["name"].value.upper() == cut
    sure = parse_lines([_line("LIỆT SĨ"), _line("NGUYỄN VĂN TOÀN")]).record
    assert "name_suggested" not in sure


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["9", "(", ")", "-", "1a", "Ợx ", "HS: ", "Quê: ", "Tân Thành, ", "LIỆT SĨ\n", "9\n", "A: B - C\n"])
)
def test_five_thousand_characters_of_one_kind_parse(piece: str) -> None:
    assert parse_text(piece * (5000 // len(piece))).flat()["kind"]
    assert parse_text(f"LIỆT SĨ\nTRẦN VĂN TÁM\n{piece * 600}").value("name") is not None


def test_a_reading_that_the_pixels_hardly_allow_is_not_chosen_for_being_a_place() -> None:
    cut = "Quê quán: Hiệp Cạt - Nam Sách - Hải Hưng"
    for score, chosen in ((0.001, False), (0.2, True)):
        other = Alternative("Quê quán: Hiệp Cát - Nam Sách - Hải Hưng", score)
        record = parse_lines([Line(cut, 0.9, _line("").quad, 0, (other,))]).record
        assert ("Hiệp Cạt" in str(record["hometown"].raw)) is not chosen


def test_a_line_that_fits_keeps_its_reading() -> None:
    line = Line("Hy sinh: 21/11/1968", 0.9, _line("").quad, 0, (Alternative("Hy sinh: 22/11/1968", 0.9),))
    inscription = parse_lines([line])
    assert inscription.value("death") == "1968-11-21"
    assert "chosen_alternative" not in inscription.flags


def test_lines_side_by_side_are_two_columns() -> None:
    lines = [_line("Sinh năm: 1945", top=0, left=0), _line("Nhập ngũ: 1964", top=2, left=100)]
    assert "two_columns" in parse_lines(lines).flags


def test_the_larger_stone_is_the_record_and_the_other_is_kept() -> None:
    lines = [
        _line("LIỆT SĨ", stone=0),
        _line("LIỆT SĨ", stone=1),
        _line("TRẦN VĂN TÁM", stone=1),
        _line("HS: 1968", stone=1),
    ]
    inscription = parse_lines(lines)
    assert inscription.value("name") == "Trần Văn Tám"
    assert inscription.record["name"].lines == (2,)
    assert len(inscription.value("other_stones")) == 1
    assert "several_stones" in inscription.flags


def test_fields_say_which_lines_they_come_from() -> None:
    record = parse_text("LIỆT SĨ\nTRẦN VĂN\nTHƯỞNG\nQuê quán: Nam Yên -\nNam Đàn - Nghệ An").record
    assert record["name"].lines == (1, 2)
    assert record["hometown"].lines == (3, 4)
    assert record["name"].raw == "TRẦN VĂN THƯỞNG"


def test_a_context_from_json_ignores_what_it_does_not_know() -> None:
    context = context_from_json({"src": "roster", "field": "death", "x": 1, "cemetery_province": 5})
    assert context == Context(source="roster", field="death")


def test_what_the_upload_knows_is_marked_as_such_and_gives_way_to_the_stone() -> None:
    context = Context(cemetery="NTLS xã Tứ Kỳ", plot="Lô A hàng 3 số 12")
    without = parse_text("LIỆT SĨ\nTRẦN VĂN TÁM", context)
    assert without.value("loc") == {"raw": "Lô A hàng 3 số 12", "lo": "A", "hang": "3", "mo": "12", "source": "upload"}
    assert {"loc_from_context", "cemetery_from_context"} <= set(without.flags)
    stone = parse_text("LIỆT SĨ\nTRẦN VĂN TÁM\nHàng 5 số 7", context)
    assert stone.value("loc")["hang"] == "5"
    assert stone.value("loc")["source"] == "stone"


def _with_readings(text: str, sure: float, *others: tuple[str, float]) -> Line:
    return Line(text, sure, _line("").quad, 0, tuple(Alternative(*other) for other in others))


def test_a_death_before_the_enlistment_takes_the_reading_that_mends_the_order_of_life() -> None:
    lines = [
        _line("LIỆT SĨ"),
        _line("TRẦN VĂN TÁM"),
        _line("NHẬP NGŨ: 6-1961"),
        _with_readings("HY SINH: 12-8-1944", 0.8, ("HY SINH: 12-8-1964", 0.1), ("HY SINH: 12-8-1941", 0.06)),
    ]
    death = parse_lines(lines)
    assert death.value("death") == "1964-08-12"
    assert "chosen_alternative" in death.flags
    assert death.record["death"].confidence < 0.2
    hardly = [*lines[:3], _with_readings("HY SINH: 12-8-1944", 0.8, ("HY SINH: 12-8-1964", 0.01))]
    assert parse_lines(hardly).value("death") == "1944-08-12"
    assert "death_before_enlist" in parse_lines(hardly).flags


def test_a_label_that_only_another_reading_has_is_believed_where_the_number_is_the_same() -> None:
    head = [_line("LIỆT SĨ"), _line("TRẦN VĂN TÁM"), _line("SINH NĂM 1950")]
    unread = _with_readings("KX: 27-1-1970", 0.5, ("Mất: 27-1-1970", 0.001))
    assert parse_lines([*head, unread]).value("death") == "1970-01-27"
    other_number = _with_readings("KX: 27-1-1970", 0.5, ("Mất: 21-1-1970", 0.001))
    assert "chosen_alternative" not in parse_lines([*head, other_number]).flags
    stated = _with_readings("S: 10-11-1969", 0.5, ("NS: 10-11-1969", 0.3))
    assert parse_lines([*head, stated]).value("death") == "1969-11-10"


def test_a_date_made_whole_from_misread_digits_stays_before_a_shorter_reading() -> None:
    line = _with_readings("Mất 20-3-19M53", 0.5, ("Mất 20-3-19MS3", 0.02), ("Mất 20-3-53", 0.02))
    assert parse_lines([_line("LIỆT SĨ"), _line("TRẦN VĂN TÁM"), line]).value("death") == "1953-03-20"


def test_a_line_below_the_header_is_the_name_if_another_reading_of_it_is_one() -> None:
    line = _with_readings("MAI VĂN2ĐẮC", 0.6, ("MAI VÁN2ĐẮC", 0.4), ("MAI VĂN ĐẮC", 0.2))
    field = parse_lines([_line("LIỆT SĨ"), line]).record["name"]
    assert (field.value, field.raw, field.flags) == ("Mai Văn Đắc", "MAI VĂN2ĐẮC", ("chosen_alternative",))


def test_a_place_that_the_cemetery_decided_says_so() -> None:
    text = "LIỆT SĨ\nTRẦN VĂN TÁM\nQuê quán: Tân Thành HN"
    assert "completed_from_cemetery" in parse_text(text, Context(cemetery_province="Đồng Tháp")).flags
    assert "completed_from_cemetery" not in parse_text(text).flags
    known = "LIỆT SĨ\nTRẦN VĂN TÁM\nQuê quán: Kim Liên - Nam Đàn - Nghệ An"
    assert "completed_from_cemetery" not in parse_text(known, Context(cemetery_province="Nghệ An")).flags
