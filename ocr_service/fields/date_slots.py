"""Day, month and year of a date as cut: numbers, separators and blanks told apart.

Everything here works on folded text (lower case, no marks) and says only what stands in which place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ocr_service.fields.text import within_one_edit

_WORDS = {"ngay": "day", "thang": "month", "t": "month", "nam": "year", "mong": "day", "mung": "day"}
_CENTURY = re.compile(r"19\d\d|20[0-3]\d")
_FULL_YEAR = re.compile(r"1[89]\d\d|20[0-3]\d")
_MONTH_AND_YEAR = re.compile(r"(?P<month>0?[1-9]|1[0-2])(?P<year>19\d\d)")
_LONE_NUMBER = re.compile(r"\W*(?:nam\W+)?\d+\W*")
_MONTH_STROKE_YEAR = re.compile(r"(?P<month>0?[1-9]|1[0-2])[127](?P<year>19\d\d)")  # /0911979: a stroke read as 1
_DAY_AND_MONTH = re.compile(r"(?P<day>0[1-9]|[12]\d|3[01])(?P<month>0[1-9]|1[0-2])")
_BLANK = r"(?:[.…?_*]{2,}|[…?_*]|\bx{1,2}\b|\b0{1,2}\b(?=\s*[/.\-]))"
_TOKEN = re.compile(
    r"(?P<partial>(?<!\d)(?:1[89]|20)(?:\d[?_*…x.](?!\d)|[?_*…x]+\d?|\.{2,}\d?))"
    r"|(?P<number>\d+)"
    rf"|(?P<blank>{_BLANK})"
    r"|(?P<word>(?<![a-z])(?:(?:ngay|thang|nam)(?![a-z])|m[ou]ng|t(?=\d)|(?!den)[a-z]{3,6}(?=\s*\d)"
    r"|(?:na|am|nm)(?=\s*(?:19|20)\d\d)))"
    r"|(?P<sep>[/\\.\-,]|\bden\b)"
    r"|(?P<space>[\s:'\"]+)"
    r"|(?P<other>.)"
)


@dataclass(frozen=True, slots=True)
class Slots:
    """Day, month and year as cut; None is a slot that was left blank or is not there."""

    day: str | None = None
    month: str | None = None
    year: str | None = None
    flags: tuple[str, ...] = ()
    year_to: str | None = None


def read_slots(folded: str) -> tuple[Slots | None, list[tuple[int, int]]]:
    """The first group of numbers and separators, told apart; and the spans that it used."""
    alone = _LONE_NUMBER.fullmatch(folded) is not None
    groups: list[list[re.Match[str]]] = [[]]
    for match in _TOKEN.finditer(folded):
        if match.lastgroup == "other" or (match.lastgroup == "word" and _date_word(match.group()) not in _WORDS):
            if groups[-1]:
                groups.append([])
        else:
            groups[-1].append(match)
    for group in groups:
        if any(match.lastgroup in ("number", "partial") for match in group):
            slots = _told_apart(group, alone=alone)
            if slots is not None:
                return slots, [match.span() for match in group if match.lastgroup != "space"]
    for group in groups:
        if any(match.lastgroup in ("blank", "sep") for match in group) or all(m.lastgroup == "word" for m in group):
            return None, [match.span() for match in group if match.lastgroup != "space"]
    return None, []


def _date_word(cut: str) -> str:
    """``thang`` for ``thanp``: the date word one letter away from a misread one; other tokens as they are."""
    if not cut.isalpha() or cut in _WORDS:
        return cut
    return next((word for word in ("thang", "ngay", "nam") if within_one_edit(word, cut)), cut)


def _told_apart(group: list[re.Match[str]], *, alone: bool) -> Slots | None:
    named: dict[str, str] = {}
    cells: list[str | None] = []
    word, after_number = "", False
    for place, match in enumerate(group):
        kind, cut = match.lastgroup, _date_word(match.group())
        if kind == "word":
            word = _WORDS.get(cut, "day")
            after_number = False
        elif kind in ("number", "partial"):
            value = cut if kind == "number" else _holes(cut)
            later = [other.group() for other in group[place + 1 :] if other.lastgroup in ("number", "partial")]
            if place and group[place - 1].group() == "t" and len(later) > 1:
                cells.append(None)  # T1-4-1951: no month stands before a day, the T was a digit
            elif word == "year" and len(value) <= 2 and any(len(number) == 4 for number in later):
                cells.append(value)  # "năm" belongs to the label: NĂM 18-10-1964
            elif word in ("month", "year") and word not in named:
                named[word] = value
                if word == "month" and cells and "day" not in named and cells[-1]:
                    named["day"] = str(cells.pop())
            else:
                cells.append(value)
            word, after_number = "", True
        elif kind == "blank":
            cells.append(None)
            word, after_number = "", True
        elif kind == "sep":
            if not after_number and cut in "/-\\.":
                cells.append(None)
            after_number = False
    if not named:
        return _positional(cells, alone=alone)
    numbers = [cell for cell in cells if cell]
    if "month" in named and "year" not in named and numbers and len(numbers[-1]) >= 3:
        named["year"] = numbers.pop()  # "tháng 5/1968"
    elif "month" in named and "year" not in named and len(numbers) == 2:
        named["year"] = numbers.pop()
    if "day" not in named and "month" in named and numbers:
        named["day"] = numbers.pop()
    if "month" not in named and "year" in named and numbers:
        return _positional([*cells, named["year"]])
    holes = cells.count(None)
    blank: tuple[str, ...] = ()
    if "year" in named and holes and "day" not in named:
        blank = ("day_missing",) if "month" in named else ("blank_day_month",)
    month = _shortened(named.get("month"), 12)
    if month != named.get("month"):
        blank += ("ocr_digit_fix",)
    return Slots(named.get("day"), month, _year(named.get("year")), _year_flags(named.get("year")) + blank)


def _positional(cells: list[str | None], *, alone: bool = False) -> Slots | None:
    apart = _unpacked(cells)
    if apart != cells:
        slots = _positional(apart)
        return slots and replace(slots, flags=(*slots.flags, "ocr_digit_fix"))
    numbers = [cell for cell in cells if cell]
    if not numbers:
        return None
    if len(numbers) >= 2 and all(len(n) == 4 for n in numbers[-2:]):
        return Slots(year=numbers[-2], year_to=numbers[-1])
    if len(cells) >= 3 and len(numbers[0]) == 4 and cells[0] and len(numbers) == 3:
        return Slots(numbers[2], numbers[1], numbers[0])
    if len(cells) == 2 and len(numbers) == 2 and len(numbers[0]) == 4 and len(numbers[1]) == 2:
        if int(numbers[1]) > 12 and numbers[0].isdigit():
            return Slots(year=numbers[0], year_to=numbers[0][:2] + numbers[1])
        return Slots(month=numbers[1], year=numbers[0])
    if len(numbers) == len(cells) == 4 and len(numbers[-1]) == 4 and len(numbers[-2]) <= 2:
        cells = [None, *cells[2:]]  # 28 6 03/1960: which of three numbers is the day, nobody can say
    cells = cells[-3:] if cells[-1] is not None or len(cells) <= 3 else cells[:3]
    *before, last = cells
    if last is None or not (_looks_like_year(last, len(before)) or (alone and _lost_digit(last))):
        return _without_year(cells)
    day, month = (_shortened(cell, most) for cell, most in zip([None, None, *before][-2:], (31, 12), strict=True))
    flags = _year_flags(last)
    if [day, month] != [None, None, *before][-2:]:
        flags += ("ocr_digit_fix",)
    if before and month is None and day is None:
        flags += ("blank_day_month",)
    elif len(before) >= 2 and day is None:
        flags += ("day_missing",)
    elif len(before) >= 2 and month is None:
        flags += ("month_missing",)
    return Slots(day, month, _year(last), flags)


def _shortened(cell: str | None, most: int) -> str | None:
    """A day or month of three digits without the one too many, where only one way is left: 118 is November."""
    if cell is None or len(cell) != 3:
        return cell
    possible = {cell[:i] + cell[i + 1 :] for i in range(3)}
    possible = {number for number in possible if number.isdigit() and 1 <= int(number) <= most}
    return possible.pop() if len(possible) == 1 else cell


def _unpacked(cells: list[str | None]) -> list[str | None]:
    """Cells of which two run together told apart: 22/51960, 2408-1986."""
    first, last = cells if len(cells) == 2 else (None, None)
    if last is None:
        return cells
    month = _MONTH_AND_YEAR.fullmatch(last) or _MONTH_STROKE_YEAR.fullmatch(last)
    if month and len(first or "") <= 2:
        return [first, month["month"], month["year"]]
    day = _DAY_AND_MONTH.fullmatch(first or "")
    if day and _FULL_YEAR.fullmatch(last) and not _FULL_YEAR.fullmatch(first or ""):
        return [day["day"], day["month"], last]
    return cells


def _looks_like_year(cell: str, before: int) -> bool:
    if len(cell) == 4 or "X" in cell or (len(cell) == 5 and before >= 1):
        return True
    if len(cell) == 3:
        return cell[0] in "12" or (cell[0] == "9" and before > 0)
    if len(cell) == 2:
        return before >= 2 or int(cell) > 31
    return 8 <= len(cell) <= 10 and before == 0


def _without_year(cells: list[str | None]) -> Slots | None:
    day, month = ([*cells, None, None])[:2] if len(cells) <= 2 else (cells[0], cells[1])
    if day and month and len(day) <= 2 and len(month) <= 2 and 1 <= int(month) <= 12 and 1 <= int(day) <= 31:
        return Slots(day, month, None, ("illegible_year",))
    return None


def _year(cell: str | None) -> str | None:
    if cell is None:
        return None
    if len(cell) == 2 and cell.isdigit():
        return f"19{cell}"
    if len(cell) == 3 and cell.isdigit():
        return _lost_digit(cell) or (f"{cell}X" if cell < "203" else "20XX" if cell[0] == "2" else "19XX")
    if len(cell) == 5:
        shorter = {cell[:i] + cell[i + 1 :] for i in range(5)}
        years = [year for year in shorter if _CENTURY.fullmatch(year)]
        return years[0] if len(years) == 1 else None
    if len(cell) == 4 and cell.isdigit() and cell[0] not in "12" and cell[1] == "9":
        return f"1{cell[1:]}"
    return cell


def _lost_digit(cell: str) -> str | None:
    """The only year that three digits may be what is left of: 963, 178; None where several are (195, 203)."""
    if len(cell) != 3 or not cell.isdigit() or cell.startswith(("19", "20")):
        return None
    longer = {cell[:i] + digit + cell[i:] for i in range(4) for digit in "0123456789"}
    years = [year for year in longer if _CENTURY.fullmatch(year)]
    return years[0] if len(years) == 1 else None


def _year_flags(cell: str | None) -> tuple[str, ...]:
    if cell is None:
        return ()
    if len(cell) == 5:
        return ("ocr_digit_fix",) if _year(cell) else ("illegible_year",)
    if _lost_digit(cell) or (len(cell) == 4 and cell[0] not in "12" and cell[1] == "9"):
        return ("ocr_digit_fix",)  # years begin with 1 or 2
    if "X" in cell or (len(cell) == 3 and cell.isdigit()):
        return ("year_truncated",)
    return ("two_digit_year",) if len(cell) == 2 else ()


def _holes(token: str) -> str:
    """``19...`` → ``19XX``, ``196?`` → ``196X``, ``19?5`` → ``19X5``."""
    digits = re.sub(r"[^\d]+", "X", token)
    if len(digits) == 4 or not digits.endswith("X"):
        return digits if len(digits) == 4 else digits[:2] + "X" + digits[-1]
    return digits.ljust(4, "X")
