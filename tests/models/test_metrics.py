import itertools
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.metrics import (
    LineErrors,
    auroc,
    comparable,
    edit_distance,
    expected_calibration_error,
    line_errors,
    pair_lines,
)

_short = st.text(alphabet="ABĐế 1-", max_size=6)


@pytest.mark.parametrize(
    ("cut", "same"),
    [
        ("SINH NĂM : 1954", "SINH NĂM: 1954"),
        ("31 - 10 - 2025", "31-10-2025"),
        ("  LIỆT \t SĨ ", "LIỆT SĨ"),
        (unicodedata.normalize("NFD", "Quế Võ"), "Quế Võ"),
        ("( VỢ CỤ )", "(VỢ CỤ)"),
    ],
)
def test_spaces_around_punctuation_and_decomposed_letters_do_not_count(cut, same):
    assert comparable(cut) == comparable(same)


def test_spaces_between_words_and_case_count():
    assert comparable("LIỆT SĨ") != comparable("LIỆTSĨ")
    assert comparable("Liệt sĩ") != comparable("LIỆT SĨ")


@given(st.text())
def test_comparable_text_stays_the_same(text):
    assert comparable(comparable(text)) == comparable(text)


def test_an_unreadable_character_of_the_truth_matches_any_one():
    assert edit_distance("H? VĂN", "HÀ VĂN") == 0
    assert edit_distance("H? VĂN", "H VĂN") == 1


@given(_short, _short)
def test_a_wildcard_never_costs_more_than_the_character_it_hides(truth, read):
    for hidden in range(len(truth)):
        masked = truth[:hidden] + "?" + truth[hidden + 1 :]
        assert edit_distance(masked, truth) == 0
        assert edit_distance(truth, read) - 1 <= edit_distance(masked, read) <= edit_distance(truth, read)


@settings(max_examples=80, deadline=None)
@given(st.lists(_short.filter(bool), max_size=4), st.lists(_short.filter(bool), max_size=4))
def test_pairing_costs_least(truth, read):
    def cost(choice):
        return sum(
            len(truth[row]) - 0.5 if column is None else edit_distance(truth[row], read[column])
            for row, column in enumerate(choice)
        )

    pairs = pair_lines(truth, read)
    options = [None, *range(len(read))]
    least = min(
        (
            cost(choice)
            for choice in itertools.product(options, repeat=len(truth))
            if len({c for c in choice if c is not None}) == sum(c is not None for c in choice)
        ),
        default=0,
    )
    assert [row for row, _ in pairs] == list(range(len(truth)))
    assert cost([column for _, column in pairs]) == pytest.approx(least)


def test_lines_are_paired_whatever_their_order():
    errors = line_errors(["LIỆT SĨ", "LÊ VĂN AN", "SN: 1945"], ["SN: 1945", "LIỆT SĨ", "LÊ VĂN AN"])
    assert errors == LineErrors(lines=3, exact_lines=3, chars=7 + 9 + 7)


def test_a_missed_line_costs_its_length_and_a_false_line_nothing():
    errors = line_errors(["LIỆT SĨ", "LÊ VĂN AN"], ["LIỆT SĨ", "0399 833"])
    assert (errors.missed_lines, errors.false_lines) == (1, 1)
    assert errors.char_errors == errors.bare_char_errors == len("LÊ VĂN AN")


def test_wrong_marks_count_only_with_marks():
    errors = line_errors(["ĐỖ VĂN BẮC"], ["DO VAN BAC"])
    assert errors.char_errors == 4
    assert errors.bare_char_errors == 0
    assert errors.cer == pytest.approx(0.4)
    assert errors.exact_share == 0.0


def test_a_photo_without_truth_has_only_false_lines():
    assert line_errors([], ["X"]) == LineErrors(false_lines=1)
    assert LineErrors().cer == LineErrors().bare_cer == LineErrors().exact_share == 0.0


def test_calibration_error_is_the_gap_between_confidence_and_truth():
    assert expected_calibration_error([0.9] * 10, [True] * 9 + [False]) == pytest.approx(0.0)
    assert expected_calibration_error([1.0, 1.0], [True, False]) == pytest.approx(0.5)
    assert expected_calibration_error([], []) == 0.0


def test_auroc_of_perfect_reversed_and_blind_confidence():
    assert auroc([0.9, 0.8, 0.1], [True, True, False]) == 1.0
    assert auroc([0.1, 0.2, 0.9], [True, True, False]) == 0.0
    assert auroc([0.5, 0.5], [True, False]) == 0.5
    assert auroc([0.5, 0.7], [True, True]) == 0.5


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_auroc_is_the_share_of_rightly_ordered_pairs(answers):
    right = [given / 5 for given, correct in answers if correct]
    wrong = [given / 5 for given, correct in answers if not correct]
    expected = np.mean([(a > b) + (a == b) / 2 for a in right for b in wrong]) if right and wrong else 0.5
    assert auroc([g / 5 for g, _ in answers], [c for _, c in answers]) == pytest.approx(expected)
