"""A table of decoded unit codes, as the army's decoding results may be imported. The project ships none.

One row is one answer: this code, in use from one date to another in one theatre, meant that unit, says that source.
The same code meant other units at other times, so a question needs the code and the date.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ocr_service.errors import UsageError
from ocr_service.fields.text import key
from ocr_service.records import Field

_COLUMNS = ("code", "from", "to", "place", "meaning", "source")


@dataclass(frozen=True, slots=True)
class Decode:
    """One decoded code; ``first`` and ``last`` are ISO dates or years, empty for unknown."""

    code: str
    first: str
    last: str
    place: str
    meaning: str
    source: str

    def covers(self, day: str | None) -> bool:
        """Whether a date (EDTF, as precise as known) may fall into the time of this answer."""
        if not day:
            return True
        return (not self.first or day >= self.first[: len(day)]) and (
            not self.last or day[: len(self.last)] <= self.last
        )


@dataclass(frozen=True, slots=True)
class DecodeTable:
    """Decodes by code; empty by default."""

    rows: tuple[Decode, ...] = ()

    def lookup(self, code: str, day: str | None = None, place: str | None = None) -> tuple[Decode, ...]:
        """Every answer that fits the code, and the day and place where they are known; several are all returned."""
        wanted, where = key(code), key(place) if place else ""
        return tuple(
            row
            for row in self.rows
            if key(row.code) == wanted and row.covers(day) and (not where or not row.place or key(row.place) == where)
        )


def with_decodes(record: dict[str, Field], table: DecodeTable) -> dict[str, Field]:
    """The record with every answer of the table for its unit's codes, its day of death and theatre, in ``decode``."""
    unit, death = record.get("unit"), record.get("death")
    if not table.rows or unit is None or not isinstance(unit.value, Mapping):
        return record
    codes = [*str(unit.value.get("theatre_code") or "").split("/"), unit.value.get("mailbox") or ""]
    codes += [number for level, number in unit.value.get("chain") or () if level is None]
    day = death.value if death is not None else None
    theatre = next((number for level, number in unit.value.get("chain") or () if level == "chien_truong"), None)
    rows = [row for code in codes if code for row in table.lookup(code, day, theatre)]
    if not rows:
        return record
    answers = [{"code": row.code, "meaning": row.meaning, "source": row.source} for row in dict.fromkeys(rows)]
    return record | {"unit": replace(unit, value=dict(unit.value) | {"decode": answers})}


def read_decodes(path: Path) -> DecodeTable:
    """Import a UTF-8 CSV with the columns code, from, to, place, meaning, source.

    Raises:
        UsageError: the file cannot be read, a column is missing, or a row has no code, meaning or source.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise UsageError(f"{path}: add the column {', '.join(missing)}")
            return DecodeTable(tuple(_rows(path, reader)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"the table of decoded unit codes {path} cannot be read: {error}") from error


def _rows(path: Path, reader: Iterable[dict[str, str]]) -> Iterable[Decode]:
    for number, row in enumerate(reader, 2):
        values = [(row[column] or "").strip() for column in _COLUMNS]
        if not (values[0] and values[4] and values[5]):
            raise UsageError(f"{path}, line {number}: give code, meaning and source")
        yield Decode(*values)
