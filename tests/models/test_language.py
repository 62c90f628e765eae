import math
import random
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bundle import WEIGHTS_DIR
from models.charset import Charset, vietnamese_letters
from models.ctc import CLEAR_PROBABILITY, beam_search, greedy
from models.errors import BundleError
from models.language import LanguagePrior, load_language

SHIPPED = WEIGHTS_DIR / "language" / "inscriptions-1.npz"
CHARSET = Charset.from_symbols([*string.digits, *string.ascii_letters, *sorted(vietnamese_letters()), *".,-/:", " "])


@pytest.fixture(scope="module")
def model():
    return load_language(SHIPPED)


@pytest.fixture(scope="module")
def prior(model):
    return LanguagePrior(model, CHARSET, 0.25, 0.5)


def _log_probability(model, text):
    """Of ``text`` as a whole line, its end included."""
    alone = LanguagePrior(model, CHARSET, 1.0, 0.0)
    total, state = 0.0, alone.start
    for label in CHARSET.encode(text):
        added, state = alone.grow(state, label)
        total += added
    return total + alone.end(state)


def _frames(*columns):
    """Rows of probabilities, a blank between any two; each column names classes and their chances."""
    rows = []
    for column in columns:
        row = np.full(len(CHARSET), 1e-6, np.float32)
        for char, chance in column.items():
            row[CHARSET.encode(char)[0]] = chance
        blank = np.full(len(CHARSET), 1e-6, np.float32)
        blank[0] = 1.0
        rows += [row, blank]
    return np.array([row / row.sum() for row in rows])


def _best(rows, prior):
    return CHARSET.text(beam_search(rows, prior=prior)[0].labels)


@pytest.mark.parametrize(
    ("likely", "unlikely"),
    [
        ("NGUYỄN VĂN HÙNG", "NGUYỂN VĂN HÙNG"),
        ("Nguyễn Văn Hùng", "NgUyễn Văn Hùng"),
        ("LIỆT SĨ", "LIÊT SĨ"),
        ("HY SINH 12-5-1968", "HY SINH 12-5-7968"),
        ("Bình Định", "Bịnh Đình"),
    ],
)
def test_what_stones_say_is_more_likely_than_a_misreading_of_it(model, likely, unlikely):
    assert _log_probability(model, likely) > _log_probability(model, unlikely) + 1.0


@pytest.mark.parametrize("begun", ["", "N", "NGUY", "Hy sinh ", "19", "xq", "Lê "])
def test_the_chances_of_all_that_may_follow_sum_to_one(model, begun):
    alone = LanguagePrior(model, CHARSET, 1.0, 0.0)
    state = alone.start
    for label in CHARSET.encode(begun):
        _, state = alone.grow(state, label)
    following = [model.letter((state[0] << 8 | symbol) & (1 << 48) - 1) for symbol in {0, *model.symbol_of.values()}]
    # logarithms are kept in steps of 1/16, so a sum may be off by a few hundredths
    assert sum(map(math.exp, following)) == pytest.approx(1.0, abs=0.05)


@given(st.text(st.sampled_from(CHARSET.chars[1:]), min_size=1, max_size=40))
def test_no_text_is_impossible(text):
    assert math.isfinite(_log_probability(load_language(SHIPPED), text))


def test_an_unknown_character_has_a_chance_too(model):
    prior = LanguagePrior(model, Charset.from_symbols(["漢"]), 1.0, 0.0)
    assert -20.0 < prior.grow(prior.start, 1)[0] < -1.0


def test_an_unclear_tone_mark_is_read_as_names_have_it(prior):
    rows = _frames(*({char: 0.99} for char in "NGUY"), {"Ể": 0.55, "Ễ": 0.4}, *({char: 0.99} for char in "N VĂN"))
    assert CHARSET.text(greedy(rows).labels) == "NGUYỂN VĂN"
    assert _best(rows, None) == "NGUYỂN VĂN"
    assert _best(rows, prior) == "NGUYỄN VĂN"


def test_what_follows_decides_as_well_as_what_goes_before(prior):
    rows = _frames({"L": 0.55, "Đ": 0.4}, *({char: 0.99} for char in "ƠN VỊ"))
    assert _best(rows, prior) == "ĐƠN VỊ"


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from(CHARSET.chars[1:]), min_size=1, max_size=25), st.integers(0, 10_000))
def test_clear_letters_are_never_overruled(text, seed):
    dice = random.Random(seed)
    rest = 1.0 - CLEAR_PROBABILITY - 0.002
    columns = [{char: CLEAR_PROBABILITY + 0.002, dice.choice(CHARSET.chars[1:]): rest} for char in text]
    columns = [column | {char: CLEAR_PROBABILITY + 0.002} for column, char in zip(columns, text, strict=True)]
    rows = _frames(*columns)
    strong = LanguagePrior(load_language(SHIPPED), CHARSET, 5.0, 2.0)
    found = beam_search(rows, prior=strong)
    assert [hypothesis.labels for hypothesis in found] == [tuple(CHARSET.encode(text))]


def test_made_up_syllables_with_clear_enough_letters_stay(prior):
    rows = _frames(*({char: 0.9, other: 0.08} for char, other in zip("Xỡq Vưỷm", "XơgnVưỳn", strict=True)))
    assert _best(rows, prior) == "Xỡq Vưỷm"


def test_rivals_keep_the_networks_probability_beside_the_prior(prior):
    rows = _frames({"L": 0.6, "E": 0.3}, {"Ê": 0.6, "E": 0.3})
    plain = {found.labels: found.log_probability for found in beam_search(rows, 50, follow=0.01)}
    for found in beam_search(rows, 50, follow=0.01, prior=prior):
        assert found.log_probability == pytest.approx(plain[found.labels])
        assert found.score == found.log_probability + found.log_prior


def test_no_text_stays_no_text(prior):
    rows = np.full((20, len(CHARSET)), 0.1 / (len(CHARSET) - 1), np.float32)
    rows[:, 0] = 0.9
    rows[5, [0, CHARSET.encode("I")[0]]] = 0.6, 0.3
    assert beam_search(rows, prior=prior)[0].labels == ()


def test_a_file_that_is_no_model_is_a_bundle_error(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"not a model")
    with pytest.raises(BundleError, match=r"x\.npz cannot be read"):
        load_language(tmp_path / "x.npz")
