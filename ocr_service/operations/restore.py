"""Brings a backup back, and proves by a drill that it could be."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import inspect, make_url

from ocr_service.database import connect_database
from ocr_service.database.audit import verify_audit_chain
from ocr_service.errors import StorageError, UsageError
from ocr_service.operations import postgresql
from ocr_service.operations.backup import NAMES, objects_of, reading_of
from ocr_service.operations.copying import copy_objects, damaged_objects
from ocr_service.operations.manifest import Manifest, facts_of, read_manifest, sha256_of
from ocr_service.storage import ObjectStore


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back; ``problems`` says what does not agree with the manifest, one line each."""

    manifest: Manifest
    problems: tuple[str, ...]


def restore(backup: Path, database_url: str, store: ObjectStore) -> Restored:
    """Fill an empty database and a store from one backup's folder, then compare both with its manifest.

    Objects come first and the database last, in one transaction: a restore that is cut short can be run again.
    Raises ``UsageError`` where the database is not empty, ``StorageError`` where the backup is damaged.
    """
    manifest = _sound(backup)
    _require_empty(database_url)
    store.prepare()
    copied = copy_objects(backup / NAMES, objects_of(backup.parent), store)
    _fill(backup / manifest.dump_file, manifest.backend, database_url)
    return Restored(manifest, (*_lost(copied.missing, manifest), *_differences(database_url, manifest)))


def drill(backup: Path, database_url: str) -> Restored:
    """Restore the database into a scratch place, compare it with the manifest, and look at every object's bytes.

    ``database_url`` is the database in use: a scratch one is made beside it on PostgreSQL. Objects are not copied: they
    lie in the backup as they would be restored.
    """
    manifest = _sound(backup)
    missing = damaged_objects(backup / NAMES, objects_of(backup.parent))
    with _scratch(manifest.backend, database_url) as scratch:
        _fill(backup / manifest.dump_file, manifest.backend, scratch)
        return Restored(manifest, (*_lost(missing, manifest), *_differences(scratch, manifest)))


def _sound(backup: Path) -> Manifest:
    manifest = read_manifest(backup)
    for name, expected in ((manifest.dump_file, manifest.dump_sha256), (NAMES, manifest.names_sha256)):
        try:
            actual = sha256_of(backup / name)
        except OSError as error:
            raise StorageError(f"{backup / name}: {error.strerror}; use another backup") from error
        if actual != expected:
            raise StorageError(f"{backup / name} is not what was written (SHA-256 differs); use another backup")
    return manifest


def _require_empty(url: str) -> None:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if Path(str(parsed.database)).exists():
            raise UsageError(f"{parsed.database} is there already; restore into a new data folder (HEADSTONE_DATA_DIR)")
        return
    with reading_of(url) as session:
        tables = inspect(session.connection()).get_table_names()
    if tables:
        raise UsageError(f"the database {parsed.database} has tables already; make an empty one and name that")


def _fill(dump: Path, backend: str, url: str) -> None:
    parsed = make_url(url)
    if parsed.get_backend_name() != backend:
        raise UsageError(f"this is a backup of {backend}, and HEADSTONE_DATABASE_URL names {parsed.get_backend_name()}")
    if backend == "postgresql":
        postgresql.restore(url, dump)
        return
    target = Path(str(parsed.database))
    unfinished = target.with_name(f".{target.name}.restoring")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(dump, unfinished)
        unfinished.replace(target)
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error.strerror}; make room") from error


def _differences(url: str, manifest: Manifest) -> Iterator[str]:
    database = connect_database(url)
    try:
        with database.reading() as session:
            found, chain = facts_of(session), verify_audit_chain(session)
    finally:
        database.close()
    expected = manifest.facts
    if found.revision != expected.revision:
        yield f"the schema is at revision {found.revision}, not {expected.revision}"
    for table in sorted(set(found.rows) | set(expected.rows)):
        if found.rows.get(table) != expected.rows.get(table):
            yield f"{table} has {found.rows.get(table)} rows, not {expected.rows.get(table)}"
    if not chain.intact:
        yield f"the audit chain is broken: {chain.problem}"
    if (found.audit_length, found.audit_hash) != (expected.audit_length, expected.audit_hash):
        yield "the audit chain ends elsewhere than when the backup was taken"


def _lost(missing: tuple[str, ...] | list[str], manifest: Manifest) -> Iterator[str]:
    known = set(manifest.missing)
    yield from (f"object {sha256} was missing already when the backup was taken" for sha256 in manifest.missing)
    yield from (f"object {sha256} is missing or damaged in the backup" for sha256 in missing if sha256 not in known)


@contextmanager
def _scratch(backend: str, database_url: str) -> Iterator[str]:
    if backend == "postgresql":
        with postgresql.scratch_database(database_url) as url:
            yield url
        return
    with tempfile.TemporaryDirectory(prefix="headstone-drill-") as folder:
        yield f"sqlite:///{folder}/database.sqlite3"
