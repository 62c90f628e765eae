"""The reader's other readings of a line, used where only one of them makes a place or a date that exists.

Reading a line twice may give ``Nam Sácn`` and ``Nam Sách``; the chain commune–district–province that exists beats the
best guess, a date that exists one that does not, a label that can be read one that cannot, and dates in the order of a
life those of which the death comes before the enlistment. The line as read stays available in the reading; a record
that rests on another reading carries the flag ``chosen_alternative``. Names are left to ``name_choice``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ocr_service.fields.dates import BIRTH_YEARS, WAR_YEARS, DateReading, read_date
from ocr_service.fields.draft import LEAST_SCORE
from ocr_service.fields.labels import Segment, cut_line
from ocr_service.fields.places import read_place
from ocr_service.fields.text import clean
from ocr_service.records import Alternative, Context, Line

_MAX_ALTERNATIVES = 4
_PLACE_SIGNS = re.compile(r"^[^\d]*[^\W\d_]\s*[-,]\s*[^\W\d_][^\d]*$")
_NOT_DIGIT = re.compile(r"\D+")
_DATED = ("birth", "enlist", "death")
# A date with one of these was cut otherwise or not read; with one of the first no such date can stand there.
_IMPOSSIBLE = frozenset({"impossible_date", "illegible_year", "ocr_digit_fix"})
_DOUBTFUL = _IMPOSSIBLE | {"impossible_solar_date", "year_truncated"}
# What a stone may well have cut so; but another reading is not better for it.
_SHORT = frozenset({"two_digit_year", "day_missing", "month_missing", "blank_day_month"})
_LEAST_DIGITS = 4  # of a year
_YOUNGEST = 13  # the youngest soldier of the decree's rosters


@dataclass(frozen=True, slots=True)
class _Fit:
    """How much of a line that holds a place or dates exists, 0 to 1; whether it cannot stand so, or is a short form."""

    share: float
    is_impossible: bool = False
    is_short: bool = False


def choose(lines: Sequence[Line], context: Context) -> tuple[list[Line], bool]:
    """Lines with a reading exchanged where another fits and theirs does not; and whether any was."""
    if not any(line.alternatives for line in lines):
        return list(lines), False
    stated = frozenset(field for line in lines for field in _stated(line.text))
    chosen = _in_order_of_life([_better(line, context, stated) for line in lines])
    return chosen, any(new.text != old.text for new, old in zip(chosen, lines, strict=True))


def _stated(text: str) -> list[str]:
    """Dates whose labels can be read in a line."""
    return [str(segment.field) for segment in cut_line(clean(text), 0) if segment.field in _DATED]


def _better(line: Line, context: Context, stated: frozenset[str]) -> Line:
    if not line.alternatives:
        return line
    own = _fit(line.text, context)
    if own is None:
        return _with_label(line, stated)
    if own.share >= 1.0:
        return line
    least = 0.0 if own.is_impossible else LEAST_SCORE
    fits = [
        (fit.share * (0.7 if fit.is_short else 1.0), -rank, other)
        for rank, other in enumerate(_ranked(line, least))
        if (fit := _fit(other.text, context)) is not None
    ]
    best = max(fits, key=lambda entry: entry[:2], default=None)
    return line if best is None or best[0] <= own.share else _exchanged(line, best[2])


def _ranked(line: Line, least: float) -> list[Alternative]:
    meant = [other for other in line.alternatives if other.score >= least]
    return sorted(meant, key=lambda other: -other.score)[:_MAX_ALTERNATIVES]


def _exchanged(line: Line, other: Alternative) -> Line:
    return replace(line, text=other.text, confidence=line.confidence * max(0.0, min(1.0, other.score)))


def _fit(text: str, context: Context) -> _Fit | None:
    """How a line that holds a place or dates fits; None if it holds neither."""
    fits: list[_Fit] = []
    segments = cut_line(clean(text), 0)
    if len(segments) == 1 and segments[0].field is None and _PLACE_SIGNS.search(text):
        return _Fit(read_place(text, context.cemetery_province).fit)  # the second line of a hometown
    for segment in segments:
        if segment.field == "hometown" and segment.text.strip():
            place = read_place(segment.text, context.cemetery_province)
            fits.append(_Fit(place.fit * (0.9 if "gazetteer_fix" in place.flags else 1.0)))
        elif segment.field in _DATED:
            reading = _date(segment)
            fits.append(_fit_of(reading))
    return min(fits, key=lambda fit: fit.share) if fits else None


def _fit_of(reading: DateReading) -> _Fit:
    """A date that was made whole from misread digits is nearly as good as one that needed nothing."""
    flags = set(reading.flags)
    if reading.value is None:
        return _Fit(0.0, bool(flags & _IMPOSSIBLE))
    whole = "X" not in reading.value and not flags & _SHORT
    share = 1.0 if not flags & _DOUBTFUL else 0.8 if flags & _DOUBTFUL == {"ocr_digit_fix"} and whole else 0.5
    return _Fit(share, bool(flags & _IMPOSSIBLE), bool(flags & _SHORT))


def _date(segment: Segment) -> DateReading:
    return read_date(segment.text, years=BIRTH_YEARS if segment.field == "birth" else WAR_YEARS)


def _with_label(line: Line, stated: frozenset[str]) -> Line:
    """A line with a number that no label explains, or another reading in which a label does and the number is the same.

    Only words are exchanged so, therefore however little the reader believes in them; but not for a date that another
    line states: S: 10-11-1969 on a stone with its birth is the death, though NS was a possible reading.
    """
    digits = _NOT_DIGIT.sub("", line.text)
    if len(digits) < _LEAST_DIGITS or any(segment.field for segment in cut_line(clean(line.text), 0)):
        return line
    for other in _ranked(line, 0.0):
        first = cut_line(clean(other.text), 0)[0]
        plain = first.field in _DATED and first.field not in stated and not first.misread_label
        if plain and _number_of(first.text) and digits.endswith(_number_of(other.text)):
            return _exchanged(line, other)
    return line


def _number_of(text: str) -> str:
    return _NOT_DIGIT.sub("", text)


def _in_order_of_life(lines: list[Line]) -> list[Line]:
    """The lines with one exchanged where birth, enlistment and death are in no possible order and another reading is.

    Of several the surest; where none mends the order, all stay and the record is flagged.
    """
    years = {field: (place, year) for place, field, year in _dated(lines)}
    if len(years) < 2 or _is_life({field: year for field, (_, year) in years.items()}):
        return lines
    found = [
        (other.score / max(line.confidence, LEAST_SCORE), place, other)
        for field, (place, _) in years.items()
        for line in [lines[place]]
        for other in _ranked(line, LEAST_SCORE)
        for _, named, year in _dated([replace(line, text=other.text)])
        if named == field and _is_life({name: at for name, (_, at) in years.items()} | {field: year})
    ]
    if not found:
        return lines
    _, place, other = max(found, key=lambda entry: entry[0])
    return [_exchanged(line, other) if at == place else line for at, line in enumerate(lines)]


def _dated(lines: Sequence[Line]) -> Iterator[tuple[int, str, int]]:
    """Place, field and year of lines that hold just one labelled date with a whole year."""
    for place, line in enumerate(lines):
        if not re.search(r"\d\d", line.text):
            continue
        segments = cut_line(clean(line.text), 0)
        if len(segments) == 1 and segments[0].field in _DATED:
            reading = _date(segments[0])
            if reading.year is not None and not _DOUBTFUL & set(reading.flags):
                yield place, str(segments[0].field), reading.year


def _is_life(years: dict[str, int]) -> bool:
    """Whether soldiers are born, enlist and fall in that order, 13 years old at the least."""
    birth, enlist, death = (years.get(field) for field in _DATED)
    grown = all(later is None or birth is None or later - birth >= _YOUNGEST for later in (enlist, death))
    return grown and (enlist is None or death is None or enlist <= death)
