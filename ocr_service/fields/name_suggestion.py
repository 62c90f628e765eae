"""What a misread name may have been: proposed beside it, or read as the only thing that it can be.

A word is exchanged only for a frequent family, middle or given name one letter away that no other rivals; a word that
may be a name as it stands stays. The frequencies are those of two public rosters (``datasets/lexicon/name_parts.tsv``).

A proposal is *forced* where every word that it exchanges is none: no Vietnamese syllable, nothing that a name of the
highlands may look like, or two names that ran together. THJNH and VĂNDNGỌC are on no stone; they are what a reader made
of something, so to show them as a name helps nobody, while the text as cut stays beside the value and a flag keeps the
name from being certain. VẰN, CHỊ and LỊNH are syllables, and who bore one must not lose it: such are proposed only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from datasets.lexicon import Weighted, lexicon
from ocr_service.fields.name_spelling import surnames
from ocr_service.fields.names import is_plausible_name, is_spelled_possibly
from ocr_service.fields.syllables import has_tone, is_syllable, with_tone_in_place
from ocr_service.fields.text import fold, within_one_edit

_NOT_LETTERS = re.compile(r"[\W\d_]")
# How much more frequent than the next candidate a name must be (square roots of counts in the rosters), and than a
# good syllable that is in no list: VẦN is a syllable and no middle name, VĂN is every fourth.
_RIVAL, _RARE = 2.0, 6.0
# For a value more is asked than for a proposal: of 1,400 names with 3 % of character noise 181 are mended so and 168 of
# them right, the others wrong in a further word mostly; with 2, 175 of 194.
_ALONE = 3.0


# Names of the highlands and the Khmer as registers spell them, without tones: onsets and ends that no Vietnamese
# syllable has.
_HIGHLAND = re.compile(r"^(?:[bcdđgkp][lr]|[hmnr][lm]|[jwfz]|k[sp]|h'|y)|[rlskjhbdđgwfz]$")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A name in title case, and whether nothing else can have stood there."""

    name: str
    is_forced: bool


def suggest_name(cut: str) -> Proposal | None:
    """The name that a cut text may be a misreading of; None where nothing is wrong or none is near."""
    words = _words(cut)
    if not 2 <= len(words) <= 5:
        return None
    last = len(words) - 1
    kinds = ["surname" if i == 0 else "given" if i == last else "middle" for i in range(len(words))]
    found = [_nearest(word, kind) for word, kind in zip(words, kinds, strict=True)]
    if any(near is None for near in found):
        return None
    name = " ".join(near.name.capitalize() for near in found if near)
    if name.lower() == " ".join(with_tone_in_place(word) for word in cut.lower().split()):
        return None
    return Proposal(name, all(_is_forced(word, near) for word, near in zip(words, found, strict=True) if near))


def _is_forced(word: str, near: _Near) -> bool:
    if with_tone_in_place(word) == near.name:
        return True
    if is_syllable(word) or fold(near.name) == word:
        return False  # NGUYEN is Nguyễn without its marks: tones are never added
    foreign = word.isalpha() and not has_tone(word) and _HIGHLAND.search(word)
    return not foreign and near.ahead >= _ALONE


def may_be_name(cut: str) -> bool:
    """Whether a text is a name with nothing odd about it: a family name that some roster has, and syllables."""
    first, _, given = cut.lower().partition(" ")
    known = first in surnames() or first in _frequencies("surname")
    return suggest_name(cut) is None and (
        is_plausible_name(cut) or (bool(given) and known and is_spelled_possibly(cut))
    )


def _words(cut: str) -> list[str]:
    """Words in small letters; where a sign or digit stands between two words, they are told apart there."""
    words: list[str] = []
    for word in cut.lower().split():
        parts = [part for part in _NOT_LETTERS.split(word) if part]
        whole = len(parts) > 1 and all(_is_known(part) for part in parts)
        words += parts if whole else _apart(word)
    return words


def _apart(word: str) -> list[str]:
    """Two words that run together, the blank lost or read as a letter: VĂNDNGỌC, LANHẬT."""
    if len(word) < 6 or is_syllable(word) or any(_is_near(name, word) for name in surnames()):
        return [word]
    for gap in (0, 1):
        for end in range(2, len(word) - gap - 1):
            left, right = word[:end], word[end + gap :]
            if _is_known(left) and _is_known(right):
                return [left, right]
    return [word]


def _is_known(word: str) -> bool:
    return word in surnames() or any(word in _frequencies(kind) for kind in ("middle", "given"))


@lru_cache(maxsize=3)
def _frequencies(kind: str) -> dict[str, float]:
    words = lexicon()
    parts: dict[str, Weighted[str]] = {"surname": words.surnames, "middle": words.middles, "given": words.givens}
    listed = parts[kind]
    bounds = pairwise((0.0, *listed.cumulative))
    return {value.lower(): end - start for value, (start, end) in zip(listed.values, bounds, strict=True)}


@dataclass(frozen=True, slots=True)
class _Near:
    """A part of a name, and how many times as frequent it is as the next one that is as near to what was read."""

    name: str
    ahead: float


@lru_cache(maxsize=2048)
def _nearest(word: str, kind: str) -> _Near | None:
    """The word itself where it may be a name, the one name that it may be a misreading of, None where that is open."""
    word = with_tone_in_place(word)
    known = _frequencies(kind)
    good = is_syllable(word)
    itself = _Near(word, 1.0)
    if word in known or (kind == "surname" and word in surnames()) or (good and kind == "given"):
        return itself
    near = sorted(((weight, name) for name, weight in known.items() if _is_near(name, word)), reverse=True)
    if not near:
        return itself if good else None
    best, name = near[0]
    ahead = best / near[1][0] if len(near) > 1 else float("inf")
    if ahead < _RIVAL or (good and best < _RARE):
        return itself if good else None
    return _Near(name, ahead)


def _is_near(name: str, word: str) -> bool:
    """One letter exchanged, lost or added, marks counted; or the same letters with other marks."""
    return within_one_edit(name, word) or (len(word) > 2 and fold(name) == fold(word))
