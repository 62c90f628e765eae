"""Which letters of a field's words the reader may have got wrong, so that a person looks there first."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

from ocr_service.records import Line

DOUBTFUL_BELOW = 0.9
"""Chance of a letter to be right below which it is marked: one in ten such letters, or more, is wrong.

200 held-out rendered lines (``datasets.validation``), read by headstone-vi@0.1.0, which has no calibration for letters
yet: 77 % of the 78 wrong letters are marked, a fifth of the marked ones are wrong, and a quarter of the rightly read
lines carry marks, two each. At 0.8 these are 69 %, a quarter and a fifth; at 0.95, 82 %, a sixth and a third.
"""

_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a text whose letters are all doubtful, or none of them."""

    text: str
    doubtful: bool


def doubtful_runs(cut: str, lines: Sequence[Line]) -> tuple[Run, ...]:
    """The words ``cut`` in runs, by what the reader says of the letters of ``lines``; empty where none is doubtful.

    Only letters and digits are told apart: what a sign between them is, hardly changes what they mean.
    """
    cut = unicodedata.normalize("NFC", cut)
    chances = letter_chances(cut, lines)
    marked = [
        (letter, chance is not None and chance < DOUBTFUL_BELOW and letter.isalnum())
        for letter, chance in zip(cut, chances, strict=True)
    ]
    if not any(doubtful for _, doubtful in marked):
        return ()
    return tuple(
        Run("".join(letter for letter, _ in run), doubtful) for doubtful, run in groupby(marked, key=lambda one: one[1])
    )


def letter_chances(cut: str, lines: Sequence[Line]) -> list[float | None]:
    """The chance of each character of ``cut`` to be right; None for what the lines do not say."""
    read, chances = _read(lines)
    starts = [match.start() for match in re.finditer(f"(?={re.escape(cut)})", read)] if cut else []
    if starts:
        # Words that stand twice may be either: the worse one counts.
        return [_worst(chances[start + at] for start in starts) for at in range(len(cut))]
    return _by_words(cut, read, chances)


def _read(lines: Sequence[Line]) -> tuple[str, list[float | None]]:
    """The text of lines with single spaces, as fields show it, and the chance of each of its characters."""
    letters, chances = list[str](), list[float | None]()
    for line in lines:
        known = len(line.char_confidences) == len(line.text)
        told: Sequence[float | None] = line.char_confidences if known else [None] * len(line.text)
        for letter, chance in zip(f" {line.text}", (None, *told), strict=True):
            if not letter.isspace():
                letters.append(letter)
                chances.append(chance)
            elif letters and letters[-1] != " ":
                letters.append(" ")
                chances.append(None)
    return "".join(letters), chances


def _by_words(cut: str, read: str, chances: Sequence[float | None]) -> list[float | None]:
    """Chances word by word, for words that the parser joined from several lines or took from another reading."""
    own, others = list(_TOKEN.finditer(cut)), list(_TOKEN.finditer(read))
    match = SequenceMatcher(None, [word.group() for word in own], [word.group() for word in others], autojunk=False)
    found: list[float | None] = [None] * len(cut)
    for first, second, count in match.get_matching_blocks():
        for word, other in zip(own[first : first + count], others[second : second + count], strict=True):
            found[word.start() : word.end()] = chances[other.start() : other.end()]
    return found


def _worst(chances: Iterable[float | None]) -> float | None:
    return min((chance for chance in chances if chance is not None), default=None)
