"""Random character noise on inscriptions, as a poor reader would add it; what became of every character is kept.

Each character of a line, blanks included, is hit by chance on its own. Of the hits 70 % are exchanged, 15 % lost and
15 % followed by one too many. Half of the exchanged become a look-alike (the same letter with another mark, O for 0, I
for 1), the others and the added ones any letter, digit or sign, small or capital as their neighbour is.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from random import Random

from datasets.font_coverage import VIETNAMESE_LOWER

SHARE = 0.03
_EXCHANGED, _LOST = 0.7, 0.85
_PLAIN = "abcdefghijklmnopqrstuvwxyz"
_ANY = _PLAIN + VIETNAMESE_LOWER + "0123456789" + ".,:-/"
_SHAPES = (
    "0odq", "1il|", "2z", "5s", "8b", "6g", "9g", "7t", "ce", "nmh", "uv", "vy", "ft", "pr", "kx", "ao", "rn", "4a",
    ":.", ".,", "-.", "/1",
)  # fmt: skip


def _letter(char: str) -> str:
    return "d" if char == "đ" else unicodedata.normalize("NFD", char)[0]


def _look_alikes() -> dict[str, str]:
    families: dict[str, set[str]] = {}
    for char in _PLAIN + VIETNAMESE_LOWER:
        families.setdefault(_letter(char), set()).add(char)
    alike = {char: members - {char} for members in families.values() for char in members}
    for shape in _SHAPES:
        for char in shape:
            alike.setdefault(char, set()).update(set(shape) - {char})
    return {char: "".join(sorted(others)) for char, others in alike.items() if others}


_LOOK_ALIKES = _look_alikes()


@dataclass(frozen=True, slots=True)
class MisreadText:
    """A text after noise; ``became`` holds for each character of the clean text what stands in its place."""

    clean: str
    became: tuple[str, ...]

    @property
    def text(self) -> str:
        """The text as it reads now."""
        return "".join(self.became)

    def what_became_of(self, start: int, end: int) -> str:
        """What stands in the place of a stretch of the clean text."""
        return "".join(self.became[start:end])


def misread(text: str, rng: Random, share: float = SHARE) -> MisreadText:
    """The text with every character but its line breaks hit with probability ``share``."""
    return MisreadText(text, tuple(_hit(char, rng) if char != "\n" and rng.random() < share else char for char in text))


def _hit(char: str, rng: Random) -> str:
    form = rng.random()
    if form >= _LOST:
        return char + _any_like(char, rng)
    if form >= _EXCHANGED:
        return ""
    if char.lower() in _LOOK_ALIKES and rng.random() < 0.5:
        return look_alike(char, rng)
    return _any_like(char, rng)


def look_alike(char: str, rng: Random) -> str:
    """A character that readers take for ``char``; itself where it is like no other."""
    chosen = rng.choice(_LOOK_ALIKES.get(char.lower(), char.lower()))
    return chosen.upper() if char.isupper() or char.isdigit() else chosen


def _any_like(char: str, rng: Random) -> str:
    chosen = rng.choice(_ANY)
    return chosen if char.islower() else chosen.upper()
