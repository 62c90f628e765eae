from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from ocr_service.database.documents import proposed
from ocr_service.database.values import RecordField
from ocr_service.exports.placing import Said, place
from ocr_service.exports.truth import LeftOut, line_truths
from ocr_service.records import Field, Line, Reading, ReadingStatus

QUAD = ((0.0, 0.0), (9.0, 0.0), (9.0, 3.0), (0.0, 3.0))
NAMED = Field("named", None, 0.99)


def truths(lines: list[str], record: dict[str, Field], said: dict[str, RecordField] | None = None) -> list[object]:
    """Truths of lines whose record a person accepted, but for what they ``said``."""
    reading = Reading(
        "a.jpg",
        "00",
        ReadingStatus.READ,
        lines=tuple(Line(text, 0.9, QUAD) for text in lines),
        record={"kind": NAMED, **record},
    )
    return line_truths(reading, proposed(reading.record) | (said or {}))


def corrected(field: Field, raw: str | None, value: object = "as corrected") -> RecordField:
    return RecordField(raw, value, None, 1.0, field.lines, (), "lan")


NAME = Field("Nguyễn Văn Mậu", "NGUYỄN VĂN MẬU", 0.8, (0,))
DEATH = Field("1968-05-12", "12-5-1968", 0.9, (1,))
HOME = Field({}, "TÂN PHÚ - CHÂU THANH, BẾN TRE", 0.9, (0, 1))
HOME_LINES = ["QUÊ QUÁN: TÂN PHÚ - CHÂU THANH", "BẾN TRE"]


def test_lines_of_accepted_fields_stand_as_they_were_read() -> None:
    read = ["NGUYỄN VĂN MẬU", "Hy sinh: 12-5-1968"]
    assert truths(read, {"name": NAME, "death": DEATH}) == read


def test_a_correction_takes_the_place_of_the_words_it_corrects() -> None:
    said = {"name": corrected(NAME, "NGUYỄN VĂN MẪU"), "death": corrected(DEATH, "12-6-1968")}
    read = ["LIỆT SĨ NGUYỄN VĂN MẬU", "Hy sinh: 12-5-1968"]
    assert truths(read, {"name": NAME, "death": DEATH}, said) == ["LIỆT SĨ NGUYỄN VĂN MẪU", "Hy sinh: 12-6-1968"]


def test_corrections_of_two_fields_of_one_line_are_both_made() -> None:
    birth, death = Field("1948", "1948", 0.9, (0,)), Field("1963", "1963", 0.9, (0,))
    said = {"birth": corrected(birth, "1943"), "death": corrected(death, "1968")}
    assert truths(["1948 - 1963"], {"birth": birth, "death": death}, said) == ["1943 - 1968"]


def test_words_that_stand_twice_are_not_corrected_by_guess() -> None:
    birth, death = Field("1968", "1968", 0.9, (0,)), Field("1968", "1968", 0.9, (0,))
    said = {"birth": corrected(birth, "1948")}
    assert truths(["1968 - 1968"], {"birth": birth, "death": death}, said) == [LeftOut.UNPLACED]
    assert truths(["1968 - 1968"], {"birth": birth, "death": death}) == ["1968 - 1968"]


def test_a_line_that_no_verified_field_stands_on_is_left_out() -> None:
    header = Field("TỔ QUỐC GHI CÔNG", "TỔ QUỐC GHI CÔNG", 0.9, (1,))
    found = truths(["NGUYỄN VĂN MẬU", "TỔ QUỐC GHI CÔNG"], {"name": NAME, "header": header})
    assert found == ["NGUYỄN VĂN MẬU", LeftOut.UNTOUCHED]


def test_a_label_that_is_misspelt_keeps_its_line_out() -> None:
    assert truths(["NGUYỄN VĂN MẬU", "Hy sính: 12-5-1968"], {"name": NAME, "death": DEATH})[1] is LeftOut.UNSEEN


def test_a_number_that_no_field_shows_keeps_its_line_out() -> None:
    assert truths(["NGUYỄN VĂN MẬU 7"], {"name": NAME}) == [LeftOut.UNSEEN]


def test_words_taken_from_another_reading_are_not_the_lines() -> None:
    death = Field("1968", "1968", 0.9, (0,), ("chosen_alternative",))
    assert truths(["Hy sinh: 19G8"], {"death": death}) == [LeftOut.UNPLACED]


def test_a_blanked_field_keeps_its_line_out() -> None:
    birth, death = Field("1948", "1948", 0.9, (0,)), Field("1963", "1963", 0.9, (0,))
    said = {"death": corrected(death, None, None)}
    assert truths(["1948 - 1963"], {"birth": birth, "death": death}, said) == [LeftOut.BLANKED]


def test_a_meaning_corrected_without_its_words_keeps_its_line_out() -> None:
    said = {"name": corrected(NAME, NAME.raw, "Nguyễn Văn Mẫu")}
    assert truths(["NGUYỄN VĂN MẬU"], {"name": NAME}, said) == [LeftOut.MEANING]


def test_corrections_that_do_not_copy_the_stone_are_not_learnt() -> None:
    for typed in ("Nguyễn Văn Mẫu", "NGUYỄN VĂN ?", "NGUYỄN VĂN M…"):
        assert truths(["NGUYỄN VĂN MẬU"], {"name": NAME}, {"name": corrected(NAME, typed)}) == [LeftOut.RETYPED]
    mixed = dataclasses.replace(NAME, raw="Nguyễn Văn Mậu")
    said = {"name": corrected(mixed, "nguyễn văn mẫu")}
    assert truths(["Nguyễn Văn Mậu"], {"name": mixed}, said) == [LeftOut.RETYPED]


