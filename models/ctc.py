"""CTC decoding on a matrix of class probabilities. Pure; class 0 is the blank.

Graves et al. 2006, "Connectionist temporal classification"; prefix beam search after Hannun et al. 2014,
"First-pass large vocabulary continuous speech recognition using bi-directional recurrent DNNs".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.language import LanguagePrior

BLANK = 0
# Classes below this probability in a frame are not followed, nor more than so many of them: a clear line has one or two
# in a frame, and only in noise, whose text is worth nothing, do the limits bite.
FOLLOW_PROBABILITY = 1e-3
MOST_CANDIDATES = 16
# A language model has no say in a frame where the network gives one class so much. On 600 held-out rendered lines 0.98,
# 0.99, 0.995 and no limit read 74.7, 75.0, 75.3, 75.5 % exactly: the little that it costs buys that clear letters stay.
CLEAR_PROBABILITY = 0.98


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One way to read a line: its classes without blanks, and the log of the probability of all its alignments.

    ``log_prior`` is what a language model adds, 0 without one; texts are ranked by the sum, ``score``.
    """

    labels: tuple[int, ...]
    log_probability: float
    log_prior: float = 0.0

    @property
    def score(self) -> float:
        """Return what texts are ranked by."""
        return self.log_probability + self.log_prior


@dataclass(frozen=True, slots=True)
class GreedyPath:
    """The best class of every frame, collapsed: classes, and for each the highest probability in its run of frames."""

    labels: tuple[int, ...]
    probabilities: tuple[float, ...]


def greedy(probabilities: NDArray[np.float32]) -> GreedyPath:
    """Collapse the best class of each frame. ``probabilities``: (frames, classes), rows sum to 1."""
    if len(probabilities) == 0:
        return GreedyPath((), ())
    best = probabilities.argmax(axis=1)
    peak = probabilities[np.arange(len(best)), best]
    starts = np.flatnonzero(np.concatenate(([True], best[1:] != best[:-1])))
    kept = best[starts] != BLANK
    highest = np.maximum.reduceat(peak, starts)[kept]
    return GreedyPath(tuple(best[starts][kept].tolist()), tuple(highest.tolist()))


def beam_search(
    probabilities: NDArray[np.float32],
    beam_width: int = 8,
    follow: float = FOLLOW_PROBABILITY,
    prior: LanguagePrior | None = None,
) -> list[Hypothesis]:
    """Return up to ``beam_width`` texts, best first, each with the summed probability of its alignments.

    ``probabilities``: (frames, classes), rows sum to 1. The sums are lower bounds: classes below ``follow`` and
    prefixes that fell out of the beam are left out, and with a ``prior`` all rivals of a clear class.
    """
    prefixes = _Prefixes(prior)
    beam: dict[int, tuple[float, float]] = {0: (1.0, 0.0)}  # prefix → probability that it ends in a blank, in its label
    log_scale = 0.0
    for candidates in _candidates(probabilities, follow, CLEAR_PROBABILITY if prior else math.inf):
        alive = [(prefix, ends) for prefix, ends in _grown(beam, candidates, prefixes).items() if ends[0] + ends[1]]
        if len(alive) > beam_width:
            alive = sorted(alive, key=lambda item: -math.log(item[1][0] + item[1][1]) - prefixes.priors[item[0]])
        kept = alive[:beam_width]
        scale = max(ends[0] + ends[1] for _, ends in kept)  # keeps long lines from underflowing
        log_scale += math.log(scale)
        beam = {prefix: (ends[0] / scale, ends[1] / scale) for prefix, ends in kept}
    found = [
        Hypothesis(prefixes.labels(prefix), math.log(ends[0] + ends[1]) + log_scale, prefixes.whole_prior(prefix))
        for prefix, ends in beam.items()
    ]
    return sorted(found, key=lambda hypothesis: -hypothesis.score)


