"""Search columns are made in Python, so that SQLite and PostgreSQL find the same records.

A key holds each text twice, toneless and with its marks, as words that start with a space. A query word without marks
meets the toneless form (``nguyen`` finds Nguyễn and Nguyên), one with marks only its own (``nguyễn``). Tone
marks are moved before their syllable, so both spellings of one tone (hoà, hòa) are one word, and no word without a tone
is the beginning of one with it (nguyên, nguyễn).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from ocr_service.records import Field

_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")  # grave, acute, tilde, hook above, dot below
_NOTHING = "% \n%"  # keys hold words and spaces only
_SYLLABLES = 2**14  # Vietnamese has some 7,000; numbers come and go
_WORD = re.compile(r"[^\W_]+")
_YEAR = re.compile(r"(?<![\dX])[\dX]{4}(?![\dX])")
# only what is published; a hit by words that nobody saw would be a riddle
_SEARCHED = ("name", "aliases", "hometown", "unit", "loc", "unknown_wording")


def words(text: str) -> list[str]:
    """Words of a text, lower case, every tone mark before its syllable."""
    return [_tone_first(word) for word in _WORD.findall(unicodedata.normalize("NFC", text).lower())]


def toneless(text: str) -> str:
    """The text without any Vietnamese mark, lower case, words separated by one space; đ becomes d."""
    return " ".join(_bare(word) for word in words(text))


def search_key(*texts: str) -> str:
    """Key of texts: every word toneless and as it is, in order, each with a space before it."""
    marked = [word for text in texts for word in words(text)]
    bare = [_bare(word) for word in marked]
    extra = marked if marked != bare else []
    return "".join(f" {word}" for word in (*bare, *extra))


def query_patterns(query: str) -> list[str]:
    """LIKE patterns (escape character ``\\``) that must all match: one for each word, as the beginning of a word.

    Words hold letters and digits only, so nothing in them needs escaping. A query of signs alone (``%``) asks for a
    text without words, which no key holds: it finds nothing.
    """
    patterns = [f"% {word}%" for word in words(query)]
    return patterns or ([_NOTHING] if query.strip() else [])


def year_span(edtf: Any) -> tuple[int, int] | None:
    """First and last year that an EDTF date may mean: ``195X-02`` gives (1950, 1959); None without a known century."""
    if not isinstance(edtf, str):
        return None
    years = [year for year in _YEAR.findall(edtf) if year[:2].isdigit()]
    if not years:
        return None
    return min(int(y.replace("X", "0")) for y in years), max(int(y.replace("X", "9")) for y in years)


def texts_of(field: Field | None) -> list[str]:
    """Every text in a field: as cut, and every string in its value."""
    if field is None:
        return []
    return [*([field.raw] if field.raw else []), *leaves(field.value)]


def searched_texts(fields: Mapping[str, Field]) -> list[str]:
    """Texts of all fields that a search without a field name looks into."""
    return [text for name in _SEARCHED for text in texts_of(fields.get(name))]


def leaves(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, depth first."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)


@lru_cache(_SYLLABLES)
def _tone_first(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word)
    tones = "".join(char for char in decomposed if char in _TONES)
    letters = "".join(char for char in decomposed if char not in _TONES)
    return tones + unicodedata.normalize("NFC", letters)


@lru_cache(_SYLLABLES)
def _bare(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).replace("đ", "d")
