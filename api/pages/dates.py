"""Dates between the stored form (EDTF, ISO 8601-2) and the way people here write them: dd/mm/yyyy.

| stored | shown |
|---|---|
| ``1968-05-12`` | 12/05/1968 |
| ``1968-05`` | 05/1968 |
| ``19XX-05`` | 05/19?? |
| ``XXXX-08-19`` | 19/08/???? |
| ``1966/1967`` | 1966 – 1967 |
| ``1948~`` | khoảng 1948 |
| ``1948?`` | có thể 1948 |
"""

from __future__ import annotations

import re

from api.i18n import Texts
from ocr_service.verification import is_date

_STORED = re.compile(r"([\dX]{4})(?:-([\dX]{2}))?(?:-([\dX]{2}))?([~?%]?)", re.ASCII)
_SEPARATORS = re.compile(r"\s*[/.\-]\s*")
_SPAN = re.compile(r"\s*[–—]\s*|\s+-\s+")
_ABOUT = re.compile(r"^(?:khoảng|khoang|about|circa|ca\.?|~)\s*", re.IGNORECASE)
_PERHAPS = re.compile(r"^(?:có thể|co the|perhaps)\s*", re.IGNORECASE)
_PART = re.compile(r"[\d?xX_]{1,4}", re.ASCII)


class DateTextError(ValueError):
    """The text is no date; ``key`` names the text of the catalogue that says so."""

    def __init__(self, key: str, date: str) -> None:
        super().__init__(f"{key}: {date}")
        self.key = key
        self.date = date


def show_date(stored: str, texts: Texts) -> str:
    """The date as people write it. What is not understood is shown as it is stored, never guessed."""
    if "/" in stored:
        return " – ".join(show_date(end, texts) for end in stored.split("/"))
    match = _STORED.fullmatch(stored)
    if match is None:
        return stored
    year, month, day, doubt = match.groups()
    shown = "/".join(part for part in (day, month, year) if part).replace("X", "?")
    if doubt in {"~", "%"}:
        return texts("date.about", date=shown)
    return texts("date.perhaps", date=shown) if doubt == "?" else shown


def read_date(text: str) -> str | None:
    """The stored form of a date that a person typed; None for an empty text or a template left blank (``//``).

    Raises ``DateTextError`` where the text is no date or the calendar has no such day.
    """
    text = text.strip()
    if not re.search(r"[\w?]", text):
        return None
    ends = _SPAN.split(text)
    if len(ends) > 2:
        raise DateTextError("date.form", text)
    stored = "/".join(_read_one(end) for end in ends)
    if not is_date(stored):
        raise DateTextError("date.impossible", text)
    return stored


def _read_one(text: str) -> str:
    bare, doubt = text, ""
    for pattern, mark in ((_ABOUT, "~"), (_PERHAPS, "?")):
        if pattern.match(bare):
            bare, doubt = pattern.sub("", bare), mark
    parts = [part for part in _SEPARATORS.split(bare.strip()) if part]
    if not 1 <= len(parts) <= 3 or not all(_PART.fullmatch(part) for part in parts):
        raise DateTextError("date.form", text)
    if len(parts[0]) == 4 and len(parts) > 1:
        parts.reverse()  # typed year first, as it is stored
    year = _year(parts.pop(), text)
    month = _two_digits(parts.pop(), text) if parts else None
    day = _two_digits(parts.pop(), text) if parts else None
    stored = "-".join(part for part in (year, month, day) if part) + doubt
    if not is_date(stored):
        raise DateTextError("date.impossible", text)
    return stored


def _year(part: str, text: str) -> str:
    part = re.sub(r"[?x_]", "X", part)
    if len(part) == 2:
        part = "19" + part  # the wars of these stones lie in one century
    if len(part) != 4:
        raise DateTextError("date.form", text)
    return part


def _two_digits(part: str, text: str) -> str:
    part = re.sub(r"[?x_]", "X", part)
    if part == "X":
        return "XX"
    if len(part) > 2:
        raise DateTextError("date.form", text)
    return part.zfill(2)
