"""The server's receipt: what it says it has, kept for the collector, and held against what was sent."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ocr_service.errors import StorageError, UsageError
from ocr_service.states import FileState
from ocr_service.upload.journal import Entry

_COLUMNS = ("path", "sha256", "state", "reason", "detail")
_WITHDRAWN = "withdrawn"  # refused under one path, whatever became of the bytes under another
_DIGEST = re.compile(rb"^# .*\bsha256=([0-9a-f]{64})$")


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A file as the receipt has it."""

    path: str
    sha256: str
    state: FileState
    reason: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """``confirmed`` are entries with the state that the receipt gives them; ``missing`` the server does not have."""

    confirmed: tuple[Entry, ...]
    missing: tuple[Entry, ...]


def parse_receipt(receipt: bytes) -> list[ReceiptRow]:
    """The rows of a receipt, whose last line holds the SHA-256 of all above it. Raises ``UsageError``."""
    body, mark, total = receipt.rstrip(b"\r\n").rpartition(b"\n")
    body += mark
    digest = _DIGEST.search(total)
    if digest is None or digest[1].decode() != hashlib.sha256(body).hexdigest():
        raise UsageError("the server's receipt does not fit its own checksum; run the same command again")
    rows = csv.DictReader(io.StringIO(body.decode(), newline=""))
    if not set(_COLUMNS) <= set(rows.fieldnames or ()):
        raise UsageError("the server's receipt has other columns than this program knows; renew one of the two")
    return [
        ReceiptRow(
            row["path"], row["sha256"], FileState(row["state"]), row["reason"], row["detail"] or row["reason"] or None
        )
        for row in rows
        if row["sha256"]
    ]


def compare(entries: Iterable[Entry], rows: Sequence[ReceiptRow]) -> Comparison:
    """Hold settled entries against a receipt. A file is there when its bytes are, whatever path they came under."""
    by_file = {(row.path, row.sha256): row for row in rows}
    judged = [row for row in rows if row.state is not FileState.ANNOUNCED and row.reason != _WITHDRAWN]
    by_bytes = {row.sha256: row for row in judged}
    confirmed, missing = [], []
    for entry in entries:
        row = by_file.get((entry.path, entry.sha256)) or by_bytes.get(entry.sha256)
        if row is None or row.state is FileState.ANNOUNCED:
            missing.append(entry)
        else:
            confirmed.append(replace(entry, state=row.state, detail=row.detail))
    return Comparison(tuple(confirmed), tuple(missing))


def save(path: Path, content: bytes) -> None:
    """Replace a file in one step: a run that is killed leaves the old one or the new. Raises ``StorageError``."""
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror}; make room and run the same command again"
        ) from error


def problems_csv(problems: Iterable[tuple[str, str, str]]) -> bytes:
    """A list of path, state and reason for spreadsheet programs (UTF-8 with its mark)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("path", "state", "reason"))
    # a cell that begins like a formula would be run (CWE-1236)
    writer.writerows([("'" + cell if cell[:1] in "=+-@" and cell else cell) for cell in row] for row in problems)
    return text.getvalue().encode("utf-8-sig")
