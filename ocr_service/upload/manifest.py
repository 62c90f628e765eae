"""What a spreadsheet says of the files of a folder: all of it is checked before the first byte is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ocr_service.errors import UsageError
from ocr_service.upload.columns import (
    AXES,
    Column,
    FileFacts,
    column_of,
    degrees,
    plot_of,
    taken_at,
    text_value,
)
from ocr_service.upload.folder import path_key
from ocr_service.upload.tables import Table, read_tables

_HEADING_ROWS = 10
"""Above the headings stand titles and dates, in few rows."""

_SHOWN = 50
_TEXTS = (Column.PLOT, *AXES, Column.CEMETERY, Column.PROVINCE, Column.COMMUNE, Column.COLLECTOR, Column.DEVICE)


class ManifestError(UsageError):
    """A manifest that does not fit; the message names every fault with its row, one a line, as far as they are few."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is said of files, by ``LocalFile.path``; ``unlisted`` are files of the folder that no row names."""

    facts: Mapping[str, FileFacts]
    unlisted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    place: str
    """``row 7``, with its sheet where there are several."""

    file: str
    facts: FileFacts


@dataclass(slots=True)
class _Faults:
    found: list[str] = field(default_factory=list)

    def add(self, place: str, what: str) -> None:
        self.found.append(f"{place}: {what}")

    def report(self, path: Path) -> None:
        """Raise ``ManifestError`` where something was found."""
        if not self.found:
            return
        shown = self.found[:_SHOWN]
        if len(self.found) > len(shown):
            shown.append(f"… and {len(self.found) - len(shown)} more")
        count = "1 fault" if len(self.found) == 1 else f"{len(self.found)} faults"
        raise ManifestError(f"the manifest {path} has {count}; nothing was sent\n" + "\n".join(shown))


def read_manifest(path: Path, paths: Sequence[str], *, now: datetime) -> Manifest:
    """A manifest held against the files of a folder (``LocalFile.path`` of each).

    A file is named by its path below the folder, or by its name alone where only one file has it; upper and lower case
    may differ. Raises ``ManifestError`` with all faults at once, ``UsageError`` where it cannot be read.
    """
    faults = _Faults()
    rows = _rows(read_tables(path), faults, now)
    if not rows and not faults.found:
        faults.add("row 1", "no row names a file; the headings need one called “file” (tệp, tên tệp, ảnh)")
    facts = _match(rows, _Names(paths), faults)
    faults.report(path)
    return Manifest(facts, tuple(path for path in paths if path not in facts))


def _rows(tables: Iterable[Table], faults: _Faults, now: datetime) -> list[_Row]:
    filled = [table for table in tables if table.rows]
    headed = [(table, at) for table in filled if (at := _heading_at(table)) is not None]
    rows = []
    for table, at in headed:
        sheet = f"sheet “{table.name}”, " if len(filled) > 1 else ""
        columns = _columns(table.rows[at], sheet, faults)
        for number, cells in table.rows[at + 1 :]:
            row = _row(f"{sheet}row {number}", columns, cells, faults, now)
            if row is not None:
                rows.append(row)
    for table in filled:
        # a sheet of notes beside the list is nobody's fault; a list whose file column has another name is
        if _heading_at(table) is None and _looks_like_a_list(table):
            place = f"sheet “{table.name}”, row {table.rows[0][0]}" if table.name else f"row {table.rows[0][0]}"
            faults.add(place, "no column names the files; call one “file” (tệp, tên tệp, ảnh)")
    return rows


def _heading_at(table: Table) -> int | None:
    for at, (_, cells) in enumerate(table.rows[:_HEADING_ROWS]):
        if sum(column_of(cell) is Column.FILE for cell in cells) >= 1:
            return at
    return None


def _looks_like_a_list(table: Table) -> bool:
    return any(sum(column_of(cell) is not None for cell in cells) > 1 for _, cells in table.rows[:_HEADING_ROWS])


