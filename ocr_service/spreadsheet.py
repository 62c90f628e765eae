"""Readings as CSV for spreadsheet programs: one row a photo."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from ocr_service.certainty import certain_from
from ocr_service.errors import StorageError
from ocr_service.journal import write_atomically
from ocr_service.records import Field, Reading

CSV_COLUMNS = (
    "photo", "status", "reason", "kind", "name", "birth", "enlist", "death", "hometown", "rank", "position", "unit",
    "confidence", "flags", "sha256", "bundle",
)  # fmt: skip


def hometown_text(field: Field | None) -> str:
    """A hometown on one line: the parts as cut, most specific first."""
    if field is None or field.value is None:
        return ""
    if isinstance(field.value, str):
        return field.value
    parts = [field.value.get(part) for part in ("hamlet", "commune", "district", "province", "country")]
    return ", ".join(part for part in parts if part) or (field.raw or "")


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return str(value.get("raw") or json.dumps(value, ensure_ascii=False))
    return str(value)


def record_confidence(record: Mapping[str, Field]) -> float | None:
    """How sure the record is: the weakest of its name, death and hometown; None when none of them was read."""
    return min((field.confidence for field in _searched_fields(record).values()), default=None)


def record_is_certain(record: Mapping[str, Field]) -> bool:
    """Whether name, death and hometown, as far as they were read, are each certain."""
    known = _searched_fields(record)
    return bool(known) and all(field.confidence >= certain_from(name) for name, field in known.items())


def _searched_fields(record: Mapping[str, Field]) -> dict[str, Field]:
    return {
        name: field
        for name in ("name", "death", "hometown")
        if (field := record.get(name)) is not None and field.value is not None
    }


def csv_row(reading: Reading) -> dict[str, str]:
    """One reading as a row for spreadsheets, columns as in ``CSV_COLUMNS``; nested values by their text as cut."""
    record = reading.record
    row = {key: _text(field.value) for key in CSV_COLUMNS if (field := record.get(key)) is not None}
    confidence = record_confidence(record)
    flags = record.get("flags")
    row |= {
        "photo": reading.photo,
        "status": str(reading.status),
        "reason": str(reading.reason or ""),
        "hometown": hometown_text(record.get("hometown")),
        "confidence": "" if confidence is None else f"{confidence:.3f}",
        "flags": " ".join(flags.value) if flags is not None and flags.value else "",
        "sha256": reading.sha256,
        "bundle": reading.bundle,
    }
    return row


def harmless(text: str) -> str:
    """Return a cell that spreadsheet programs take for text: one that begins like a formula is run (CWE-1236)."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def csv_line(cells: Iterable[str]) -> str:
    """One line of a CSV file (RFC 4180) whose cells are all ``harmless``."""
    line = io.StringIO()
    csv.writer(line).writerow([harmless(cell) for cell in cells])
    return line.getvalue()


class _Echo:
    """A file that hands each written row back, so that csv can feed an iterator."""

    def write(self, text: str) -> str:
        return text


def _csv_lines(readings: Iterable[Reading]) -> Iterator[bytes]:
    writer = csv.DictWriter(cast(Any, _Echo()), CSV_COLUMNS, restval="")
    yield b"\xef\xbb\xbf"  # spreadsheet programs take UTF-8 for what it is only with the mark
    yield cast(str, writer.writeheader()).encode()
    for reading in readings:
        yield cast(str, writer.writerow({key: harmless(text) for key, text in csv_row(reading).items()})).encode()


def write_csv(path: Path, readings: Iterable[Reading]) -> None:
    """Writes readings as CSV (UTF-8 with mark, header row) in one atomic step. Raises StorageError."""
    try:
        write_atomically(path, _csv_lines(readings))
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from error
