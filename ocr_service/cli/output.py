"""How results reach people and programs: tables on a terminal, tab-separated lines or JSON when piped."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from enum import StrEnum

from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from ocr_service.certainty import WEAK_BELOW
from ocr_service.contract import reading_to_line
from ocr_service.errors import StorageError
from ocr_service.records import Reading, ReadingStatus
from ocr_service.spreadsheet import csv_row, record_confidence, record_is_certain

COLUMNS = ("photo", "name", "hometown", "birth", "death", "confidence")


class OutputFormat(StrEnum):
    """What a command prints on standard output."""

    AUTO = "auto"
    TABLE = "table"
    PLAIN = "plain"
    JSON = "json"

    def resolve(self) -> OutputFormat:
        """Return the format to use: a table for a terminal, plain lines for a pipe, unless one was asked for."""
        if self is not OutputFormat.AUTO:
            return self
        return OutputFormat.TABLE if sys.stdout.isatty() else OutputFormat.PLAIN


def console() -> Console:
    """Return a console on standard output that does not squeeze tables where there is no terminal."""
    return Console(width=None if sys.stdout.isatty() else 140)


def emit(text: str) -> None:
    """Write to standard output at once.

    A reader that has gone (``headstone … | head``) is no error, a full disk is: StorageError.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # What is still buffered would fail again when Python flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise StorageError(f"cannot write to standard output: {error.strerror}; make room") from error


def _confidence(reading: Reading) -> Text:
    confidence = record_confidence(reading.record)
    if confidence is None:
        return Text("–", style="dim")
    style = "green" if record_is_certain(reading.record) else "yellow" if confidence >= WEAK_BELOW else "red"
    return Text(f"{confidence:.0%}", style=style)


def readings_table(readings: Iterable[Reading]) -> Table:
    """Return a table of photo, name, hometown, birth, death and confidence; unread photos show their reason."""
    table = Table(show_edge=False, header_style="bold", pad_edge=False)
    for column in COLUMNS:
        justify: JustifyMethod = "right" if column == "confidence" else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=column in ("photo", "confidence"))
    for reading in readings:
        row = csv_row(reading)
        if reading.status is ReadingStatus.REJECTED:
            reason = Text(f"{reading.reason}: {reading.detail}", style="red")
            table.add_row(Text(reading.photo), reason, "", "", "", Text("–", style="dim"))
            continue
        name = Text(row.get("name", "") or f"({row.get('kind', 'no text') or 'no text'})")
        cells = [Text(row.get(key, "")) for key in ("hometown", "birth", "death")]
        table.add_row(Text(reading.photo), name, *cells, _confidence(reading))
    return table


def print_readings(readings: Iterable[Reading], output: OutputFormat) -> None:
    """Print readings to standard output in a resolved format."""
    if output is OutputFormat.JSON:
        for reading in readings:
            emit(reading_to_line(reading) + "\n")
    elif output is OutputFormat.PLAIN:
        emit("\t".join((*COLUMNS, "status", "reason")) + "\n")
        for reading in readings:
            row = csv_row(reading)
            cells = (row.get(column, "") for column in (*COLUMNS, "status", "reason"))
            emit("\t".join(" ".join(cell.split()) for cell in cells) + "\n")
    else:
        console().print(readings_table(readings))
