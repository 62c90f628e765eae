"""The reader's other readings of a line, used where only one of them makes a place or a date that exists.

Reading a line twice may give ``Nam Sácn`` and ``Nam Sách``; the chain commune–district–province that exists beats the
best guess, and a date that exists one that does not. The line as read stays available in the reading; a record that
rests on another reading carries the flag ``chosen_alternative``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ocr_service.fields.dates import BIRTH_YEARS, WAR_YEARS, read_date
from ocr_service.fields.draft import LEAST_SCORE
from ocr_service.fields.labels import cut_line
from ocr_service.fields.places import read_place
from ocr_service.fields.text import clean
from ocr_service.records import Context, Line

_MAX_ALTERNATIVES = 4
_PLACE_SIGNS = re.compile(r"^[^\d]*[^\W\d_]\s*[-,]\s*[^\W\d_][^\d]*$")
_DATED = ("birth", "enlist", "death")


def choose(lines: Sequence[Line], context: Context) -> tuple[list[Line], bool]:
    """Lines with a reading exchanged where another fits and theirs does not; and whether any was."""
    chosen = [_better(line, context) for line in lines]
    return chosen, any(new.text != old.text for new, old in zip(chosen, lines, strict=True))


def _better(line: Line, context: Context) -> Line:
    if not line.alternatives:
        return line
    own = _fit(line.text, context)
    if own is None or own >= 1.0:
        return line
    meant = [other for other in line.alternatives if other.score >= LEAST_SCORE]
    ranked = sorted(meant, key=lambda other: -other.score)[:_MAX_ALTERNATIVES]
    fits = [(fit, -rank, other) for rank, other in enumerate(ranked) if (fit := _fit(other.text, context)) is not None]
    best = max(fits, key=lambda entry: entry[:2], default=None)
    if best is None or best[0] <= own:
        return line
    return replace(line, text=best[2].text, confidence=line.confidence * max(0.0, min(1.0, best[2].score)))


def _fit(text: str, context: Context) -> float | None:
    """How much of a line that holds a place or dates exists, 0 to 1; None if it holds neither."""
    fits: list[float] = []
    segments = cut_line(clean(text), 0)
    if len(segments) == 1 and segments[0].field is None and _PLACE_SIGNS.search(text):
        return read_place(text, context.cemetery_province).fit  # the second line of a hometown
    for segment in segments:
        if segment.field == "hometown" and segment.text.strip():
            place = read_place(segment.text, context.cemetery_province)
            fits.append(place.fit * (0.9 if "gazetteer_fix" in place.flags else 1.0))
        elif segment.field in _DATED:
            years = BIRTH_YEARS if segment.field == "birth" else WAR_YEARS
            reading = read_date(segment.text, years=years)
            doubtful = {"impossible_date", "impossible_solar_date", "illegible_year", "year_truncated", "ocr_digit_fix"}
            fits.append(0.0 if reading.value is None else 0.5 if doubtful & set(reading.flags) else 1.0)
    return min(fits) if fits else None
