"""The characters a headstone reader can write, and which known letter each new one learns from.

PP-OCRv6 lacks 88 of the 134 accented letters of Vietnamese (PaddleOCR issue 18254). The head of the fine-tuned
network has a class for each of them; its row starts as the mean of the rows of *donor* letters that the stock network
can already write.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Collection

from models.charset import vietnamese_letters

BLANK = ""
SPACE = " "

SIGNS = "°"
"""What stones write beyond letters, digits and ASCII punctuation."""

# A stone does not say whether a stroke between two numbers is a hyphen or a dash, nor which way a quote leans. One sign
# for each keeps that out of what is learnt, and dates in one form for the parser.
_ONE_SIGN = str.maketrans({"–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "…": "...", "×": "x"})

ALPHABET = (
    *string.digits,
    *string.ascii_uppercase,
    *string.ascii_lowercase,
    *sorted(vietnamese_letters()),
    *string.punctuation,
    *SIGNS,
)
"""Every character but the space, in the order of ``dict.txt``."""

CLASSES = (BLANK, *ALPHABET, SPACE)
"""Classes of the CTC head as PaddleOCR numbers them: blank, the dictionary, then the space."""


def as_written(text: str) -> str:
    """The text with one sign for each kind of dash and quote: what the reader is taught to write."""
    return text.translate(_ONE_SIGN)


def is_writable(text: str) -> bool:
    """Whether every character of a line has a class of its own."""
    return set(text) <= _WRITABLE


_WRITABLE = frozenset((*ALPHABET, SPACE))


def donors(letter: str, known: Collection[str]) -> tuple[str, ...]:
    """Characters of ``known`` whose classes a letter should start from; the letter itself where it is known.

    ``ế`` starts from ``ê`` and ``é``, ``ạ`` from ``a``, and a sign without any relative from nothing: ``()``.
    """
    if letter in known:
        return (letter,)
    decomposed = unicodedata.normalize("NFD", letter)
    base, marks = decomposed[0], decomposed[1:]
    one_mark_less = tuple(
        unicodedata.normalize("NFC", base + "".join(other for other in marks if other != mark))
        for mark in reversed(marks)
    )
    relatives = tuple(form for form in one_mark_less if form in known and form != base)
    if relatives:
        return relatives
    if marks and base in known:
        return (base,)
    return _LOOKALIKES.get(letter, ()) if set(_LOOKALIKES.get(letter, ())) <= set(known) else ()


_LOOKALIKES = {"Đ": ("D",), "đ": ("d",)}
