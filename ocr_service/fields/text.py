"""Forms of a text that the parser compares by: without tones, as a key, in title case.

Every folding here maps one character to one character, so that a span found in the folded text is the same span of the
text as cut.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache


def _strip_marks(letter: str) -> str:
    if letter in "đĐ":
        return "d"
    return unicodedata.normalize("NFD", letter)[0].lower()


_VIETNAMESE = "".join(
    {
        unicodedata.normalize("NFC", base + mark)
        for base in "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY"
        for mark in ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
    }
)
_FOLD = {ord(letter): _strip_marks(letter) for letter in _VIETNAMESE + "đĐÐð"}
_FOLD |= {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_FOLD |= {0xD0: "d", 0xF0: "d"}  # Icelandic eth, which old fonts and some readers give for Đ

_DASHES = {ord(dash): "-" for dash in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d"}
_SIGNS = _DASHES | {ord(c): "'" for c in "\u2018\u2019\u02bc"} | {ord(c): '"' for c in "\u201c\u201d"}
_SIGNS |= {0x2026: "\u2026", 0xFF1A: ":", 0xA0: " ", 0x2007: " ", 0x202F: " ", 0x2009: " ", 0x09: " ", 0xAD: "-"}
_SIGNS |= {ord(c): "\u00b7" for c in "\u2022\u2219\u22c5\u2027\u25cf"} | {0x200B: " ", 0xFEFF: " "}

_NOT_KEY = re.compile(r"[^0-9a-z]+")


def clean(text: str) -> str:
    """NFC with one kind of dash, quote and space; the length may differ from the input only by composition."""
    return unicodedata.normalize("NFC", text).translate(_SIGNS)


@lru_cache(maxsize=16384)
def fold(text: str) -> str:
    """Lower case without any mark, character for character: ``Quê Quán`` → ``que quan``."""
    return text.translate(_FOLD)


@lru_cache(maxsize=32768)
def key(text: str) -> str:
    """What two spellings of one name share: no marks, no spaces or signs, ``y`` as ``i``: ``Mỹ Lý`` → ``mili``."""
    return _NOT_KEY.sub("", fold(text)).replace("y", "i")


def squeeze(text: str) -> str:
    """Text with runs of blanks made one and none at the ends."""
    return " ".join(text.split())


@lru_cache(maxsize=16384)
def title(text: str) -> str:
    """Each syllable capitalised: ``NGUYỄN văn AN`` → ``Nguyễn Văn An``; roman numerals and codes stay."""
    return " ".join(_title_word(word) for word in text.split())


def _title_word(word: str) -> str:
    parts = re.split(r"([-.'(/])", word)
    return "".join(part[:1].upper() + part[1:].lower() for part in parts)


def within_one_edit(left: str, right: str) -> bool:
    """Whether at most one letter was replaced, lost or added between two keys. Linear time."""
    if left == right:
        return True
    if len(left) > len(right):
        left, right = right, left
    if len(right) - len(left) > 1:
        return False
    start = 0
    while start < len(left) and left[start] == right[start]:
        start += 1
    return left[start + (len(left) == len(right)) :] == right[start + 1 :]


def one_deletion(word: str) -> set[str]:
    """The word and every form of it that lacks one letter: two words within one edit share such a form."""
    return {word} | {word[:i] + word[i + 1 :] for i in range(len(word))}
