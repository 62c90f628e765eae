"""What the value of each field may be: dates are EDTF, codes are of their list, objects have known keys.

What a parser or a person says about a field passes here before it is kept, so that whoever reads records can rely on
the types of the data dictionary.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

DATE_FIELDS = frozenset({"birth", "enlist", "death"})
KINDS = frozenset({"named", "partial", "unknown", "collective", "symbolic", "relocated", "memorial_list", "other"})
RANKS = frozenset(
    {
        *("binh_nhi", "binh_nhat", "ha_si", "trung_si", "thuong_si", "chuan_uy", "thieu_uy", "trung_uy", "thuong_uy"),
        *("dai_uy", "thieu_ta", "trung_ta", "thuong_ta", "dai_ta", "thieu_tuong", "trung_tuong", "thuong_tuong"),
        "dai_tuong",
    }
)
WARS = frozenset({"KCCP", "KCCM", "BGTN", "BGPB", "QT_LAO", "QT_CPC", "BVTQ", "other"})
NAME_STATUSES = frozenset({"full", "given_only", "alias_only", "illegible", "unknown"})

# Headstones of the wars since 1930 name births from the 19th century on; a year outside is a misreading.
FIRST_YEAR, LAST_YEAR = 1800, 2100
_OLDEST_YEARS = 130

_DATE = re.compile(r"([\dX]{4})(?:-([\dX]{2})(?:-([\dX]{2}))?)?[~?%]?", re.ASCII)
_PLACE_KEY = re.compile(
    r"raw|year|suggest|(?:now_|completed_)?(?:hamlet|commune|district|province|country|region)"
    r"(?:_63|_2025|_type)?(?:_candidates)?"
)


def is_date(value: Any) -> bool:
    """Whether a value is a date of the EDTF subset here, or an interval of two: real days of years 1800 to 2100.

    ``X`` stands for a digit that is not known; what is not known cannot be refused.
    """
    if not isinstance(value, str):
        return False
    ends = value.split("/")
    if not 1 <= len(ends) <= 2 or not all(map(_is_one_date, ends)):
        return False
    return len(ends) == 1 or _first_year(ends[0]) <= _last_year(ends[1])


def _is_one_date(text: str) -> bool:
    match = _DATE.fullmatch(text)
    if match is None:
        return False
    year, month, day = match.groups()
    if _first_year(year) > LAST_YEAR or _last_year(year) < FIRST_YEAR:
        return False
    if month is None or "X" in month:
        longest = 31
    elif not 1 <= int(month) <= 12:
        return False
    else:
        longest = monthrange(int(year) if year.isdecimal() else 2000, int(month))[1]
    return day is None or "X" in day or 1 <= int(day) <= longest


def _first_year(text: str) -> int:
    return int(text[:4].replace("X", "0"))


def _last_year(text: str) -> int:
    return int(text[:4].replace("X", "9"))


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of value; ``expected`` says in words what it is."""

    expected: str
    holds: Callable[[Any], bool]
    from_words: Callable[[str], Any] = lambda _words: None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_age(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _OLDEST_YEARS


def _is_place(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(key, str) and _PLACE_KEY.fullmatch(key) for key in value)
        and all(
            all(map(_is_place_name, part)) if isinstance(part, list) else part is None or _is_place_name(part)
            for part in value.values()
        )
    )


def _is_place_name(value: Any) -> bool:
    if isinstance(value, Mapping):
        return set(value) == {"code", "name"} and all(isinstance(part, str) for part in value.values())
    return isinstance(value, str)


def _is_unit(value: Any) -> bool:
    if not (isinstance(value, Mapping) and value and set(value) <= _UNIT_KEYS):
        return False
    chain = value.get("chain") or []
    texts = (value.get(key) for key in ("raw", "theatre_code", "mailbox", "force"))
    return all(text is None or isinstance(text, str) for text in texts) and (
        isinstance(chain, list) and all(isinstance(link, list) and len(link) == 2 and _is_link(*link) for link in chain)
    )


def _is_link(level: Any, number: Any) -> bool:
    return all(part is None or isinstance(part, str) for part in (level, number))


_UNIT_KEYS = frozenset({"raw", "chain", "theatre_code", "mailbox", "force", "decode"})


def _is_person(value: Any) -> bool:
    if not (isinstance(value, Mapping) and "name" in value and set(value) <= set(_PERSON)):
        return False
    return all(part is None or _PERSON[key](part) for key, part in value.items())


_PERSON: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("name", "name_raw", "unit", "position"), _is_text),
    "birth": is_date,
    "death": is_date,
    "aliases": _is_texts,
    "hometown": _is_place,
    "rank": lambda value: value in RANKS,
    "kind": lambda value: value in KINDS,
}


def _object(*keys: str) -> _Kind:
    def holds(value: Any) -> bool:
        return (
            isinstance(value, Mapping)
            and bool(value)
            and set(value) <= set(keys)
            and all(part is None or isinstance(part, str) for part in value.values())
        )

    return _Kind(f"an object of texts with some of the keys {', '.join(keys)}", holds, lambda words: {"raw": words})


def _code(codes: frozenset[str]) -> _Kind:
    return _Kind(f"one of {', '.join(sorted(codes))}", lambda value: isinstance(value, str) and value in codes)


_A_DATE = _Kind("a date in EDTF such as 1968-05-12, 1968-05, 195X, 1966/1967 or 1948~, of a day that exists", is_date)
_TEXT = _Kind("a text", _is_text, lambda words: words)
_TEXTS = _Kind("a list of texts", _is_texts, lambda words: [words])

_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        **dict.fromkeys(DATE_FIELDS, _A_DATE),
        "party": _Kind(f"true, or {_A_DATE.expected}", lambda value: value is True or is_date(value)),
        "kind": _code(KINDS),
        "rank": _code(RANKS),
        "war": _code(WARS),
        "name_status": _code(NAME_STATUSES),
        # there is no closed list of posts: known ones are codes, others stay in words
        **dict.fromkeys(("name", "unknown_wording", "header", "honorific", "title", "death_place", "position"), _TEXT),
        **dict.fromkeys(("aliases", "name_variants"), _TEXTS),
        "age": _Kind(f"a whole number from 0 to {_OLDEST_YEARS}", _is_age),
        "hometown": _Kind(
            "an object with raw, hamlet, commune, district, province or country, and their _63 and _2025 forms",
            _is_place,
            lambda words: {"raw": words},
        ),
        "unit": _Kind(
            "an object with raw, chain (a list of [level, number]), theatre_code, mailbox or force",
            _is_unit,
            lambda words: {"raw": words},
        ),
        "loc": _object("raw", "khu", "lo", "hang", "o", "mo", "source"),
        "burial": _object("raw", "first_place", "from_place", "moved_to", "date", "year", "by"),
        "award": _object("raw", "bang_so", "qd_so", "qd_ngay"),
        "persons": _Kind(
            "a list of objects with a name and, where known, birth, death, hometown, rank, position or unit",
            lambda value: isinstance(value, list) and all(map(_is_person, value)),
        ),
        "redact": _TEXTS,
    }
)

CORRECTABLE_FIELDS = frozenset(_KINDS)


def expected_of(name: str, value: Any) -> str | None:
    """What the field's value should be, in words, where ``value`` is not that; None where it is, or is blank."""
    kind = _KINDS[name]
    return None if value is None or kind.holds(value) else kind.expected


def from_words(name: str, words: str) -> Any:
    """The value of words that no parser understands: the words themselves where the field takes words, else None."""
    return _KINDS[name].from_words(words)
