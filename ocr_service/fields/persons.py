"""Rows of name boards and collective stones: number, name, year of birth, hometown, date of death, in any order."""

from __future__ import annotations

import re
from typing import Any

from ocr_service.fields.dates import read_date
from ocr_service.fields.kinds import is_unknown_wording
from ocr_service.fields.names import begins_with_surname, looks_like_name, read_name
from ocr_service.fields.places import known_place, read_place
from ocr_service.fields.positions import read_position
from ocr_service.fields.ranks import read_rank
from ocr_service.fields.text import squeeze
from ocr_service.fields.units import read_unit

_NUMBERED = re.compile(r"^\s*(?P<no>\d{1,4})\s*(?:[.):|\-]+|\s{2,}|\t|\s(?=[^\W\d_]))\s*(?P<rest>.+)$")
_CELLS = re.compile(r"\s*\|\s*|\t+|\s{2,}|\s+-\s+|\s*;\s*|,\s+|\s+(?=(?:18|19)\d\d(?!\d))|(?<=\d{4})\s+")
_YEAR_PAIR = re.compile(r"\(?\s*(?P<birth>(?:18|19)\d\d)\s*-\s*(?P<death>(?:19|20)\d\d)\s*\)?")


def is_person_row(text: str, *, listing: bool) -> bool:
    """Whether a line is one person of a list: numbered, or in a list, a name followed by cells."""
    numbered = _NUMBERED.match(text)
    if numbered:
        rest = numbered["rest"]
        first = _CELLS.split(rest)[0]
        return (
            is_unknown_wording(rest)
            or begins_with_surname(first)
            or (looks_like_name(first) and not numbered["no"].startswith("0000"))
        )
    return listing and begins_with_surname(text) and looks_like_name(_CELLS.split(text)[0])


def read_person(text: str, cemetery_province: str | None = None) -> dict[str, Any]:
    """One row as a mapping: name, birth, death, hometown, rank, unit; ``kind`` unknown where the row says so."""
    numbered = _NUMBERED.match(text)
    rest = numbered["rest"] if numbered else text
    if is_unknown_wording(rest):
        return {"name": None, "kind": "unknown"}
    person: dict[str, Any] = {}
    pair = _YEAR_PAIR.search(rest)
    if pair:
        person |= {"birth": pair["birth"], "death": pair["death"]}
        rest = rest[: pair.start()] + " - " + rest[pair.end() :]
    cells = [cell.strip(" .,()") for cell in _CELLS.split(rest) if cell.strip(" .,()-")]
    if not cells:
        return {"name": None}
    reading = read_name(cells[0])
    person |= {"name": reading.name, "name_raw": reading.raw} if reading.raw else {"name": None}
    if reading.aliases:
        person["aliases"] = list(reading.aliases)
    places = [cell for cell in cells[1:] if not _fact(person, cell)]
    if places:
        place = read_place(" - ".join(places), cemetery_province)
        person["hometown"] = dict(place.value) | {"raw": squeeze(" - ".join(places))}
    return person


def _fact(person: dict[str, Any], cell: str) -> bool:
    """Record a date, rank, post or unit of a row. False if the cell is none of them."""
    bare = re.sub(r"(?i)^\s*(?:sn|hs|sinh|hy sinh|năm sinh|quê|qq|nq|quê quán)\s*:?\s+", "", cell)
    if re.search(r"\d", bare) and not re.search(r"[^\W\d_]{3}", bare):
        unit = read_unit(bare)
        if unit.chain and unit.chain[0][0] is not None:
            person["unit"] = unit.raw
            return True
        reading = read_date(bare)
        if reading.value is None:
            return False
        finding_death = "birth" in person or len(reading.value) == 10 or re.match(r"(?i)\s*(?:hs|hy)", cell) is not None
        person.setdefault("death" if finding_death else "birth", reading.value)
        return True
    if re.match(r"(?i)\s*(?:hs|hy sinh|sn|sinh)\b", cell) and re.search(r"\d", cell):
        reading = read_date(bare)
        person.setdefault("death" if cell.strip().lower().startswith("h") else "birth", reading.value)
        return True
    rank = read_rank(bare, labelled=False)
    if rank and rank.code:
        person["rank"] = rank.code
        return True
    position = read_position(bare, labelled=False)
    if position and not known_place(bare):
        person["position"] = position.code
        return True
    return False
