"""How well something was read: character errors, exact lines, and how far to trust a confidence. Pure.

Lines are compared in NFC with white space collapsed and dropped around punctuation; case counts. In a truth, ``?`` is a
character that nobody could read and matches any one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein

from models.charset import strip_marks

UNREADABLE = "?"
_SPACED_PUNCTUATION = re.compile(r"\s*([^\w\s?]|_)\s*")


@dataclass(frozen=True, slots=True)
class LineErrors:
    """Errors of the lines of one or more photos; counts add up with ``+``.

    ``char_errors`` and ``bare_char_errors`` (marks ignored) are edits over ``chars`` of truth; a missed line costs all
    its characters, a false line none: it is counted apart.
    """

    lines: int = 0
    exact_lines: int = 0
    missed_lines: int = 0
    false_lines: int = 0
    chars: int = 0
    char_errors: int = 0
    bare_char_errors: int = 0

    def __add__(self, other: LineErrors) -> LineErrors:
        return LineErrors(
            self.lines + other.lines,
            self.exact_lines + other.exact_lines,
            self.missed_lines + other.missed_lines,
            self.false_lines + other.false_lines,
            self.chars + other.chars,
            self.char_errors + other.char_errors,
            self.bare_char_errors + other.bare_char_errors,
        )

    @property
    def cer(self) -> float:
        """Return character errors a character of truth; 0 for no truth."""
        return self.char_errors / self.chars if self.chars else 0.0

    @property
    def bare_cer(self) -> float:
        """Return character errors with tone marks, hats, horns and bars ignored."""
        return self.bare_char_errors / self.chars if self.chars else 0.0

    @property
    def exact_share(self) -> float:
        """Return the share of truth lines that were read exactly."""
        return self.exact_lines / self.lines if self.lines else 0.0


def comparable(text: str) -> str:
    """Return ``text`` as lines are compared: NFC, white space collapsed and dropped around punctuation."""
    collapsed = " ".join(unicodedata.normalize("NFC", text).split())
    return unicodedata.normalize("NFC", _SPACED_PUNCTUATION.sub(r"\1", collapsed).strip())


def edit_distance(truth: str, read: str) -> int:
    """Return the insertions, deletions and substitutions between two texts; ``?`` in ``truth`` matches any."""
    if UNREADABLE not in truth:
        return Levenshtein.distance(truth, read)
    previous = list(range(len(read) + 1))
    for row, wanted in enumerate(truth, start=1):
        current = [row]
        for column, seen in enumerate(read, start=1):
            substitution = previous[column - 1] + (wanted not in (seen, UNREADABLE))
            current.append(min(substitution, previous[column] + 1, current[-1] + 1))
        previous = current
    return previous[-1]


def pair_lines(truth: Sequence[str], read: Sequence[str]) -> list[tuple[int, int | None]]:
    """Pair every truth line with a read line, or with None, so that the total edit distance is least.

    A missed line costs its length, so a read line that shares nothing with it is left over rather than paired. Texts
    are compared as given. Kuhn 1955, "The Hungarian method for the assignment problem".
    """
    if not truth:
        return []
    cost = np.empty((len(truth), len(read) + len(truth)))
    for row, wanted in enumerate(truth):
        cost[row, : len(read)] = [edit_distance(wanted, seen) for seen in read]
        # a little less than its length: a line that is wrong in every character was not read
        cost[row, len(read) :] = max(len(wanted) - 0.5, 0.0)
    columns = _assign(cost)
    return [(row, column if column < len(read) else None) for row, column in enumerate(columns)]


def line_errors(truth: Sequence[str], read: Sequence[str]) -> LineErrors:
    """Compare the lines of one photo, whatever their order."""
    wanted = [text for line in truth if (text := comparable(line))]
    seen = [text for line in read if (text := comparable(line))]
    pairs = pair_lines(wanted, seen)
    total = LineErrors(false_lines=len(seen) - sum(column is not None for _, column in pairs))
    for row, column in pairs:
        total += _errors_of_pair(wanted[row], None if column is None else seen[column])
    return total


def _errors_of_pair(wanted: str, seen: str | None) -> LineErrors:
    if seen is None:
        return LineErrors(1, 0, 1, 0, len(wanted), len(wanted), len(wanted))
    errors = edit_distance(wanted, seen)
    bare = edit_distance(strip_marks(wanted), strip_marks(seen))
    return LineErrors(1, int(errors == 0), 0, 0, len(wanted), errors, bare)


def expected_calibration_error(confidences: Sequence[float], correct: Sequence[bool], bins: int = 10) -> float:
    """Return the mean gap between confidence and share of correct answers over equal bins, weighted by their size.

    Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning". 0 for no answers.
    """
    if not len(confidences):
        return 0.0
    given, right = np.asarray(confidences, dtype=float), np.asarray(correct, dtype=float)
    index = np.minimum((given * bins).astype(int), bins - 1)
    gaps = [abs(float(given[index == at].sum() - right[index == at].sum())) for at in range(bins)]
    return sum(gaps) / len(given)


def auroc(confidences: Sequence[float], correct: Sequence[bool]) -> float:
    """Return the chance that a right answer has the higher confidence than a wrong one; ties count half.

    0.5 where all answers are right or all are wrong: nothing can be told apart then.
    """
    given, right = np.asarray(confidences, dtype=float), np.asarray(correct, dtype=bool)
    positives, negatives = given[right], np.sort(given[~right])
    if not len(positives) or not len(negatives):
        return 0.5
    below = np.searchsorted(negatives, positives, side="left")
    up_to = np.searchsorted(negatives, positives, side="right")
    return float((below + up_to).sum() / 2.0 / (len(positives) * len(negatives)))


def _assign(cost: np.ndarray) -> list[int]:
    """Return a column for every row at least total cost; needs at least as many columns as rows.

    Shortest augmenting paths with potentials, O(rows² x columns).
    """
    rows, columns = cost.shape
    row_potential, column_potential = np.zeros(rows + 1), np.zeros(columns + 1)
    owner = np.zeros(columns + 1, dtype=int)  # row + 1 that a column belongs to; column 0 stands for the row to place
    for row in range(1, rows + 1):
        owner[0], column = row, 0
        slack, came_from = np.full(columns + 1, np.inf), np.zeros(columns + 1, dtype=int)
        used = np.zeros(columns + 1, dtype=bool)
        while owner[column]:
            used[column] = True
            reduced = cost[owner[column] - 1] - row_potential[owner[column]] - column_potential[1:]
            better = ~used[1:] & (reduced < slack[1:])
            slack[1:][better] = reduced[better]
            came_from[1:][better] = column
            free = np.where(used[1:], np.inf, slack[1:])
            step = float(free.min())
            row_potential[owner[used]] += step
            column_potential[used] -= step
            slack[1:][~used[1:]] -= step
            column = int(free.argmin()) + 1
        while column:
            owner[column] = owner[came_from[column]]
            column = int(came_from[column])
    found = np.zeros(rows, dtype=int)
    for column in range(1, columns + 1):
        if owner[column]:
            found[owner[column] - 1] = column - 1
    return [int(column) for column in found]
