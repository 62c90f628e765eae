"""Spreadsheets as rows of text: CSV as people save it, and XLSX."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from ocr_service.errors import UsageError

_MAX_BYTES = 256 * 1024**2
"""A row of two million files has 100 bytes; what is larger is no list of photos."""

_DELIMITERS = (",", ";", "\t")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet: its name (empty in a CSV) and its rows that are not empty, each with its number as people see it."""

    name: str
    rows: Sequence[tuple[int, tuple[str, ...]]]


def read_tables(path: Path) -> list[Table]:
    """All sheets of a CSV or XLSX file; cells are stripped text, dates in ISO 8601. Raises ``UsageError``."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"the manifest {path} cannot be read: {error.strerror}") from error
    if len(data) > _MAX_BYTES:
        raise UsageError(f"the manifest {path} is larger than {_MAX_BYTES // 1024**2} MiB; give a list of photos")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise UsageError(f"the manifest {path} is an old or locked Excel file; save it as .xlsx or as CSV UTF-8")
    return _xlsx(path, data) if data.startswith(b"PK\x03\x04") else [_csv(path, data)]


def _csv(path: Path, data: bytes) -> Table:
    try:
        text = data.decode("utf-16" if data.startswith(_UTF16_MARKS) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"the manifest {path} is not UTF-8; save it as “CSV UTF-8” or as .xlsx") from error
    if "\0" in text:
        raise UsageError(f"the manifest {path} is no text; give a CSV or XLSX file")
    delimiter = _delimiter(text)
    if text[:4].lower() == "sep=":  # Excel's own first line, which it does not show
        text = text.partition("\n")[2]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    try:
        for number, cells in enumerate(reader, 1):  # rows, not lines: quoted cells may hold line ends
            if any(cell.strip() for cell in cells):
                rows.append((number, tuple(_clean(cell) for cell in cells)))
    except csv.Error as error:
        raise UsageError(f"the manifest {path} breaks off in line {reader.line_num}: {error}") from error
    return Table("", rows)


def _delimiter(text: str) -> str:
    """The sign that parts cells: named in the first line, or the most frequent one of the first lines."""
    if text[:4].lower() == "sep=" and text[4:5]:
        return text[4]
    head = "\n".join(text.splitlines()[:10])
    return max(_DELIMITERS, key=head.count)


def _xlsx(path: Path, data: bytes) -> list[Table]:
    import openpyxl

    try:
        workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        try:
            return [
                Table(sheet.title, list(_rows(sheet.iter_rows(values_only=True))))
                for sheet in workbook.worksheets
                if sheet.sheet_state == "visible"
            ]
        finally:
            workbook.close()
    except Exception as error:  # the library raises whatever its parsers do on a damaged file
        raise UsageError(
            f"the manifest {path} cannot be read as XLSX ({type(error).__name__}); save it anew, or as CSV UTF-8"
        ) from error


def _rows(rows: Iterator[tuple[object, ...]]) -> Iterator[tuple[int, tuple[str, ...]]]:
    for number, cells in enumerate(rows, 1):
        texts = tuple(_text(cell) for cell in cells)
        if any(texts):
            yield number, texts


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ", "seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # spreadsheets keep every number as a float: row 3 is no row 3.0
    return _clean(str(cell))


def _clean(text: str) -> str:
    return " ".join(text.split())
