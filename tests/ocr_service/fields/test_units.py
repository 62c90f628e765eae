from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.errors import UsageError
from ocr_service.fields import parse_text
from ocr_service.fields.decodes import Decode, DecodeTable, read_decodes
from ocr_service.fields.positions import read_position
from ocr_service.fields.ranks import read_rank
from ocr_service.fields.units import read_unit

LINKS = st.lists(st.tuples(st.sampled_from("cdef"), st.integers(1, 999)), min_size=1, max_size=4)


@given(LINKS, st.sampled_from(["/", " - ", "-", " ", ", "]), st.booleans())
def test_a_written_chain_is_read_back_in_its_order(
    links: list[tuple[str, int]], separator: str, capitals: bool
) -> None:
    text = separator.join(f"{letter}{number}" for letter, number in links)
    reading = read_unit(text.upper() if capitals else text)
    assert reading.chain == tuple((letter, str(number)) for letter, number in links)


@given(st.text(max_size=60))
def test_any_text_is_a_unit_a_rank_and_a_position_or_none(text: str) -> None:
    assert isinstance(read_unit(text).chain, tuple)
    assert read_rank(text) is None or read_rank(text) is not None
    position = read_position(text)
    assert position is None or position.code


def test_the_last_b_of_a_chain_is_a_theatre_and_the_first_a_platoon() -> None:
    assert read_unit("BT62/B3").chain == (("binh_tram", "62"), ("chien_truong", "B3"))
    assert read_unit("b2/c3/d5").chain == (("b", "2"), ("c", "3"), ("d", "5"))


def test_no_theatre_code_is_given_a_meaning() -> None:
    for code in ("KB", "KH", "KN", "KT", "NB", "P1", "KBM", "EG"):
        reading = read_unit(code)
        assert reading.theatre_code == code
        assert "undecoded" in reading.flags


def test_decodes_depend_on_code_and_date(tmp_path: Path) -> None:
    path = tmp_path / "decodes.csv"
    path.write_text(
        "code,from,to,place,meaning,source\nKB,1965,1968,,Unit one,letter 1\nKB,1969-02,1972,B2,Unit two,letter 2\n",
        "utf-8",
    )
    table = read_decodes(path)
    assert [row.meaning for row in table.lookup("KB", "1967-05-01")] == ["Unit one"]
    assert [row.meaning for row in table.lookup("kb", "1970")] == ["Unit two"]
    assert len(table.lookup("KB")) == 2
    assert table.lookup("KB", "1980") == ()
    assert DecodeTable().lookup("KB") == ()


def test_a_unit_code_is_decoded_by_the_table_given_and_the_day_of_death() -> None:
    table = DecodeTable(
        (Decode("KB", "1965", "1968", "", "Unit one", "letter 1"), Decode("KB", "1969", "", "", "Unit two", "letter 2"))
    )
    text = "LIỆT SĨ\nTRẦN VĂN TÁM\nĐơn vị: KB\nHy sinh: 12/5/1967"
    decoded = parse_text(text, decodes=table).value("unit")["decode"]
    assert decoded == [{"code": "KB", "meaning": "Unit one", "source": "letter 1"}]
    assert parse_text(text).value("unit")["decode"] is None


def test_a_decode_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "decodes.csv"
    path.write_text("code,meaning\nKB,x\n", "utf-8")
    with pytest.raises(UsageError, match="add the column"):
        read_decodes(path)
    path.write_text("code,from,to,place,meaning,source\nKB,,,,,\n", "utf-8")
    with pytest.raises(UsageError, match="line 2"):
        read_decodes(path)


@pytest.mark.parametrize(
    ("text", "code"),
    [("H2", "trung_si"), ("2//", "trung_ta"), ("Chuẩn uý", "chuan_uy"), ("Đại uý", "dai_uy"), ("TS", None)],
)
def test_ranks_are_read_by_word_and_code(text: str, code: str | None) -> None:
    reading = read_rank(text)
    assert reading is not None
    assert reading.code == code
