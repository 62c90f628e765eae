"""What a misread name may have been, proposed beside it: never put in its place, and never surer than it.

A word is exchanged only for a frequent family, middle or given name one letter away that no other rivals; a word that
may be a name as it stands stays. The frequencies are those of two public rosters (``datasets/lexicon/name_parts.tsv``).
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from datasets.lexicon import Weighted, lexicon
from ocr_service.fields.name_spelling import surnames
from ocr_service.fields.syllables import is_syllable, with_tone_in_place
from ocr_service.fields.text import fold, within_one_edit

_NOT_LETTERS = re.compile(r"[\W\d_]")
# How much more frequent than the next candidate a name must be (square roots of counts in the rosters), and than a
# good syllable that is in no list: VẦN is a syllable and no middle name, VĂN is every fourth.
_RIVAL, _RARE = 2.0, 6.0


def suggest_name(cut: str) -> str | None:
    """The name that a cut text may be a misreading of, in title case; None where nothing is wrong or none is near."""
    words = _words(cut)
    if not 2 <= len(words) <= 5:
        return None
    last = len(words) - 1
    kinds = ["surname" if i == 0 else "given" if i == last else "middle" for i in range(len(words))]
    found = [_nearest(word, kind) for word, kind in zip(words, kinds, strict=True)]
    if any(word is None for word in found):
        return None
    name = " ".join(word.capitalize() for word in found if word)
    return name if name.lower() != " ".join(cut.lower().split()) else None


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
    if len(word) < 6 or is_syllable(word):
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


@lru_cache(maxsize=2048)
def _nearest(word: str, kind: str) -> str | None:
    """The word itself where it may be a name, the one name that it may be a misreading of, None where that is open."""
    word = with_tone_in_place(word)
    known = _frequencies(kind)
    good = is_syllable(word)
    if word in known or (kind == "surname" and word in surnames()) or (good and kind == "given"):
        return word
    near = sorted(((weight, name) for name, weight in known.items() if _is_near(name, word)), reverse=True)
    if not near:
        return word if good else None
    best, name = near[0]
    rival = near[1][0] if len(near) > 1 else 0.0
    if best < _RIVAL * rival or (good and best < _RARE):
        return word if good else None
    return name


def _is_near(name: str, word: str) -> bool:
    """One letter exchanged, lost or added, marks counted; or the same letters with other marks."""
    return within_one_edit(name, word) or (len(word) > 2 and fold(name) == fold(word))
