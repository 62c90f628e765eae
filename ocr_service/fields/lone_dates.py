"""Dates that no readable label explains: given a sense only where their place and the other dates leave one.

Whatever is placed here carries the flag ``unlabelled_date``; a date whose sense stays open remains an unread line, with
the flag ``date_unassigned``, for a blank is better than a birth shown as a death.
"""

from __future__ import annotations

import re

from rapidfuzz.distance import Levenshtein

from ocr_service.fields.dates import BIRTH_YEARS, WAR_YEARS, DateReading, read_date
from ocr_service.fields.draft import Draft, Item
from ocr_service.fields.label_table import LETTERS, date_labels
from ocr_service.fields.misread_labels import likely_dates
from ocr_service.fields.text import fold, key

# The youngest soldier of the decree's rosters was 13; nobody lived beyond 110.
_SHORTEST_LIFE, _LONGEST_LIFE = 13, 110
# A year alone on a martyr's stone is the death; before 1945 it may as well be the birth.
_FIRST_LONE_DEATH = 1945
# Letters of the longest label of a date, with a letter too many.
_LABEL_LENGTH = 16
# How like a label the words before a date must be, and how much less like those of any other date. With every third
# letter of the labels exchanged at random 1 of 2361 was taken for another's, with every second 11 of 599, the rest of
# them for none's.
_LIKE, _MARGIN = 0.6, 0.1
_SURELY_LIKE = 0.7  # before anything else is known of the stone
_TODAY = 2035
_BEFORE_DATE = re.compile(r"^.*?(?=\d{1,2}\s*[./\-]|\d{4}|ng[aà]y\s*\d|th[aá]ng\s*\d|$)", re.I)
_DIGITS = re.compile(r"\d\d")
_SHORT_BEFORE = re.compile(
    r"^\W*(?P<cut>[^\W_](?:[./, \-]{0,2}[^\W\d_]){0,3})\W+(?=\d{1,2}\s*[./\-]|\d{4}|[Nn]g|[Tt]h|NG|TH)"
)


def place_lone_dates(draft: Draft) -> None:
    """Dates that stand alone on their line: of two a life apart the earlier is the birth; one is the death or birth."""
    readings = [(read_date(item.text), item) for item in draft.dates if not draft.is_doubtful(item)]
    dated = [(reading, item) for reading, item in readings if reading.year is not None]
    placed: list[Item] = []
    if len(dated) >= 2 and not draft.has("birth") and not draft.has("death"):
        first, last = sorted(dated[:2], key=lambda entry: str(entry[0].value))
        if _is_life(first[0].year, last[0].year):
            placed = [_put(draft, "birth", *first), _put(draft, "death", *last)]
    elif dated:
        slot = _slot(draft, dated[0][0].year)
        placed = [_put(draft, slot, *dated[0])] if slot else []
    left = [item for item in draft.dates if item not in placed]
    if left:
        draft.unread.extend(left)
        draft.flag("date_unassigned")


def place_unread_dates(draft: Draft) -> None:
    """Dates behind words nobody could read: placed where the words are like one label only and the years agree."""
    alone = frozenset(draft.dates)
    for item in tuple(draft.unread):
        if item in alone:
            continue
        reading = read_date(item.text)
        year = reading.year
        if year is None or not BIRTH_YEARS[0] <= year <= _last_death(draft) or len(_before(item.text)) > _LABEL_LENGTH:
            continue
        field = _likely_field(draft, item.text)
        if field and not draft.has(field) and "two_digit_year" not in reading.flags and _agrees(draft, field, year):
            _put(draft, field, reading, item)
            draft.unread.remove(item)
        else:
            draft.flag("date_unassigned")


def year_of(value: object) -> int | None:
    """Year of an EDTF value, if all its digits are known."""
    return int(value[:4]) if isinstance(value, str) and value[:4].isdigit() else None


def _put(draft: Draft, field: str, reading: DateReading, item: Item) -> Item:
    guessed = Item(field, item.text, item.lines, misread_label=True, stated=False)
    draft.put(field, reading.value, guessed, flags=(*reading.flags, "unlabelled_date"), fit=0.5)
    return item


def _is_life(birth: int | None, death: int | None) -> bool:
    return birth is not None and death is not None and _SHORTEST_LIFE <= death - birth <= _LONGEST_LIFE


def _slot(draft: Draft, year: int | None) -> str | None:
    """What the one date without words must be, None where that is open."""
    birth, death, enlist = (year_of(draft.value(name)) for name in ("birth", "death", "enlist"))
    if year is None:
        return None
    if not draft.has("death"):
        later = year >= (enlist or year)
        fits = _is_life(birth, year) if birth is not None else year >= _FIRST_LONE_DEATH
        return "death" if fits and later else None
    return "birth" if not draft.has("birth") and _is_life(year, death) else None


def _likely_field(draft: Draft, text: str) -> str | None:
    """The date whose label the words before the number are a misreading of, None where two are about as near.

    Of an abbreviation that may be several, those dates drop out that the stone has already.
    """
    short = _SHORT_BEFORE.match(text)
    if short:
        fields = [field for field in likely_dates(fold(short["cut"])) if not draft.has(field)]
        return fields[0] if len(fields) == 1 else None
    likeness = sorted(_likeness(text).items(), key=lambda entry: -entry[1])
    best = likeness[0][1] if likeness else 0.0
    fields = [field for field, like in likeness if best - like < _MARGIN]
    open_fields = [field for field in fields if not draft.has(field)]
    return open_fields[0] if best >= _LIKE and len(open_fields) == 1 else None


def _before(text: str) -> str:
    match = _BEFORE_DATE.match(text)
    return match.group().strip() if match else ""


def _likeness(text: str) -> dict[str, float]:
    """How like the labels of each date the words before the number are, 0 to 1; nothing for a few letters."""
    cut = key(_before(text).translate(LETTERS))
    if len(cut) < 4:
        return {}
    return {
        field: max(Levenshtein.normalized_similarity(cut, known) for known in labels)
        for field, labels in date_labels().items()
    }


def is_misread_date(text: str) -> bool:
    """Whether the words before a whole date or a year are like the label of some date."""
    if not _DIGITS.search(text) or max(_likeness(text).values(), default=0.0) < _SURELY_LIKE:
        return False
    return read_date(text).year is not None


def _last_death(draft: Draft) -> int:
    """Soldiers fell by the end of the wars; on other stones a death may be of our days."""
    return WAR_YEARS[1] if "liet" in draft.headed() else _TODAY


def _agrees(draft: Draft, field: str, year: int) -> bool:
    """Whether a year fits its field and the order birth, enlistment, death."""
    birth, enlist, death = (
        year if name == field else year_of(draft.value(name)) for name in ("birth", "enlist", "death")
    )
    first, last = BIRTH_YEARS if field == "birth" else (WAR_YEARS[0], _last_death(draft))
    ordered = enlist is None or death is None or enlist <= death
    grown = all(later is None or birth is None or later - birth >= _SHORTEST_LIFE for later in (enlist, death))
    return first <= year <= last and ordered and grown
