"""Dates as stones cut them → EDTF (ISO 8601-2): blank days, two-digit years, can-chi years, lunar days, misread digits.

Day and month are in that order on stones; rosters that went through Excel may have turned them round. Nothing that is
not cut becomes part of a value: a missing digit is an ``X``, a doubtful reading a candidate, and a flag says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date

from ocr_service.fields import lunar
from ocr_service.fields.date_misreads import with_digits_repaired
from ocr_service.fields.date_slots import Slots, read_slots
from ocr_service.fields.lunar import LunarDate
from ocr_service.fields.text import clean, fold


@dataclass(frozen=True, slots=True)
class DateReading:
    """One date expression: EDTF value and candidates, the lunar day as cut, and the text that it did not use."""

    value: str | None = None
    candidates: tuple[str, ...] = ()
    lunar: str | None = None
    flags: tuple[str, ...] = ()
    rest: str = ""

    @property
    def year(self) -> int | None:
        """Year of the value, if all its digits are known."""
        return int(self.value[:4]) if self.value and self.value[:4].isdigit() else None


# Events on stones lie between the first wave of arrests and the present; births reach back further.
WAR_YEARS = (1930, 1990)
BIRTH_YEARS = (1900, 1975)
_FIRST_YEAR, _LAST_YEAR = 1850, 2035

# A slash between the parts of a date that the reader took for 1, 2 or 7; the other one may be lost.
_STROKES = tuple(
    re.compile(rf"(?P<day>\d\d){first}(?P<month>\d\d){second}(?P<year>19\d\d|20\d\d)")
    for first, second in (("[127]", ""), ("", "[127]"), ("[127]", "[127]"))
)

_STEM = r"giap|at|binh|dinh|mau|k[yi]|canh|tan|nham|qu[yi]"
_BRANCH = r"t[yi]|suu|dan|mao|meo|thin|ngo|mui|than|dau|tuat|hoi"
_CANCHI = re.compile(rf"(?:\bnam\s+)?\b({_STEM})[\s\-.]+({_BRANCH})\b")
_STEMS = {"giap": 0, "at": 1, "binh": 2, "dinh": 3, "mau": 4, "ky": 5, "ki": 5, "canh": 6, "tan": 7, "nham": 8}
_STEMS |= {"quy": 9, "qui": 9}
_BRANCHES = {"ty": 0, "ti": 0, "suu": 1, "dan": 2, "mao": 3, "meo": 3, "thin": 4, "ngo": 6, "mui": 7, "than": 8}
_BRANCHES |= {"dau": 9, "tuat": 10, "hoi": 11}

_LUNAR = re.compile(r"\(?\b(?:am lich|am\b(?! muu)|a\.?\s?l\b\.?)\)?")
_SOLAR = re.compile(r"\(?\b(?:duong lich|d\.?\s?l\b\.?)\)?")
_BRACKETED_LUNAR = re.compile(r"\(\s*(âm lịch|âm|â\.?l\.?|al|dl|dương lịch)\s*\)", re.I)
_PARTS = re.compile(
    r"[()\[\]]|\b(?:dl|đl|dương lịch)\b[\s\-,;/]*|\b(?:tức|nhằm)\b(?:\s+(?:là\s+)?ngày)?(?:\s*:)?", re.I
)
_MONTH_SPAN = re.compile(r"(?<![\d/.-])(1[0-2]|0?[1-9])/(19\d\d)\s*(?:-|đến)\s*(1[0-2]|0?[1-9])/(19\d\d)")
_CLOCK = re.compile(r"\b(?:luc\s*)?\d{1,2}\s*(?:h|gio)(?![a-z])\s*(?:\d{1,2}\s*(?:p|phut|')?)?(?![\d])(?:\s*,)?")
_QUESTIONED = re.compile(r"(?<=\d{4})\s*\(?\?\)?")
_APPROX = re.compile(r"\b(?:khoang|chung|uoc|do(?= nam)|tam(?= nam))\b|[~≈]")
_PART_OF_YEAR = re.compile(r"\b(?:dau|giua|cuoi)(?= nam| thang|\s+\d)")
_SEASON = re.compile(r"\b(?:mua\s+(?:kho|mua|xuan|he|ha|thu|dong|lu)|(?:xuan|thu|dong|he)(?=\s+(?:nam\s+)?\d{4}))\b")
_TET = re.compile(
    r"\b(?:(?:ngay\s*)?(?:m[ou]ng\s*)?(\d{1,2}|mot|hai|ba|bon|tu|nam|sau|bay)?\s*(?:ngay\s+)?tet|giao thua)\b"
)
_FULL_MOON = re.compile(r"\bram\b(?=\s+thang)")
_WORD_DAYS = {"mot": "1", "hai": "2", "ba": "3", "bon": "4", "tu": "4", "nam": "5", "sau": "6", "bay": "7"}
_WORD_MONTHS = {
    "gieng": "1", "hai": "2", "ba": "3", "tu": "4", "nam": "5", "sau": "6", "bay": "7", "tam": "8", "chin": "9",
    "muoi": "10", "muoi mot": "11", "mot": "11", "muoi hai": "12", "chap": "12",
}  # fmt: skip
_WORD_MONTH = re.compile(
    r"\bthang\s+(gieng|hai|ba|tu|nam(?=\s+nam\b)|sau|bay|tam|chin|muoi mot|muoi hai|muoi|mot|chap)\b"
)
# Not X: alone it is a blank that somebody meant to fill in.
_ROMAN = {
    "ii": "2",
    "iii": "3",
    "iv": "4",
    "v": "5",
    "vi": "6",
    "vii": "7",
    "viii": "8",
    "ix": "9",
    "xi": "11",
    "xii": "12",
}
_ROMAN_MONTH = re.compile(r"(?<=[/.\-])\s*(viii|iii|vii|xii|ii|iv|vi|ix|xi|v)\s*(?=[/.\-]\s*\d)")


def read_date(text: str, *, roster: bool = False, years: tuple[int, int] = WAR_YEARS) -> DateReading:
    """The date in a text.

    ``roster`` tells that the text comes from a list, where two-digit years betray a turned month and day; ``years``
    (first and last) narrow the sixty-year cycle of can-chi years.
    """
    text = _BRACKETED_LUNAR.sub(lambda m: f" {m.group(1)} ", clean(text))
    span = _MONTH_SPAN.search(text)
    if span:
        first, last = (f"{span[i + 1]}-{int(span[i]):02d}" for i in (1, 3))
        return DateReading(f"{first}/{last}", flags=("interval",))
    if not text.strip():
        return DateReading(flags=("blank_template",))
    parts = [part for part in _PARTS.split(text) if part.strip()]
    readings = [_read_part(part, roster, years) for part in parts] or [DateReading()]
    dated = [reading for reading in readings if reading.value or reading.candidates or reading.lunar]
    if not dated:
        blank = next((r for r in readings if r.flags), DateReading(rest=text))
        return replace(blank, rest=" ".join(r.rest for r in readings if r.rest))
    rest = " ".join(r.rest for r in readings if r.rest)
    if len(dated) == 2 and str(dated[0].value).startswith("XXXX-") and "canchi_year" in dated[1].flags:
        return _read_part(" ".join(parts), roster, years)  # 12/03 (Canh Tuất)
    solar = next((r for r in dated if not r.lunar and r.value), None)
    moon = next((r for r in dated if r.lunar), None)
    if solar is None or moon is None:
        return replace(dated[0], rest=rest, flags=_merged(dated[:1]))
    flags = _merged([solar, moon])
    if moon.value and solar.value and not moon.value.startswith(solar.value) and not solar.value.startswith(moon.value):
        flags += ("lunar_mismatch",)
    value = moon.value if moon.value and solar.value and moon.value.startswith(solar.value) else solar.value
    return DateReading(value, solar.candidates, moon.lunar, flags, rest)


def _merged(readings: list[DateReading]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(flag for reading in readings for flag in reading.flags))


def _read_part(text: str, roster: bool, years: tuple[int, int]) -> DateReading:
    """One expression without parentheses. The patterns run on the folded text; spans used are blanked out."""
    folded = fold(text)
    flags: list[str] = []

    def take(pattern: re.Pattern[str]) -> re.Match[str] | None:
        nonlocal folded
        match = pattern.search(folded)
        if match:
            folded = folded[: match.start()] + " " * len(match.group()) + folded[match.end() :]
        return match

    moon = take(_LUNAR)
    is_lunar = moon is not None and "ă" not in text[slice(*moon.span())].lower()
    if moon and not is_lunar:
        folded = fold(text)  # ăm 1979 is a misread năm
    take(_SOLAR)
    take(_CLOCK)
    canchi = take(_CANCHI)
    year_names = _canchi_years(canchi, years) if canchi else ()
    approx = take(_APPROX) is not None
    season = take(_SEASON) is not None
    part_of_year = take(_PART_OF_YEAR) is not None
    tet = take(_TET)
    full_moon = take(_FULL_MOON)
    if full_moon:
        folded, is_lunar = folded[: full_moon.start()] + " 15" + folded[full_moon.end() :], True
    month_word = take(_WORD_MONTH)
    if month_word:
        is_lunar = is_lunar or month_word.group(1) in ("gieng", "chap")
        start = month_word.start()
        word = f"thang {_WORD_MONTHS[month_word.group(1)]}"
        folded = folded[:start] + word.ljust(len(month_word.group())) + folded[start + len(month_word.group()) :]
    folded = _ROMAN_MONTH.sub(lambda m: _ROMAN[m.group(1)].ljust(len(m.group())), folded)
    folded, repaired = with_digits_repaired(folded, text)
    if repaired:
        flags.append("ocr_digit_fix")
    uncertain = take(_QUESTIONED) is not None
    slots, used = read_slots(folded)
    rest = _unused(text, folded, used)
    if tet:
        reading = _tet(tet, year_names or _plain_year(slots))
    elif slots is None and year_names:
        reading = _canchi_only(year_names)
    elif slots is None:
        reading = DateReading()
    elif is_lunar or (year_names and slots.month and slots.day):
        reading = _lunar_reading(slots, year_names)
    else:
        reading = _solar(slots, roster)
    if canchi:
        flags.append("canchi_year")
    if season:
        flags.append("season")
    if approx or part_of_year or uncertain:
        flags.append("approx")
    value = f"{reading.value}~" if approx and reading.value and "/" not in reading.value else reading.value
    if value is None and not reading.candidates and not reading.lunar and not rest and _is_blank_template(text):
        flags.append("blank_template")
    return replace(reading, value=value, flags=tuple(dict.fromkeys((*reading.flags, *flags))), rest=rest)


def _is_blank_template(text: str) -> bool:
    return not any(c.isalnum() for c in re.sub(r"(?i)ngày|tháng|năm|\b19\b", "", text))


def _canchi_years(match: re.Match[str], years: tuple[int, int]) -> tuple[int, ...]:
    stem, branch = _STEMS[match.group(1)], _BRANCHES[match.group(2)]
    if branch == 0 and stem % 2:
        branch = 5  # Tý goes with even stems, Tỵ with odd ones: the tone is not needed
    return lunar.years_named(stem, branch, *years)


def _plain_year(slots: Slots | None) -> tuple[int, ...]:
    """The year if all its digits are cut and a calendar of our times holds it."""
    if slots is None or not slots.year or not slots.year.isdigit():
        return ()
    return (int(slots.year),) if 1800 <= int(slots.year) <= _LAST_YEAR else ()


def _tet(match: re.Match[str], years: tuple[int, ...]) -> DateReading:
    """A day counted from the lunar new year; without a day only the year is known."""
    if not years:
        return DateReading(None, flags=("season", "lunar"))
    year, day = years[0], match.group(1)
    if match.group() == "giao thua" or (day and day.isdigit() and int(day) >= 28):
        last = 30 if lunar.solar_candidates(LunarDate(year - 1, 12, 30)) else 29
        return _from_lunar(LunarDate(year - 1, 12, last))
    if day is None:
        return DateReading(f"{year:04d}", flags=("season",))
    return _from_lunar(LunarDate(year, 1, int(_WORD_DAYS.get(day, day))))


def _canchi_only(years: tuple[int, ...]) -> DateReading:
    values = tuple(f"{year:04d}" for year in years)
    return DateReading(values[0]) if len(values) == 1 else DateReading(None, values)


def _lunar_reading(slots: Slots, years: tuple[int, ...]) -> DateReading:
    cut = next(iter(_plain_year(slots)), None)
    near = [year for year in years if cut is None or cut - year in (0, 1)]
    flags = slots.flags
    if years and not near:
        flags += ("canchi_mismatch",)
    year = near[0] if near else cut
    flags = tuple(flag for flag in flags if flag != "illegible_year" or year is None)
    if year is None or slots.month is None or not slots.month.isdigit() or not 1 <= int(slots.month) <= 12:
        value = f"{year:04d}" if year else None
        return DateReading(value, flags=(*flags, "lunar"), lunar=value)
    if slots.day is None:
        first, last = (lunar.solar_candidates(LunarDate(year, int(slots.month), day))[:1] for day in (1, 29))
        value = f"{first[0].isoformat()[:7]}/{last[0].isoformat()[:7]}"
        return DateReading(value, lunar=f"{year:04d}-{int(slots.month):02d}", flags=(*flags, "lunar"))
    if len(near) > 1:
        days = [day for y in near for day in lunar.solar_candidates(LunarDate(y, int(slots.month), int(slots.day)))]
        return DateReading(None, tuple(day.isoformat() for day in days), None, (*flags, "lunar"))
    reading = _from_lunar(LunarDate(year, int(slots.month), int(slots.day)))
    return replace(reading, flags=tuple(dict.fromkeys((*flags, *reading.flags))))


def _from_lunar(day: LunarDate) -> DateReading:
    days = [solar.isoformat() for solar in lunar.solar_candidates(day)]
    if not days:
        return DateReading(f"{day.year:04d}", lunar=None, flags=("lunar", "impossible_date"))
    if len(days) == 1:
        return DateReading(days[0], lunar=str(day), flags=("lunar",))
    where = "lunar_north_south_1968" if day.year == 1968 else "lunar_north_south"
    common = days[0][:7] if days[0][:7] == days[1][:7] else days[0][:4]
    return DateReading(common, tuple(days), str(day), ("lunar", where))


def _solar(slots: Slots, roster: bool) -> DateReading:
    year, flags = slots.year, slots.flags
    if slots.year_to is not None:
        first, last = sorted((slots.year or "", slots.year_to))
        possible = [year for year in (first, last) if not year.isdigit() or _FIRST_YEAR <= int(year) <= _LAST_YEAR]
        if len(possible) < 2:
            return DateReading(None, tuple(possible), flags=("illegible_year",))
        return DateReading(f"{first}/{last}", flags=("interval",))
    if slots.day and not slots.month:
        flags += () if "month_missing" in flags else ("month_missing",)
    day = int(slots.day) if slots.day and slots.day.isdigit() else None
    month = int(slots.month) if slots.month and slots.month.isdigit() else None
    if year is None:
        return _yearless(day, month, flags)
    if len(year) != 4:
        return _packed(year) if 8 <= len(year) <= 10 else DateReading(None, flags=(*flags, "illegible_year"))
    if year.isdigit() and not 1800 <= int(year) <= _LAST_YEAR:
        return DateReading(None, (f"19{year[2:]}",), flags=(*flags, "illegible_year"))
    if month is not None and day is not None and day <= 12 < month <= 31:
        turned = f"{year}-{day:02d}-{month:02d}"
        if roster:
            return DateReading(turned, flags=(*flags, "mdy_order"))
        return DateReading(year, (turned,), flags=(*flags, "mdy_order", "impossible_date"))
    if roster and "two_digit_year" in flags and day and month and day <= 12 and month <= 12 and day != month:
        both = sorted((f"{year}-{month:02d}-{day:02d}", f"{year}-{day:02d}-{month:02d}"))
        return DateReading(year, tuple(both), flags=(*flags, "dm_ambiguous"))
    return _checked(year, month, day, flags)


def _yearless(day: int | None, month: int | None, flags: tuple[str, ...]) -> DateReading:
    if day == 19 and month is not None and month <= 9:
        return DateReading(None, (f"19X{month}", f"XXXX-{month:02d}-19"), flags=flags)
    if month is None or not 1 <= month <= 12:
        return DateReading(None, flags=flags)
    return DateReading(f"XXXX-{month:02d}" + (f"-{day:02d}" if day and day <= 31 else ""), flags=flags)


def _packed(digits: str) -> DateReading:
    """``12051968``: a date whose separators are gone, or some of them read as digits that are strokes (292111962)."""
    if len(digits) == 8:
        return _checked(digits[4:], int(digits[2:4]), int(digits[:2]), ())
    found = {_checked(m["year"], int(m["month"]), int(m["day"]), ("ocr_digit_fix",)) for m in _ways(digits)}
    whole = {reading for reading in found if reading.value and len(reading.value) == 10}
    return whole.pop() if len(whole) == 1 else DateReading(None, flags=("illegible_year",))


def _ways(digits: str) -> list[re.Match[str]]:
    """The ways in which nine or ten digits can be a day, a month and a year with strokes between them."""
    return [match for pattern in _STROKES if (match := pattern.fullmatch(digits))]


def _checked(year: str, month: int | None, day: int | None, flags: tuple[str, ...]) -> DateReading:
    if month is None:
        return DateReading(f"{year}-XX-{day:02d}" if day and 1 <= day <= 31 else year, flags=flags)
    if not 1 <= month <= 12:
        if month == 0:
            return DateReading(year, flags=(*flags, "blank_day_month"))
        return DateReading(year, flags=(*flags, "impossible_date"))
    if day is None:
        return DateReading(f"{year}-{month:02d}", flags=flags)
    if day == 0:
        return DateReading(f"{year}-{month:02d}", flags=(*flags, "day_missing"))
    if not year.isdigit():
        return DateReading(f"{year}-{month:02d}-{day:02d}" if day <= 31 else f"{year}-{month:02d}", flags=flags)
    if day > 31:
        return DateReading(f"{year}-{month:02d}", flags=(*flags, "impossible_date"))
    try:
        return DateReading(date(int(year), month, day).isoformat(), flags=flags)
    except ValueError:
        moons = lunar.solar_candidates(LunarDate(int(year), month, day)) if day <= 30 else ()
        if moons:
            found = tuple(moon.isoformat() for moon in moons)
            return DateReading(year, found, flags=(*flags, "impossible_solar_date", "maybe_lunar"))
        return DateReading(f"{year}-{month:02d}", flags=(*flags, "impossible_date"))


def _unused(text: str, folded: str, used: list[tuple[int, int]]) -> str:
    """What is left of the text: spans that were read are blank in ``folded`` or listed in ``used``."""
    left = [cut if mark != " " else " " for cut, mark in zip(text, folded, strict=True)]
    for start, end in used:
        left[start:end] = " " * (end - start)
    return " ".join("".join(left).split()).strip(" ,.;:-/'\"")