def test_a_field_left_as_it_is_contradicts_a_correction_of_the_same_words() -> None:
    rank, position = Field("h3", "H3, A TRƯỞNG", 0.9, (0,)), Field("a_truong", "A TRƯỞNG", 0.9, (0,))
    said = {"position": corrected(position, "B TRƯỞNG")}
    assert truths(["CB: H3, A TRƯỞNG"], {"rank": rank, "position": position}, said) == [LeftOut.CONTRADICTED]
    both = said | {"rank": corrected(rank, "H3, B TRƯỞNG")}
    assert truths(["CB: H3, A TRƯỞNG"], {"rank": rank, "position": position}, both) == ["CB: H3, B TRƯỞNG"]


def test_a_field_over_two_lines_is_corrected_in_the_line_that_changed() -> None:
    assert truths(HOME_LINES, {"hometown": HOME}) == HOME_LINES
    said = {"hometown": corrected(HOME, "TÂN PHÚ - CHÂU THÀNH, BẾN TRE")}
    assert truths(HOME_LINES, {"hometown": HOME}, said) == ["QUÊ QUÁN: TÂN PHÚ - CHÂU THÀNH", "BẾN TRE"]


def test_a_correction_that_may_belong_to_either_line_is_left_out() -> None:
    for typed in ("TÂN PHÚ - CHÂU THÀNH, BẾN TRÊ", "TÂN PHÚ - CHÂU THÀNH BẾN TRE", "BẾN TRE"):
        said = {"hometown": corrected(HOME, typed)}
        assert truths(HOME_LINES, {"hometown": HOME}, said) == [LeftOut.UNPLACED] * 2


def test_a_comma_at_the_end_of_a_line_stays_there() -> None:
    lines = ["QUÊ: TÂN PHÚ,", "BẾN TRE"]
    home = Field({}, "TÂN PHÚ, BẾN TRE", 0.9, (0, 1))
    said = {"hometown": corrected(home, "TÂN PHÚ, BẾN TRI")}
    assert truths(lines, {"hometown": home}, said) == ["QUÊ: TÂN PHÚ,", "BẾN TRI"]


def test_persons_of_a_board_are_corrected_row_by_row() -> None:
    rows = ["1. Trần Văn Ba 1947", "2. Lê Văn Sau 1950", "3. Hồ Thị Tam 1951"]
    persons = Field([], "\n".join(rows), 0.9, (0, 1, 2))
    record = {"kind": Field("memorial_list", None, 0.9), "persons": persons}
    right = ["1. Trần Văn Bá 1947", "2. Lê Văn Sáu 1950", rows[2]]
    assert truths(rows, record, {"persons": corrected(persons, "\n".join(right), [])}) == right


def test_a_photo_with_data_of_living_people_is_left_out_whole() -> None:
    flag = "living_person_pii"
    personal = {
        "redact": Field(["Lan"], "Lan", 0.9, (1,)),
        "note": Field("Vợ: Lan", "Vợ: Lan", 0.9, (1,), (flag,)),
        "flags": Field([flag], None, 1.0),
    }
    for name, field in personal.items():
        lines = ["NGUYỄN VĂN MẬU", "Vợ: Lan"]
        assert truths(lines, {"name": NAME, name: field}) == [LeftOut.PERSONAL] * 2
        # also where a person has blanked the field since: the crop would still show it
        gone = {name: RecordField(None, None, None, 1.0, (1,), (), "lan")}
        assert truths(lines, {"name": NAME, name: field}, gone) == [LeftOut.PERSONAL] * 2
        # and where only a person saw it
        assert truths(lines, {"name": NAME}, dict(proposed({name: field}))) == [LeftOut.PERSONAL] * 2


def test_truths_are_nfc_with_single_spaces() -> None:
    decomposed = "NGUYE\u0302\u0303N  VA\u0306N   MÂ\u0323U"
    assert truths([decomposed], {"name": NAME}) == ["NGUYỄN VĂN MẬU"]


WORDS = st.lists(st.sampled_from(["ANH", "BA", "CHÍ", "ÊM", "12", "1968", "-"]), min_size=1, max_size=5).map(" ".join)


@given(before=WORDS, old=WORDS, new=WORDS, after=WORDS)
def test_a_placed_correction_changes_those_words_and_no_others(before: str, old: str, new: str, after: str) -> None:
    line = f"{before} | {old} | {after}"
    placed = place({3: line}, old, new)
    if line.count(old) > 1 and old != new:
        assert placed is None
    else:
        assert placed is not None
        assert Said(len(before) + 3, len(before) + 3 + len(old), new) in placed[3]


@given(first=WORDS, second=WORDS, separator=st.sampled_from([" ", ", ", " / "]), new=WORDS)
def test_what_is_placed_in_two_lines_gives_the_corrected_words(
    first: str, second: str, separator: str, new: str
) -> None:
    placed = place({0: f"Q: {first}", 1: second}, first + separator + second, first + separator + new)
    if placed is not None and len(placed) == 2:
        assert separator.join(words.text for said in placed.values() for words in said[:1]) == first + separator + new
