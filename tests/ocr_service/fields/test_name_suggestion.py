from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.lexicon import lexicon
from ocr_service.fields import parse_text
from ocr_service.fields.name_suggestion import Proposal, suggest_name

WORDS = lexicon()


@pytest.mark.parametrize(
    ("cut", "proposed", "is_forced"),
    [
        ("NGUYỄN VẦN TÁM", "Nguyễn Văn Tám", False),
        ("NGUYEN VĂN TÁM", "Nguyễn Văn Tám", False),
        ("NGUYỄN VĂNDNGỌC TÁM", "Nguyễn Văn Ngọc Tám", True),
        ("TRẦN0VĂN TÁM", "Trần Văn Tám", True),
        ("NGÚYỄN VĂN TÁM", "Nguyễn Văn Tám", True),
        ("HỒ VĂN PRUNG", "Hồ Văn Trung", False),
    ],
)
def test_a_word_one_letter_from_a_frequent_name_is_proposed(cut: str, proposed: str, is_forced: bool) -> None:
    assert suggest_name(cut) == Proposal(proposed, is_forced)


@pytest.mark.parametrize(
    ("cut", "name"),
    [
        ("NGUYỄN VĂM TÁM", "Nguyễn Văm Tám"),
        ("NGUYỄN VẰN TÁM", "Nguyễn Vằn Tám"),
        ("HỒ VĂN PRUNG", "Hồ Văn Prung"),
        ("TRƯƠNG VĂN GIẢ/G", "Trương Văn Giảng"),
    ],
)
def test_what_may_be_a_name_stays_and_what_cannot_be_one_is_mended_with_a_flag(cut: str, name: str) -> None:
    field = parse_text(f"LIỆT SĨ\n{cut}").record["name"]
    assert (field.value, field.raw) == (name, cut)
    assert ("spelling_fix" in field.flags) == (name.upper() != cut)
    assert field.confidence <= (0.6 if "spelling_fix" in field.flags else 1.0)


@pytest.mark.parametrize("cut", ["TÁM", "NGUYỄN VĂN TẠM", "QXZ VĂN TÁM", "", "...", "NGUYỄN VĂN T0M"])
def test_nothing_is_proposed_where_nothing_is_wrong_or_several_names_are_near(cut: str) -> None:
    assert suggest_name(cut) is None


@given(
    st.sampled_from(WORDS.surnames.values), st.sampled_from(WORDS.middles.values), st.sampled_from(WORDS.givens.values)
)
def test_a_name_of_known_parts_is_left_alone(surname: str, middle: str, given_name: str) -> None:
    proposed = suggest_name(f"{surname} {middle} {given_name}".upper())
    assert proposed is None or len(proposed.name.split()) != 3


@settings(deadline=None)  # the first proposal reads the word lists
@given(st.text(max_size=60))
def test_a_proposal_stands_beside_the_name_and_is_no_surer(text: str) -> None:
    record = parse_text(f"LIỆT SĨ\n{text}").record
    if "name_suggested" in record:
        assert record["name_suggested"].raw == record["name"].raw
        assert record["name"].value is None or record["name_suggested"].confidence <= record["name"].confidence
