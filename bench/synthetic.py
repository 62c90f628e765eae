"""Databases with many rows that nobody ever photographed, to see how the store carries millions."""

from __future__ import annotations

from sqlalchemy import text

from ocr_service.contract import reading_to_line
from ocr_service.database import Database
from ocr_service.records import PhotoType, Reading, ReadingStatus

_SLICE = 100_000
"""Rows in one transaction: few enough for SQLite's log to stay small."""

_WORDING = {
    "sqlite": {"sha256": "lower(hex(randomblob(32)))", "document": ":document"},
    "postgresql": {"sha256": "encode(sha256(random()::text::bytea), 'hex')", "document": "CAST(:document AS JSONB)"},
}

_EMPTY = reading_to_line(Reading("", "", ReadingStatus.READ, photo_type=PhotoType.HEADSTONE))

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT CAST(:first AS INTEGER) UNION ALL SELECT i + 1 FROM n WHERE i < :last)"

_AT = "'2026-04-30 08:00:00.000000'"

_BATCHES = f"""
{_NUMBERS} INSERT INTO batches (id, label, created_by, created_at, priority)
SELECT i, 'hàng ' || i, 'thu', {_AT}, 1 FROM n"""

_PHOTOS = f"""
{_NUMBERS} INSERT INTO photos (id, sha256, size_bytes, filename, batch_id, context, received_at, received_by, state,
                               attempts, lease_token, changed_at, priority)
SELECT i, {{sha256}}, 200000, 'IMG_' || i || '.jpg', 1 + (i - 1) / :batch_size, '{{{{}}}}', {_AT}, 'thu',
       CASE WHEN i > :done THEN 'received' WHEN i % 2 = 0 THEN 'verified' ELSE 'in_verification' END,
       CASE WHEN i > :done THEN 0 ELSE 1 END, CASE WHEN i > :done THEN 0 ELSE 1 END, {_AT}, 1 FROM n"""

_ARRIVALS = f"""
{_NUMBERS} INSERT INTO arrivals (id, photo_id, batch_id, filename, duplicate, path, sha256, size_bytes, at, by)
SELECT i, id, batch_id, filename, false, 'A/' || filename, sha256, size_bytes, received_at, 'thu'
FROM n JOIN photos ON id = i"""

_READINGS = f"""
{_NUMBERS} INSERT INTO readings (id, photo_id, bundle, document, at)
SELECT i, i, 'synthetic@1', {{document}}, {_AT} FROM n WHERE i <= :done"""

_RECORDS = f"""
{_NUMBERS} INSERT INTO records (id, photo_id, reading_id, state, verified, version, fields, created_at, name_key,
                                hometown_key, search_key)
SELECT i, i, i, CASE WHEN i % 2 = 0 THEN 'accepted' ELSE 'draft' END, i % 2 = 0, 1, '{{{{}}}}', {_AT},
       ' nguyen van ' || i, ' tan phu', ' nguyen van ' || i || ' tan phu' FROM n WHERE i <= :done"""

_SHOTS = f"""
{_NUMBERS} INSERT INTO shots (photo_id, best_photo_id, at)
SELECT i, i - 1, {_AT} FROM n WHERE i <= :done AND i % 3 = 0"""


def fill(database: Database, photos: int, *, waiting: int, batch_size: int = 10_000, arrivals: bool = False) -> None:
    """Put ``photos`` into an empty database, of which the last ``waiting`` wait to be read.

    The others have a reading and a draft or an accepted record each, without anything in them; every third is a further
    shot of the grave before it.
    """
    dialect = database.engine.dialect.name
    tables = [_PHOTOS, _READINGS, _RECORDS, _SHOTS, *([_ARRIVALS] if arrivals else [])]
    given = {"done": photos - waiting, "batch_size": batch_size, "document": _EMPTY}
    with database.writing() as session:
        session.execute(text(_BATCHES), {"first": 1, "last": 1 + (photos - 1) // batch_size})
    for first in range(1, photos + 1, _SLICE):
        with database.writing() as session:
            for statement in tables:
                numbers = {"first": first, "last": min(first + _SLICE - 1, photos)}
                session.execute(text(statement.format(**_WORDING[dialect])), given | numbers)
    if dialect == "postgresql":
        _as_if_by_hand(database)


def _as_if_by_hand(database: Database) -> None:
    """Ids go on after the last, and the planner knows what is there."""
    tables = ("batches", "photos", "arrivals", "readings", "records")
    with database.writing() as session:
        for table in tables:
            last = f"SELECT coalesce(max(id), 0) + 1 FROM {table}"
            session.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), ({last}), false)"))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE)"))
