"""The spelling of a name: title case, misplaced tones, and words that can be only one other.

A name is never guessed. A family name is mended only where one other has its shape, and tones are never added.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from ocr_service.fields.syllables import is_syllable, repaired_marks, with_tone_in_place
from ocr_service.fields.text import fold, title, within_one_edit

_LABEL_WORDS = frozenset({"sinh", "quán", "vị", "hy", "hi", "ngũ", "bậc", "quê"})
ILLEGIBLE = re.compile(r"\.{2,}|[…?*_]|\b[xX]{2,}\b")
# Letters that line readers take for each other on cut capitals, folded.
_ALIKE = ("oqcgd", "iltj", "nmh", "uv", "efpbr", "vy", "ksx", "ao")
_ABBREVIATED = {"ng": "Nguyễn", "tr": "Trần", "ph": "Phạm", "h": "Hoàng", "l": "Lê", "đ": "Đặng", "v": "Võ"}


@lru_cache(maxsize=1)
def _surname_list() -> tuple[str, ...]:
    text = (Path(__file__).with_name("data") / "surnames.txt").read_text("utf-8")
    return tuple(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


@lru_cache(maxsize=1)
def surnames() -> frozenset[str]:
    """Family names, lower case."""
    return frozenset(name.lower() for name in _surname_list())


@lru_cache(maxsize=1)
def _toneless_surnames() -> dict[str, str]:
    return {fold(name): name for name in reversed(_surname_list())}


def is_surname(word: str) -> bool:
    """A family name, or what can only be a toneless or misread one."""
    if word.lower() in surnames():
        return True
    bare = fold(word)
    if bare not in _toneless_surnames():
        return False
    return word.isascii() or not is_syllable(word) or bare in ("nguyen", "tran", "pham", "hoang", "huynh", "truong")


def normalised(raw: str) -> tuple[str | None, tuple[str, ...]]:
    """A name in title case, with impossible syllables repaired where only one repair is possible; and the flags."""
    if not raw:
        return None, ()
    flags: list[str] = []
    if "." in raw and not ILLEGIBLE.search(raw):
        return _abbreviated(raw)
    words = title(raw).split()
    if raw.isascii():
        return " ".join(words), _plain_letter_flags(words)
    for i, word in enumerate(words):
        placed = with_tone_in_place(word)
        if placed != word:
            words[i] = placed
            flags.append("tone_mark_fix")
        if i == 0 and len(words) > 1 and word.lower() not in surnames():
            repaired = family_name_of(word)
            if repaired:
                words[i] = repaired
                flags.append("surname_fix")
                continue
            if not is_syllable(word) and len(word) > 2 and word.isalpha():
                flags.append("surname_unclear")
                continue
        if not is_syllable(word):
            mended = middle_part(word) if 0 < i < len(words) - 1 else None
            mended = mended or repaired_marks(word)
            if mended:
                words[i] = mended
                flags.append("ocr_tone_fix")
    if any(word.lower() in _LABEL_WORDS for word in words[1:]):
        flags.append("name_contains_label_word")
    return " ".join(words), tuple(dict.fromkeys(flags))


def _plain_letter_flags(words: list[str]) -> tuple[str, ...]:
    """A name without any mark is toneless unless it may be so by nature (``Mai Lan``, ``Lam Sơn`` has one)."""
    if len(words) < 2 or (all(is_syllable(word) for word in words) and words[0].lower() in surnames()):
        return ()
    return ("no_diacritics", "name_tone_uncertain")


@lru_cache(maxsize=2048)
def family_name_of(word: str) -> str | None:
    """The family name that a word which is none must be: same letters, or one letter off a frequent one."""
    if is_syllable(word) and fold(word) not in _toneless_surnames():
        return None
    if is_syllable(word):
        return None
    same = [name for name in _surname_list() if fold(name) == fold(word)]
    near = same or [name for name in _surname_list() if len(name) >= 3 and within_one_edit(fold(name), fold(word))]
    if len({fold(name) for name in near}) != 1 or not (same or _is_misread_as(near[0], word)):
        return None
    cut = unicodedata.normalize("NFD", word.lower())
    ranked = sorted((Levenshtein.distance(unicodedata.normalize("NFD", name.lower()), cut), name) for name in near)
    nearest = len(ranked) == 1 or ranked[0][0] < ranked[1][0]
    return ranked[0][1] if nearest and ranked[0][1] == near[0] else None  # NGUYEN: hardly the rare Nguyên


def _is_misread_as(name: str, word: str) -> bool:
    """Whether a reader may take a family name for the word: a letter lost or added, or one for another of its shape.

    The first letter must be there: of RẦI nobody can say whether it was TRẦN, MAI or LẠI.
    """
    cut, known = fold(word), fold(name)
    if len(cut) != len(known):
        return cut[0] == known[0]
    return all(a == b or any(a in alike and b in alike for alike in _ALIKE) for a, b in zip(cut, known, strict=True))


def middle_part(word: str) -> str | None:
    """The common middle part of a name (``Văn``, ``Thị`` …) that a misread word must be."""
    near = [middle for middle in ("văn", "thị", "xuân", "đình") if within_one_edit(fold(middle), fold(word))]
    same = [middle for middle in near if fold(middle) == fold(word)]
    chosen = same or near
    return title(chosen[0]) if len(chosen) == 1 else None


def _abbreviated(raw: str) -> tuple[str, tuple[str, ...]]:
    """``NG.NG. BÍCH`` → ``Nguyễn Ng. Bích``: a family name is expanded where only one begins so, the rest is not."""
    words = [word for word in re.split(r"\s+|(?<=\.)", raw) if word]
    out = [title(word) for word in words]
    stem = words[0].rstrip(".").lower()
    if words[0].endswith(".") and stem in ("ng", "tr", "ph"):
        out[0] = _ABBREVIATED[stem]
    return " ".join(out), ("abbrev_name",)
