from __future__ import annotations

import math
from pathlib import Path

import pytest

from models.charset import Charset
from models.language import LanguagePrior, load_language
from models.training.language import build, inscription_lines


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("language") / "small.npz"
    build(list(inscription_lines(150, seed=1)), path)
    return path


def test_the_same_seed_gives_the_same_file(small: Path, tmp_path: Path) -> None:
    build(list(inscription_lines(150, seed=1)), tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == small.read_bytes()


def test_other_texts_give_another_file(small: Path, tmp_path: Path) -> None:
    build(list(inscription_lines(150, seed=2)), tmp_path / "other.npz")
    assert (tmp_path / "other.npz").read_bytes() != small.read_bytes()


def test_counts_become_witten_bell_chances(tmp_path: Path) -> None:
    build(["aa", "ab"], tmp_path / "tiny.npz", least_counts=(1, 1))
    model = load_language(tmp_path / "tiny.npz")
    a, b = model.symbol("a"), model.symbol("b")
    even = 1 / (len(model.symbol_of) + 2)
    alone = (3 + 3 * even) / 9, (1 + 3 * even) / 9  # 3 a, 1 b, 2 line ends: 6 characters of 3 sorts
    after_a = (1 + 3 * alone[0]) / 6, (1 + 3 * alone[1]) / 6  # a, b and an end, once each
    assert math.exp(model.letter(a << 8 | a)) == pytest.approx(after_a[0], rel=0.05)
    assert math.exp(model.letter(a << 8 | b)) == pytest.approx(after_a[1], rel=0.05)


def test_rare_ngrams_left_out_are_backed_off_to_and_chances_still_sum_to_one(small: Path) -> None:
    model = load_language(small)
    for begun in ("", "S", "ĐƠN V", "quê"):
        key = 0
        for char in begun:
            key = key << 8 | model.symbol(char)
        chances = [math.exp(model.letter((key << 8 | symbol) & (1 << 48) - 1)) for symbol in model.symbol_of.values()]
        assert sum(chances) + math.exp(model.letter(key << 8 & (1 << 48) - 1)) == pytest.approx(1.0, abs=0.06)


def test_letters_count_whatever_their_case_and_case_by_what_precedes(tmp_path: Path) -> None:
    build(["LÊ VĂN AN"] * 50 + ["Lê Văn An"] * 50, tmp_path / "cases.npz", least_counts=(1, 1, 1))
    prior = LanguagePrior(load_language(tmp_path / "cases.npz"), Charset.from_symbols("LÊêVvĂă "), 1.0, 0.0)

    def gain(begun: str, char: str) -> float:
        state, labels = prior.start, {symbol: label for label, symbol in enumerate("LÊêVvĂă ", start=1)}
        for symbol in begun:
            _, state = prior.grow(state, labels[symbol])
        return prior.grow(state, labels[char])[0]

    assert gain("L", "Ê") == pytest.approx(gain("L", "ê"), abs=0.01)
    assert gain("LÊ V", "Ă") > gain("LÊ V", "ă") + 1.0
    assert gain("Lê V", "ă") > gain("Lê V", "Ă") + 1.0
