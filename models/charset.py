"""What a recogniser can write, and Vietnamese letters with and without their marks. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.errors import BundleError

_TONES = ("", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323")
_VOWELS = "aăâeêioôơuưy"


def vietnamese_letters() -> frozenset[str]:
    """Return the letters that Vietnamese writes with marks, upper and lower: 12 vowels in 6 tones, and đ.

    134 forms: those among the 146 that are not plain ASCII.
    """
    lower = {unicodedata.normalize("NFC", vowel + tone) for vowel in _VOWELS for tone in _TONES} | {"đ"}
    return frozenset(letter for form in lower for letter in (form, form.upper()) if not letter.isascii())


def strip_marks(text: str) -> str:
    """Return ``text`` without tone marks, hats, horns and bars (đ becomes d), in NFC; case is kept."""
    bare = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    return unicodedata.normalize("NFC", bare.replace("đ", "d").replace("Đ", "D"))


@dataclass(frozen=True, slots=True)
class Charset:
    """The classes of a CTC recogniser in order. Class 0 is the blank and writes nothing."""

    chars: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.chars or self.chars[0] != "":
            raise BundleError("A charset starts with the empty blank; rebuild the bundle.")

    def __len__(self) -> int:
        return len(self.chars)

    @classmethod
    def from_symbols(cls, symbols: Iterable[str]) -> Charset:
        """Build a charset from the symbols after the blank, in class order."""
        return cls(("", *symbols))

    def text(self, labels: Iterable[int]) -> str:
        """Return what ``labels`` write, in NFC."""
        return unicodedata.normalize("NFC", "".join(self.chars[label] for label in labels))

    def encode(self, text: str) -> list[int]:
        """Return the classes that write ``text``; raises KeyError with the first letter that none writes."""
        index = {char: label for label, char in enumerate(self.chars) if label}
        return [index[char] for char in unicodedata.normalize("NFC", text)]

    def missing(self, letters: Iterable[str]) -> Sequence[str]:
        """Return those of ``letters`` that no class writes, sorted."""
        return sorted(set(letters) - set(self.chars))
