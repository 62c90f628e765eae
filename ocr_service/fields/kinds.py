"""What an inscription is: a named grave, an unknown one, a collective one, an emptied one, a list, or no grave.

"Unknown" is a legal class that has its own wordings; a blank stone, an illegible name and a failed reading are others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ocr_service.fields.text import fold

_UNKNOWN = re.compile(
    r"(?:khong|chua|ch[uú]a)\s+(?:the\s+)?(?:xac\s*dinh|biet|ro|co|xac minh)(?:\s+duoc)?(?:\s+ro)?\s*"
    r"(?:ho\s+(?:va\s+)?ten|ten(?:\s+tuoi)?|danh\s*tinh|thong\s*tin|lai lich|than nhan|que quan)"
    r"|\bvo\s+danh\b|\bkhuyet\s+danh\b|\bkhong\s+ten\b|\b(?:chua|khong)\s+(?:xac\s*dinh|ro)\s*(?:duoc)?\s*$"
)
_POETIC = re.compile(
    r"\bten\s+(?:cac\s+)?(?:dong chi|anh|chi|nguoi|cac anh|liet s[iy])\b.{0,40}\b(?:gan lien|gan voi|da thanh"
    r"|song mai|con mai|hoa|bat tu)"
)
_NEW_WORDING = re.compile(r"thong\s*tin")
_RELOCATED = re.compile(
    r"\b(?:da|duoc)\s+(?:duoc\s+)?(?:di\s*chuyen|di\s*doi|chuyen|cat\s*boc|boc|quy\s*tap|dua|don|cai tang)\b"
    r"(?:\s+(?:hai\s*cot|mo|di|ve|ra|den|sang|toi|nam|ngay|het)\b|\s*$|\s*[.,;:\d(])"
)
_MOVED = re.compile(r"\b(?:hai\s*cot|mo)\b.{0,30}\b(?:di\s*chuyen|di\s*doi|chuyen ve|dua ve|boc ve|doi ve)\b")
_COLLECTIVE = re.compile(
    r"\b(?:mo|phan mo|ngoi mo)\s+(?:liet\s*s[iy]\s+)?(?:tap\s*the|chung)\b|\bliet\s*s[iy]\s+tap\s*the\b"
    r"|\b(?:noi|day)\s+(?:an nghi|yen nghi|an tang|chon cat)\s+(?:cua|chung)?\s*\d+\s+(?:anh hung\s+)?liet"
    r"|\bmo\s+(?P<n>\d{1,3})\s+(?:anh hung\s+)?(?:liet\s*s[iy]|ls)\b"
)
_COUNT = re.compile(
    r"(?<!\w)(?<![/.\-])(?<![/.\-] )(?!19\d\d|20\d\d)(\d{1,4})\s+(?:\(\w+\)\s*)?(?:anh hung\s+)?(?:(?:liet\s*s[iy]"
    r"|ls|dong chi|nguoi|hai cot|bo hai cot|chien s[iy]|can bo|can bo chien s[iy])\b|d/c\b(?!\s*[:\w]))"
)
# A seller's telephone number that runs into the next line, 0399 833 888 / LIỆT SĨ, counts nobody.
_LONG_NUMBER = re.compile(r"\d+(?:[ .\-]\d+)+")
_COUNT_DIGITS = 6
_HEAD_LINES = 12  # wordings of the kind stand at the head; a list of thousands of names costs no more
_COUNT_LINE = re.compile(
    r"^\s*\(?\s*\d{1,4}\s*(?:anh hung\s+)?(?:liet\s*s[iy]|ls|dong chi|d/c|hai cot|bo hai cot)\s*\)?\s*$"
)
_COUNT_WORDS = {"hai": 2, "ba": 3, "bon": 4, "nam": 5, "sau": 6, "bay": 7, "tam": 8, "chin": 9, "muoi": 10}
# At the start of a line or after what is shared: TRẦN VĂN TÁM / LIỆT SĨ are not eight.
_COUNT_WORD = re.compile(
    r"(?m)(?:^\s*|\b(?:mo|chung|the|cua|gom|co)\s+)(hai|ba|bon|nam|sau|bay|tam|chin|muoi)\s+"
    r"(?:anh hung\s+)?liet\s*s[iy]\b"
)
_SYMBOLIC = re.compile(r"\bmo\s+(?:gio|tuong\s*trung|vong|chieu hon|tuong niem)\b|\bmo\s+khong\s+(?:co\s+)?hai\s*cot\b")
_LIST = re.compile(
    r"\b(?:bia|bang)\s+(?:ghi\s+)?(?:danh|ten|cong)\b(?!\s*hieu)|\bdanh\s+sach\b.{0,30}\bliet"
    r"|\bbia\s+(?:tuong\s*niem|ky\s*niem)\b"
    r"|\bghi\s+danh\b.{0,20}\bliet|\b(?:stt|so tt|tt)\b.{0,25}\bho\s+(?:va\s+)?ten\b|\bdanh sach\b"
)
_NO_GRAVE = re.compile(
    r"^\s*(?:khu\s+(?:mo|vuc mo)|nghia\s*trang|ntls|dai\s+(?:tuong\s*niem|liet s[iy])|tuong\s+dai|den\s+(?:tho"
    r"|liet)|nha\s+(?:bia|tuong niem|quan trang|tho)"
    r"|cong\s+(?:nghia trang|vao)|so\s+do|quy\s+che|noi\s+quy|bang\s+chi\s+dan|ban\s+quan\s+l[yi]|khu\s+tuong niem"
    r"|di\s+tich)\b"
)
_SLOGAN = re.compile(
    r"^\s*(?:to\s*quoc\s*(?:ghi\s*cong|ghi on|doi doi)|doi\s*doi\s*(?:nho|ghi)|mai\s*mai|muon doi"
    r"|uong nuoc nho nguon|vinh quang|vi to quoc)"
)


@dataclass(frozen=True, slots=True)
class KindEvidence:
    """What the whole text says about the kind of inscription, before its fields are read."""

    unknown: str | None = None
    old_wording: bool = False
    poetic: bool = False
    relocated: bool = False
    collective: bool = False
    shared: bool = False
    count: int | None = None
    symbolic: bool = False
    listing: bool = False
    no_grave: bool = False
    wording_lines: frozenset[int] = frozenset()


def is_unknown_wording(text: str) -> bool:
    """Whether a line says that the dead is not known."""
    return _unknown(text) is not None


def _unknown(text: str) -> re.Match[str] | None:
    """The wording, but not the family name Võ with the middle name Danh."""
    folded = fold(text)
    for match in _UNKNOWN.finditer(folded):
        if match.group() != "vo danh" or not text[match.start() : match.end()].lower().startswith("võ"):
            return match
    return _POETIC.search(folded)


def is_place_name_of_graves(text: str) -> bool:
    """Whether a line names a cemetery or a monument rather than a dead person."""
    return bool(_NO_GRAVE.match(fold(text)))


def is_slogan(text: str) -> bool:
    """Whether a line is one of the phrases that every cemetery carries."""
    return bool(_SLOGAN.match(fold(text)))


def tells_kind(text: str) -> bool:
    """Whether a line is about the grave itself: emptied, shared, symbolic, a list."""
    folded = fold(text)
    if _COUNT_LINE.match(folded):
        return True
    patterns = (_RELOCATED, _MOVED, _COLLECTIVE, _SYMBOLIC, _LIST)
    return any(pattern.search(folded) for pattern in patterns)


def holds_more(text: str) -> bool:
    """Whether a line that an unknown wording runs through says something else: a label, a number, a row of a list."""
    return bool(re.search(r"\d|:", text))


def _lines_under(span: tuple[int, int], lines: list[str]) -> frozenset[int]:
    start, under = 0, set[int]()
    for i, line in enumerate(lines):
        if start < span[1] and start + len(line) > span[0]:
            under.add(i)
        start += len(line) + 1
    return frozenset(under)


def _no_count(number: re.Match[str]) -> str:
    return number.group() if sum(char.isdigit() for char in number.group()) <= _COUNT_DIGITS else " "


def weigh(lines: list[str]) -> KindEvidence:
    """Evidence of the kind in all lines together; wordings may run over a line's end."""
    head = fold(" ".join(lines[:_HEAD_LINES]))
    unknown = _unknown(" ".join(lines[:_HEAD_LINES]))
    numbered = sum(bool(re.match(r"\s*\d{1,4}\s*(?:[.)\-|]\s*|\s)[^\W\d]", line)) for line in lines)
    counted = fold("\n".join(_LONG_NUMBER.sub(_no_count, line) for line in lines[:_HEAD_LINES]))
    word = _COUNT_WORD.search(counted)
    number = _COUNT.search(counted)
    listing = bool(_LIST.search(head))
    shared = bool(_COLLECTIVE.search(head))
    collective = shared or (bool(number or word) and not listing and int(number[1] if number else 2) > 1)
    wording = None
    if unknown:
        joined = " ".join(lines[:_HEAD_LINES])
        wording = joined[unknown.start() : unknown.end()]
    poetic = bool(unknown and _POETIC.search(unknown.group()))
    return KindEvidence(
        unknown=wording,
        old_wording=bool(unknown) and not poetic and not _NEW_WORDING.search(unknown.group() if unknown else ""),
        poetic=poetic,
        relocated=bool(_RELOCATED.search(head) or _MOVED.search(head)),
        collective=collective,
        shared=shared,
        count=int(number[1]) if number else (_COUNT_WORDS[word[1]] if word else None),
        symbolic=bool(_SYMBOLIC.search(head)),
        listing=listing or (numbered >= 4 and not collective),
        wording_lines=_lines_under(unknown.span(), lines[:_HEAD_LINES]) if unknown else frozenset(),
        no_grave=bool(lines) and bool(_NO_GRAVE.match(fold(lines[0]))),
    )
