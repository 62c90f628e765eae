import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ctc import beam_search, greedy, label_probabilities


def _one_hot(labels, classes=4, certainty=0.97):
    rows = np.full((len(labels), classes), (1 - certainty) / (classes - 1), dtype=np.float32)
    rows[np.arange(len(labels)), labels] = certainty
    return rows


def _collapse(path):
    return tuple(label for label, _ in itertools.groupby(path) if label)


def _text_probabilities(probabilities):
    """Every text's probability by summing every path: the definition, in exponential time."""
    frames, classes = probabilities.shape
    totals = {}
    for path in itertools.product(range(classes), repeat=frames):
        value = math.prod(float(probabilities[frame, label]) for frame, label in enumerate(path))
        totals[_collapse(path)] = totals.get(_collapse(path), 0.0) + value
    return totals


@st.composite
def _probabilities(draw, frames=4, classes=3):
    values = draw(st.lists(st.floats(0.02, 1.0), min_size=frames * classes, max_size=frames * classes))
    rows = np.array(values).reshape(frames, classes)
    return (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)


def test_greedy_collapses_repeats_and_drops_blanks():
    assert greedy(_one_hot([0, 1, 1, 0, 1, 2, 2, 0])).labels == (1, 1, 2)


def test_greedy_gives_each_label_its_highest_probability():
    rows = _one_hot([1, 1, 0, 2])
    rows[1] = [0.2, 0.7, 0.05, 0.05]
    assert greedy(rows).probabilities == pytest.approx((0.97, 0.97))


def test_no_frames_hold_no_text():
    assert greedy(np.zeros((0, 4), np.float32)).labels == ()


@settings(max_examples=60, deadline=None)
@given(_probabilities())
def test_a_wide_beam_finds_every_text_with_its_exact_probability(probabilities):
    expected = _text_probabilities(probabilities)
    found = beam_search(probabilities, beam_width=500, follow=0.0)
    for hypothesis in found:
        assert math.exp(hypothesis.log_probability) == pytest.approx(expected[hypothesis.labels], rel=1e-4)
    assert math.exp(found[0].log_probability) == pytest.approx(max(expected.values()), rel=1e-4)


@settings(max_examples=60, deadline=None)
@given(_probabilities(frames=6))
def test_a_beam_lists_distinct_texts_best_first(probabilities):
    found = beam_search(probabilities, beam_width=5)
    assert len({hypothesis.labels for hypothesis in found}) == len(found)
    scores = [hypothesis.log_probability for hypothesis in found]
    assert scores == sorted(scores, reverse=True)
    assert sum(math.exp(score) for score in scores) <= 1.0 + 1e-4


def test_a_beam_sees_what_greedy_misses():
    # 1 in the first or in the second frame: together more probable than blank twice, which is the best single path
    rows = np.array([[0.6, 0.4], [0.6, 0.4]], dtype=np.float32)
    assert greedy(rows).labels == ()
    assert beam_search(rows)[0].labels == (1,)
    assert math.exp(beam_search(rows)[0].log_probability) == pytest.approx(0.64)


def test_long_lines_do_not_underflow():
    rows = np.full((3000, 5), 0.2, dtype=np.float32)
    assert math.isfinite(beam_search(rows)[0].log_probability)


def test_label_probabilities_agree_with_greedy_on_the_greedy_text():
    rows = _one_hot([0, 1, 1, 0, 1, 2, 0, 3])
    path = greedy(rows)
    assert label_probabilities(rows, path.labels) == pytest.approx(path.probabilities)


def test_label_probabilities_find_the_frames_of_another_text():
    rows = _one_hot([1, 0, 2])
    rows[2] = [0.1, 0.05, 0.55, 0.3]
    assert label_probabilities(rows, (1, 3)) == pytest.approx((0.97, 0.3))


def test_text_longer_than_its_frames_is_refused():
    with pytest.raises(ValueError, match="fit"):
        label_probabilities(_one_hot([1, 1]), (1, 1))


def test_no_labels_have_no_probabilities():
    assert label_probabilities(_one_hot([0, 0]), ()) == ()
