"""What a backup says of itself: enough to know, after a restore, that nothing is missing and nothing was changed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ocr_service.database.models import AuditHead, Base
from ocr_service.database.revision import current_revision
from ocr_service.errors import StorageError, UsageError

FILE_NAME = "manifest.json"
FORMAT = 1
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What is in a database: its schema, the number of rows in each table, the end of the chain of decisions."""

    revision: str
    rows: Mapping[str, int]
    audit_length: int
    audit_hash: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One backup. ``dump_*`` are of the file of the database, ``names_sha256`` of the list of its objects.

    ``missing`` names objects that the database knows and the store could not give whole; none of a sound service.
    """

    created_at: str
    backend: str
    facts: DatabaseFacts
    dump_file: str
    dump_bytes: int
    dump_sha256: str
    names_sha256: str
    objects: int
    objects_bytes: int
    missing: tuple[str, ...] = ()
    format: int = FORMAT


def facts_of(session: Session) -> DatabaseFacts:
    """Count what is in a database. Raises ``StorageError`` for one that is not ours."""
    revision, head = current_revision(session), session.get(AuditHead, 1)
    if revision is None or head is None:
        raise StorageError(
            "this is no database of the service, or it has no tables yet; look at HEADSTONE_DATABASE_URL"
        )
    tables = Base.metadata.sorted_tables
    rows = {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
    return DatabaseFacts(revision, rows, head.length, head.hash)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """The manifest is the last file of a backup: a folder without one is a backup that was not finished."""
    text = json.dumps(dataclasses.asdict(manifest), indent=2, ensure_ascii=False)
    unfinished = folder / f".{FILE_NAME}"
    unfinished.write_text(text + "\n", "utf-8")
    unfinished.replace(folder / FILE_NAME)


def read_manifest(folder: Path) -> Manifest:
    """Raises ``UsageError`` where there is no backup, or one that this version cannot read."""
    try:
        found: dict[str, Any] = json.loads((folder / FILE_NAME).read_text("utf-8"))
        if found["format"] != FORMAT:
            raise UsageError(f"{folder} was written in format {found['format']}; use the version that wrote it")
        facts = DatabaseFacts(**found.pop("facts"))
        return Manifest(**found | {"facts": facts, "missing": tuple(found["missing"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{folder} holds no finished backup: {FILE_NAME} is missing or does not fit") from error


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
