import json
import unicodedata
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets import wording
from datasets.font_coverage import VIETNAMESE_LETTERS
from datasets.inscriptions import LINE_ALPHABET, sample_inscription, sample_line_text, sample_odd_text
from datasets.martyrs import sample_martyr
from datasets.truth import Kind, Role

seeds = st.integers(0, 2**32)


def bare(text: str) -> str:
    """Letters and digits alone, in one spelling of tone marks and one case."""
    return "".join(c for c in unicodedata.normalize("NFD", text.lower()) if c.isalnum())


@given(seeds)
def test_the_same_seed_gives_the_same_stones(seed: int) -> None:
    first, second = Random(seed), Random(seed)
    assert [sample_inscription(first) for _ in range(3)] == [sample_inscription(second) for _ in range(3)]


@given(seeds)
def test_every_line_is_clean_text_in_the_alphabet(seed: int) -> None:
    rng = Random(seed)
    lines = [line for _ in range(5) for line in sample_inscription(rng).lines]
    lines += [sample_line_text(rng), sample_odd_text(rng)]
    for line in lines:
        assert line
        assert line == unicodedata.normalize("NFC", line)
        assert line == " ".join(line.split())
        assert set(line) <= set(LINE_ALPHABET)


@given(seeds)
def test_every_line_has_a_role(seed: int) -> None:
    inscription = sample_inscription(Random(seed))
    assert len(inscription.lines) == len(inscription.roles)


@given(seeds)
def test_what_the_truth_says_stands_on_the_stone(seed: int) -> None:
    inscription = sample_martyr(Random(seed))
    stone, truth = bare("".join(inscription.lines)), inscription.truth
    if truth.name is not None:
        assert bare(truth.name) in stone
    for date in (truth.birth_date, truth.enlist_date, truth.death_date):
        assert date is None or date[:4] in stone
    for cut in (truth.unit, truth.rank, truth.position):
        assert cut is None or bare(cut) in stone
    if truth.hometown is not None:
        assert all(bare(part) in stone for part in (truth.hometown.commune, truth.hometown.district))


@given(seeds)
def test_a_life_runs_forward(seed: int) -> None:
    truth = sample_martyr(Random(seed)).truth
    years = [int(date[:4]) for date in (truth.birth_date, truth.enlist_date, truth.death_date) if date]
    assert years == sorted(years)


def test_unknown_graves_name_nobody() -> None:
    rng = Random(5)
    unknown = [stone for stone in (sample_martyr(rng) for _ in range(600)) if stone.kind is Kind.UNKNOWN]
    assert len(unknown) > 20
    assert all(stone.truth.unknown and stone.truth.name is None for stone in unknown)


def test_three_stones_in_four_are_cut_in_capitals() -> None:
    rng = Random(6)
    stones = [sample_martyr(rng) for _ in range(1000)]
    assert sum(all(line.isupper() for line in stone.lines) for stone in stones) / 1000 == pytest.approx(0.75, abs=0.06)


def test_civil_graves_are_a_share_and_name_a_person() -> None:
    rng = Random(7)
    stones = [sample_inscription(rng) for _ in range(1000)]
    civil = [stone for stone in stones if stone.kind is Kind.CIVIL]
    assert 0.25 < len(civil) / 1000 < 0.35
    assert all(Role.NAME in stone.roles for stone in civil)


def test_every_vietnamese_letter_is_drawn_often_enough_to_be_learnt() -> None:
    rng = Random(8)
    text = "".join(sample_line_text(rng) for _ in range(12_000))
    assert min(text.count(letter) for letter in VIETNAMESE_LETTERS) > 8


def test_a_truth_file_holds_only_what_is_known() -> None:
    rng = Random(9)
    facts = [sample_martyr(rng).truth.as_json() for _ in range(100)]
    assert all(value is not None for fact in facts for value in fact.values())
    assert all(set(fact["hometown"]) == {"commune", "district", "province"} for fact in facts if "hometown" in fact)
    json.dumps(facts)


@pytest.mark.parametrize(
    ("year", "name"), [(1968, "Mậu Thân"), (1975, "Ất Mão"), (2014, "Giáp Ngọ"), (2023, "Quý Mão")]
)
def test_lunar_years_are_named_as_the_calendar_has_them(year: int, name: str) -> None:
    drawn = {wording.lunar_year(Random(seed), year) for seed in range(20)}
    assert name in drawn
    assert len(drawn) <= 2


def test_tone_marks_move_only_in_open_syllables() -> None:
    hands = {hand.old_tone: hand for hand in (wording.draw_hand(Random(seed)) for seed in range(40))}
    assert wording.respell("Hòa THÚY Hoàng Quý", hands[False]) == "Hoà THUÝ Hoàng Quý"
    assert wording.respell("Hoà THUÝ Hoàng Quý", hands[True]) == "Hòa THÚY Hoàng Quý"


@pytest.mark.parametrize(
    ("label", "value", "cut"),
    [
        ("Sinh ngày", "ngày 16 tháng 8 năm 1934", "Sinh ngày 16 tháng 8 năm 1934"),
        ("Hy sinh ngày", "1958", "Hy sinh năm: 1958"),
        ("Hy sinh", "12-5-1968", "Hy sinh: 12-5-1968"),
    ],
)
def test_a_label_does_not_repeat_or_belie_its_date(label: str, value: str, cut: str) -> None:
    hand = replace(wording.draw_hand(Random(1)), colon=": ")
    assert wording.join_label(label, hand, value) == cut
