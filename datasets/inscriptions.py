"""Endless invented inscriptions and single lines, worded as stones are.

``sample_inscription`` draws martyrs' stones and a share of civil graves: most of the photographs that can be had show
workshop stones, and their lettering is that of new martyrs' stones. ``sample_line_text`` is what a reader of lines is
taught with: inscription lines, and a share of syllables, digits, codes and rare letters that no word list predicts.
"""

from __future__ import annotations

from random import Random

from datasets import wording
from datasets.civil import sample_civil
from datasets.font_coverage import VIETNAMESE_LETTERS, VIETNAMESE_LOWER
from datasets.lexicon import lexicon
from datasets.martyrs import sample_martyr
from datasets.truth import Inscription, Kind, Role, Truth

__all__ = [
    "LINE_ALPHABET",
    "Inscription",
    "Kind",
    "Role",
    "Truth",
    "sample_inscription",
    "sample_line_text",
    "sample_odd_text",
]

CIVIL_SHARE = 0.3
ODD_SHARE = 0.2

_ASCII = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_PUNCTUATION = ".,:;-–/()'\"+&*!?°="
LINE_ALPHABET = _ASCII + VIETNAMESE_LETTERS + _PUNCTUATION + " "
"""Every character that a sampled line may hold."""

_INITIALS = (
    "", "b", "c", "ch", "d", "đ", "g", "gh", "gi", "h", "k", "kh", "l", "m", "n", "ng", "ngh", "nh", "ph", "qu", "r",
    "s", "t", "th", "tr", "v", "x",
)  # fmt: skip
_FINALS = ("", "", "", "c", "ch", "i", "m", "n", "ng", "nh", "o", "p", "t", "u", "y")


def sample_inscription(rng: Random, civil_share: float = CIVIL_SHARE) -> Inscription:
    """One stone's inscription; the same state of ``rng`` gives the same stones in the same order."""
    return sample_civil(rng) if rng.random() < civil_share else sample_martyr(rng)


def _made_up_syllable(rng: Random) -> str:
    vowel = rng.choice(VIETNAMESE_LOWER + "aeiouy")
    return rng.choice(_INITIALS) + vowel + rng.choice(_FINALS)


def _odd_words(rng: Random) -> str:
    words = lexicon()
    count = rng.randint(1, 5)
    if rng.random() < 0.5:
        return " ".join(rng.choice(words.syllables) for _ in range(count))
    return " ".join(_made_up_syllable(rng).capitalize() for _ in range(count))


def _odd_digits(rng: Random) -> str:
    hand = wording.draw_hand(rng)
    day = wording.draw_day(rng, 1880, 2026)
    number = rng.randint(0, 10 ** rng.randint(1, 6))
    return rng.choice((
        wording.cut_day(rng, hand, day), wording.cut_day(rng, hand, day), f"{number}", f"{number:04d}",
        f"({day.year} - {day.year + rng.randint(1, 99)})",
        f"{day.year} - {day.year + rng.randint(1, 99)}", f"{number // 1000}.{number % 1000:03d}",
        f"{rng.randint(0, 23):02d}h{rng.randint(0, 59):02d}",
        f"{rng.randint(0, 31)}/{rng.randint(0, 12)}",
        f"09{rng.randint(10, 99)} {rng.randint(100, 999)} {rng.randint(100, 999)}", f"{number / 10:.1f}",
    ))  # fmt: skip


def _odd_codes(rng: Random) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZĐ"
    parts = [
        rng.choice(letters) * rng.choice((1, 1, 1, 2)) + str(rng.randint(0, 999)) for _ in range(rng.randint(1, 4))
    ]
    return rng.choice(("/", "-", " ", ".", " - ", ", ")).join(parts)


def _odd_letters(rng: Random) -> str:
    """Letters drawn evenly, so that the rarest (Ẵ, Ỹ, ẩ) are seen as often as any."""
    groups = [
        "".join(rng.choice(VIETNAMESE_LETTERS + _ASCII) for _ in range(rng.randint(1, 6)))
        for _ in range(rng.randint(1, 4))
    ]
    return " ".join(groups)


def _odd_marks(rng: Random) -> str:
    words = rng.sample(lexicon().syllables, k=rng.randint(2, 4))
    mark = rng.choice(_PUNCTUATION)
    form = rng.random()
    if form < 0.3:
        return f"({' '.join(words)})"
    if form < 0.4:
        return f'"{" ".join(words)}"'
    gap_before, gap_after = rng.choice((("", " "), (" ", " "), ("", ""), (" ", "")))
    return f"{gap_before}{mark}{gap_after}".join((" ".join(words[:1]), " ".join(words[1:])))


def sample_odd_text(rng: Random) -> str:
    """A line that no word list predicts: syllables, digits, codes, letters drawn evenly, punctuation."""
    maker = rng.choices((_odd_words, _odd_digits, _odd_codes, _odd_letters, _odd_marks), (40, 22, 8, 18, 12))[0]
    text = " ".join(maker(rng).split())
    if maker is _odd_letters:
        return text
    form = rng.random()
    return text.upper() if form < 0.65 else (text.title() if form < 0.8 else text)


def sample_line_text(rng: Random) -> str:
    """One line as a reader of lines is taught it; never empty, single spaces, only ``LINE_ALPHABET``."""
    if rng.random() < ODD_SHARE:
        return sample_odd_text(rng)
    return rng.choice(sample_inscription(rng).lines)