def label_probabilities(probabilities: NDArray[np.float32], labels: tuple[int, ...]) -> tuple[float, ...]:
    """Return for each of ``labels`` the highest probability in the frames that its best alignment gives it.

    Raises ValueError if there are fewer frames than the labels (and blanks between repeated ones) need.
    """
    if not labels:
        return ()
    states = np.zeros(2 * len(labels) + 1, dtype=np.int64)
    states[1::2] = labels
    emission = np.log(np.maximum(probabilities[:, states], 1e-12))
    may_skip = np.zeros(len(states), dtype=bool)
    may_skip[3::2] = states[3::2] != states[1:-2:2]
    score = np.full(len(states), -np.inf)
    score[:2] = emission[0, :2]
    steps = np.zeros(emission.shape, dtype=np.int64)
    for frame in range(1, len(emission)):
        one = np.concatenate(([-np.inf], score[:-1]))
        two = np.where(may_skip, np.concatenate(([-np.inf, -np.inf], score[:-2])), -np.inf)
        choices = np.stack([score, one, two])
        steps[frame] = choices.argmax(axis=0)
        score = choices.max(axis=0) + emission[frame]
    state = len(states) - 1 if score[-1] >= score[-2] else len(states) - 2
    if not np.isfinite(score[state]):
        raise ValueError(f"{len(labels)} labels do not fit into {len(emission)} frames")
    highest = np.zeros(len(labels))
    for frame in range(len(emission) - 1, -1, -1):
        if state % 2:
            highest[state // 2] = max(highest[state // 2], probabilities[frame, states[state]])
        state -= int(steps[frame, state])
    return tuple(highest.tolist())


class _Prefixes:
    """The texts that a beam has begun, as a tree: each knows its parent, its last label and its prior so far."""

    def __init__(self, prior: LanguagePrior | None) -> None:
        self.parents, self.lasts, self.priors = [-1], [-1], [0.0]
        self._prior = prior
        self._states = [prior.start] if prior else []
        self._children: dict[tuple[int, int], int] = {}

    def child(self, prefix: int, label: int) -> int:
        """Return the prefix that is one label longer."""
        found = self._children.get((prefix, label))
        if found is None:
            found = self._children[prefix, label] = len(self.parents)
            self.parents.append(prefix)
            self.lasts.append(label)
            added = 0.0
            if self._prior:
                added, state = self._prior.grow(self._states[prefix], label)
                self._states.append(state)
            self.priors.append(self.priors[prefix] + added)
        return found

    def whole_prior(self, prefix: int) -> float:
        """Return the prior of the prefix as a whole line."""
        return self.priors[prefix] + (self._prior.end(self._states[prefix]) if self._prior else 0.0)

    def labels(self, prefix: int) -> tuple[int, ...]:
        """Return the labels of a prefix, first to last."""
        labels = []
        while prefix > 0:
            labels.append(self.lasts[prefix])
            prefix = self.parents[prefix]
        return tuple(reversed(labels))


def _grown(
    beam: dict[int, tuple[float, float]], candidates: list[tuple[int, float]], prefixes: _Prefixes
) -> dict[int, list[float]]:
    """Return the beam one frame on: probabilities of ending in a blank and in the last label."""
    grown: dict[int, list[float]] = {}
    for prefix, (ends_blank, ends_label) in beam.items():
        both, last = ends_blank + ends_label, prefixes.lasts[prefix]
        for label, probability in candidates:
            if label == BLANK:
                grown.setdefault(prefix, [0.0, 0.0])[0] += both * probability
                continue
            reach = both
            if label == last:  # without a blank between, a repeated label is the same letter
                grown.setdefault(prefix, [0.0, 0.0])[1] += ends_label * probability
                reach = ends_blank
            if reach > 0.0:
                grown.setdefault(prefixes.child(prefix, label), [0.0, 0.0])[1] += reach * probability
    return grown


def _candidates(probabilities: NDArray[np.float32], follow: float, clear: float) -> list[list[tuple[int, float]]]:
    """Return for each frame the classes worth following with their probabilities; always at least the best one."""
    frames: list[list[tuple[int, float]]] = [[] for _ in range(len(probabilities))]
    highest = probabilities.max(axis=1, keepdims=True, initial=0.0)
    rows, columns = np.nonzero((probabilities >= follow) & ((probabilities == highest) | (highest < clear)))
    for row, column, probability in zip(
        rows.tolist(), columns.tolist(), probabilities[rows, columns].tolist(), strict=True
    ):
        frames[row].append((column, max(probability, 1e-30)))
    for row, candidates in enumerate(frames):
        if not candidates:
            best = int(probabilities[row].argmax())
            candidates.append((best, max(float(probabilities[row, best]), 1e-30)))
        elif len(candidates) > MOST_CANDIDATES:
            frames[row] = sorted(candidates, key=lambda candidate: -candidate[1])[:MOST_CANDIDATES]
    return frames
