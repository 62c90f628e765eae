from __future__ import annotations

from functools import lru_cache
from random import Random

import pytest

from bench.misreadings import MisreadText, misread
from bench.rivals import as_read
from bench.round_trip import Verdict, judge_noisy, noisy_verdicts, wrong_fields
from datasets.inscriptions import Inscription, Kind, Truth, sample_inscription
from datasets.truth import Role
from ocr_service.fields import parse_text

STONE = Inscription(
    ("LIỆT SĨ", "TRẦN VĂN TÁM", "HY SINH: 12-5-1968"),
    (Role.HEADER, Role.NAME, Role.FACT),
    Truth(name="Trần Văn Tám", death_date="1968-05-12"),
    Kind.NAMED,
)


def test_what_was_read_otherwise_is_told() -> None:
    assert wrong_fields(STONE, parse_text("\n".join(STONE.lines))) == []
    assert wrong_fields(STONE, parse_text("LIỆT SĨ\nTRẦN VĂN TẠM\nHY SINH: 12-5-1967")) == ["name", "death"]
    assert wrong_fields(STONE, parse_text("LIỆT SĨ\nTRẦN VĂN TÁM")) == ["death"]


def test_noise_hits_the_share_of_characters_it_says_and_no_line_break() -> None:
    text = "\n".join(["NGUYỄN VĂN AN - 12/5/1968"] * 800)
    noisy = misread(text, Random(1))
    hit = sum(new != old for new, old in zip(noisy.became, text, strict=True))
    assert 0.025 < hit / len(text) < 0.035
    assert noisy.text.count("\n") == text.count("\n")
    assert misread(text, Random(1), share=0.0).text == text


def test_a_field_found_in_its_place_counts_apart_from_one_that_is_right() -> None:
    text = "\n".join(STONE.lines)
    became = list(text)
    became[text.index("12-5")] = "4"
    noisy = MisreadText(text, tuple(became))
    verdict = judge_noisy(STONE, noisy, as_read(noisy, Random(0)))["death"]
    assert (verdict.equal, verdict.found) == (False, True)


def test_fresh_inscriptions_of_all_kinds_come_back_as_they_were_worded() -> None:
    rng = Random(20260501)
    stones = [sample_inscription(rng) for _ in range(600)]
    right = sum(not wrong_fields(stone, parse_text("\n".join(stone.lines))) for stone in stones)
    assert right / len(stones) >= 0.985  # 0.9986 of 5,000 (make bench ONLY=parse), less the chance of 600


@pytest.mark.parametrize(
    ("field", "equal", "found"), [("name", 0.64, 0.96), ("death", 0.82, 0.95), ("province", 0.93, 0.95)]
)
def test_misread_inscriptions_keep_their_facts_in_place(field: str, equal: float, found: float) -> None:
    verdicts = _misread_stones()[field]
    assert sum(verdict.equal for verdict in verdicts) / len(verdicts) >= equal
    assert sum(verdict.found for verdict in verdicts) / len(verdicts) >= found


@lru_cache(maxsize=1)
def _misread_stones() -> dict[str, list[Verdict]]:
    return noisy_verdicts(20260502, 400)