def _columns(heading: tuple[int, tuple[str, ...]], sheet: str, faults: _Faults) -> list[Column | None]:
    number, cells = heading
    columns: list[Column | None] = []
    for at, cell in enumerate(cells):
        column = column_of(cell)
        if cell and column is None:
            faults.add(f"{sheet}row {number}", f"the column “{cell}” is not known; rename it, or remove it")
        elif column is not None and column is not Column.IGNORED and column in columns:
            faults.add(
                f"{sheet}row {number}", f"the column “{cell}” is there twice ({columns.index(column) + 1}, {at + 1})"
            )
        columns.append(column)
    return columns


def _row(
    place: str, columns: Sequence[Column | None], cells: Sequence[str], faults: _Faults, now: datetime
) -> _Row | None:
    given: dict[Column, str] = {}
    for at, cell in enumerate(cells):
        column = columns[at] if at < len(columns) else None
        if cell and column is None:
            faults.add(place, f"“{cell[:40]}” stands in column {at + 1}, which has no heading")
        elif cell and column is not None:
            given[column] = cell
    file = given.get(Column.FILE)
    if file is None:
        if set(given) - {Column.IGNORED}:
            faults.add(place, "no file is named")
        return None
    return _Row(place, file, _facts(place, given, faults, now))


def _facts(place: str, given: Mapping[Column, str], faults: _Faults, now: datetime) -> FileFacts:
    texts: dict[Column, str] = {}
    for column in _TEXTS:
        try:
            texts[column] = text_value(given.get(column, ""))
        except ValueError as error:
            faults.add(place, f"{column.value} {error}")
    parts = plot_of(texts)
    if parts and texts.get(Column.PLOT):
        faults.add(place, "the plot is given twice: whole, and by its parts (khu, lô, hàng, ô, mộ)")
    when = None
    latitude_deg = longitude_deg = None
    try:
        when = taken_at(given[Column.TAKEN_AT], now=now) if Column.TAKEN_AT in given else None
    except ValueError as error:
        faults.add(place, str(error))
    try:
        latitude_deg = degrees(90)(given[Column.LATITUDE]) if Column.LATITUDE in given else None
        longitude_deg = degrees(180)(given[Column.LONGITUDE]) if Column.LONGITUDE in given else None
    except ValueError as error:
        faults.add(place, str(error))
    else:
        if (latitude_deg is None) != (longitude_deg is None):
            faults.add(place, "latitude and longitude belong together; one of them is missing")
    return FileFacts(
        plot=texts.get(Column.PLOT) or parts or None,
        cemetery=texts.get(Column.CEMETERY) or None,
        province=texts.get(Column.PROVINCE) or None,
        commune=texts.get(Column.COMMUNE) or None,
        collector=texts.get(Column.COLLECTOR) or None,
        device=texts.get(Column.DEVICE) or None,
        taken_at=when,
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
    )


class _Names:
    """The files of a folder by the names that people write: exact first, then in any case, then without folders."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._exact = set(paths)
        self._folded: dict[str, list[str]] = {}
        self._bare: dict[str, list[str]] = {}
        for path in paths:
            self._folded.setdefault(path.casefold(), []).append(path)
            self._bare.setdefault(path.rpartition("/")[2].casefold(), []).append(path)

    def find(self, written: str) -> list[str]:
        """The paths that may be meant."""
        key = path_key(written)
        if key in self._exact:
            return [key]
        found = self._folded.get(key.casefold(), [])
        return found or ([] if "/" in key else self._bare.get(key.casefold(), []))


def _match(rows: Iterable[_Row], names: _Names, faults: _Faults) -> dict[str, FileFacts]:
    facts: dict[str, FileFacts] = {}
    named_in: dict[str, str] = {}
    for row in rows:
        found = names.find(row.file)
        if not found:
            faults.add(row.place, f"the file “{row.file}” is not in the folder")
        elif len(found) > 1:
            shown = ", ".join(found[:3])
            faults.add(row.place, f"“{row.file}” may be {len(found)} files ({shown}); write the path below the folder")
        elif found[0] in named_in:
            faults.add(row.place, f"the file “{found[0]}” is listed already in {named_in[found[0]]}")
        else:
            facts[found[0]] = row.facts
            named_in[found[0]] = row.place
    return facts
