"""A database of the version before keeps every record, and ends with the schema of one that was made today."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic.command import downgrade
from sqlalchemy import Connection, Engine, MetaData, create_engine, inspect, select, text
from sqlalchemy.exc import DBAPIError

from ocr_service import intake, verification
from ocr_service.database import open_database
from ocr_service.database.documents import fields_from_document
from ocr_service.database.engine import migration_config, upgrade_schema
from ocr_service.database.models import Base
from ocr_service.states import PhotoState, Priority, RecordState, Verdict
from ocr_service.verification.decisions import digest_of

BEFORE = "0002"
AT = datetime(2026, 3, 1, 8, 30, 0, 123456, tzinfo=UTC)
FIELD = {
    "raw": "NGUYỄN VĂN MẪU", "value": "Nguyễn Văn Mẫu", "on_record": None, "confidence": 0.93, "lines": [0],
    "flags": [], "decided_by": None,
}  # fmt: skip
READING = {
    "photo": "a.jpg", "sha256": None, "status": "read", "reason": None, "detail": None, "photo_type": "headstone",
    "size_px": [10, 10], "stone_quads": [], "lines": [], "record": {}, "quality": [], "timings_ms": {}, "bundle": "t@1",
    "engine": None,
}  # fmt: skip
DECIDED = {  # state of a record: of its photo
    RecordState.DRAFT: PhotoState.IN_VERIFICATION,
    RecordState.ACCEPTED: PhotoState.VERIFIED,
    RecordState.CORRECTED: PhotoState.VERIFIED,
    RecordState.CANNOT_READ: PhotoState.CANNOT_READ,
    RecordState.NOT_A_HEADSTONE: PhotoState.NOT_A_HEADSTONE,
}
VERDICTS = {RecordState.ACCEPTED: Verdict.ACCEPT, RecordState.CORRECTED: Verdict.CORRECT}

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def old_url(empty_url: str) -> str:
    """A database of the version before, with rows in every state and decisions on some."""
    upgrade_schema(empty_url, BEFORE)
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        tables = MetaData()
        tables.reflect(connection)
        for name, rows in old_rows().items():
            for row in rows:
                connection.execute(tables.tables[name].insert(), row)
        chain = list(decisions())
        for row in chain:
            connection.execute(tables.tables["decisions"].insert(), row)
        connection.execute(tables.tables["audit_head"].update(), {"length": len(chain), "hash": chain[-1]["hash"]})
    engine.dispose()
    return empty_url


def old_rows() -> Rows:
    unread = [PhotoState.RECEIVED, PhotoState.READING, PhotoState.REJECTED, PhotoState.FAILED]
    states = [*unread, *DECIDED.values()]
    read = range(len(unread) + 1, len(states) + 1)
    photos = [
        {
            "sha256": f"{number:064x}", "size_bytes": 10, "filename": f"ảnh {number}.jpg", "batch_id": 1,
            "cemetery_id": 1, "grave_id": 1, "context": {"cemetery": "NTLS Tân Phú", "plot": "A1"}, "received_at": AT,
            "received_by": "thu", "state": str(state), "reason": "truncated" if state == "rejected" else None,
            "attempts": 1, "lease_token": number, "lease_owner": "w1" if state == "reading" else None,
            "lease_until": AT if state == "reading" else None, "changed_at": AT,
        }
        for number, state in enumerate(states, 1)
    ]  # fmt: skip
    records = [
        {
            "photo_id": photo_id, "reading_id": at, "grave_id": 1, "cemetery_id": 1, "state": str(state),
            "verified": DECIDED[state] == "verified", "version": 1 if state == "draft" else 2,
            "fields": {"name": FIELD}, "created_at": AT, "name_key": " nguyen van mau", "hometown_key": "",
            "search_key": " nguyen van mau", "decided_at": None if state == "draft" else AT,
            "decided_by": None if state == "draft" else "lan",
        }
        for at, (photo_id, state) in enumerate(zip(read, DECIDED, strict=True), 1)
    ]  # fmt: skip
    arrival = {"batch_id": 1, "filename": "a.jpg", "duplicate": False, "at": AT, "by": "thu"}
    return {
        "cemeteries": [
            {
                "name": "NTLS Tân Phú",
                "name_key": "ntls tan phu",
                "province_key": "",
                "commune_key": "",
                "created_at": AT,
            }
        ],
        "graves": [{"cemetery_id": 1, "plot": "A1", "plot_key": "a1", "created_at": AT}],
        "batches": [{"label": "hàng 3", "created_by": "thu", "created_at": AT}],
        "photos": photos,
        "arrivals": [
            *({**arrival, "photo_id": photo_id} for photo_id in range(1, len(photos) + 1)),
            {**arrival, "photo_id": 1, "duplicate": True},
            {**arrival, "photo_id": None, "reason": "not_an_image", "detail": "No picture."},
        ],
        "readings": [{"photo_id": photo_id, "bundle": "t@1", "document": READING, "at": AT} for photo_id in read],
        "shots": [{"photo_id": read[1], "best_photo_id": read[0], "at": AT}],
        "records": records,
    }


def decisions() -> Iterator[dict[str, Any]]:
    """One for each record that is no draft, chained as the description of the audit log says."""
    previous = "0" * 64
    for record_id, state in enumerate(DECIDED, 1):
        if state is RecordState.DRAFT:
            continue
        row = {
            "record_id": record_id, "action": f"action {record_id}", "undoes": None, "version": 2, "at": AT,
            "reviewer": "lan", "verdict": str(VERDICTS.get(state, state)), "field": "state", "before": "draft",
            "after": str(state), "reason": "nhìn rõ", "prev_hash": previous,
            "evidence": {"fields_sha256": digest_of(fields_from_document({"name": FIELD}))},
        }  # fmt: skip
        content = json.dumps(
            {**row, "at": AT.isoformat(timespec="microseconds")},
            ensure_ascii=False, sort_keys=True, separators=(",", ":"),
        )  # fmt: skip
        previous = hashlib.sha256(content.encode()).hexdigest()
        yield {**row, "hash": previous}


def rows_of(connection: Connection, columns: Mapping[str, list[str]]) -> Rows:
    tables = MetaData()
    tables.reflect(connection)
    return {
        name: [
            dict(row._mapping)
            for row in connection.execute(
                select(*(tables.tables[name].c[column] for column in names)).order_by(tables.tables[name].c[names[0]])
            )
        ]
        for name, names in columns.items()
    }


def columns_of(connection: Connection) -> dict[str, list[str]]:
    found = inspect(connection)
    return {
        name: [column["name"] for column in found.get_columns(name)]
        for name in sorted(found.get_table_names())
        if name != "alembic_version"
    }


def test_an_upgrade_keeps_every_row_as_it_was(old_url: str) -> None:
    engine = create_engine(old_url)
    with engine.connect() as connection:
        columns = columns_of(connection)
        before = rows_of(connection, columns)
    assert all(before.values())
    open_database(old_url).close()
    with engine.connect() as connection:
        assert rows_of(connection, columns) == before
    with engine.begin() as connection:
        downgrade(migration_config(connection), BEFORE)
    with engine.connect() as connection:
        assert columns_of(connection).keys() == columns.keys()
        assert rows_of(connection, columns) == before
    engine.dispose()


def test_work_goes_on_where_the_version_before_left_it(old_url: str, now: datetime) -> None:
    database = open_database(old_url)
    with database.reading() as session:
        assert verification.verify_audit_chain(session).intact
        new_since = {PhotoState.FURTHER_SHOT: 0}
        counts = dict.fromkeys(PhotoState, 1) | {PhotoState.VERIFIED: 2} | new_since
        assert intake.count_photos(session) == counts
        draft = verification.get_record(session, 1)
        assert (draft.state, draft.fields["name"].value) == (RecordState.DRAFT, "Nguyễn Văn Mẫu")
        assert [(one.photo_id, one.filename) for one in draft.other_shots] == [(6, "ảnh 6.jpg")]
    with database.writing() as session:
        assert intake.photos_to_publish(session, window=9, stale_s=60, limit=9, now=now)[Priority.BULK] == [1]
        claims = intake.claim_photos(session, "w2", limit=9, lease_s=60, max_attempts=3, now=now)
        assert [(one.photo_id, one.token) for one in claims] == [(1, 2), (2, 4)]
        assert intake.group_shots(session) == 0
        verification.decide(session, 1, Verdict.CANNOT_READ, reviewer="lan", expected_version=1)
        assert verification.verify_audit_chain(session).intact
        again = intake.retry(session, 3, now=now)
        assert (again.state, again.reason) == (PhotoState.RECEIVED, None)
    with database.writing() as session, pytest.raises(DBAPIError, match="append-only"):
        session.execute(text("UPDATE decisions SET reviewer = 'x'"))
    database.close()


def test_migrations_make_the_same_tables_keys_and_indexes_as_the_models(empty_url: str) -> None:
    engine = create_engine(empty_url)
    Base.metadata.create_all(engine)
    by_models = schema_of(engine)
    Base.metadata.drop_all(engine)
    upgrade_schema(empty_url)
    assert schema_of(engine) == by_models
    engine.dispose()
    assert by_models["photos"]["indexes"]["ix_photos_waiting"][2], "conditions of indexes are compared, too"


def test_tables_that_an_upgrade_made_anew_have_all_that_they_had(old_url: str) -> None:
    engine = create_engine(old_url)
    before, guards = schema_of(engine), triggers_of(engine)
    assert guards
    upgrade_schema(old_url)
    after = schema_of(engine)
    assert triggers_of(engine) == guards
    engine.dispose()
    for table, parts in before.items():
        for kind, things in parts.items():
            gone = {name: thing for name, thing in things.items() if after[table][kind].get(name) != thing}
            assert set(gone) <= REPLACED, (table, kind, gone)


REPLACED = {"ix_photos_batch_id", "ix_arrivals_batch_id", "ix_arrivals_photo_id"}
"""By indexes over the id as well, and over photos that there are."""


def schema_of(engine: Engine) -> dict[str, dict[str, dict[str, Any]]]:
    """What the database itself says of each table, without the order of columns."""
    found = inspect(engine)
    return {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], default_of(column["default"]))
                for column in found.get_columns(table)
            },
            "foreign keys": {
                key["name"]: (key["constrained_columns"], key["referred_table"], key["referred_columns"])
                for key in found.get_foreign_keys(table)
            },
            "unique": {key["name"]: key["column_names"] for key in found.get_unique_constraints(table)},
            "indexes": {
                index["name"]: (index["column_names"], index["unique"], conditions_of(index))
                for index in found.get_indexes(table)
            },
            "primary key": {"": found.get_pk_constraint(table)["constrained_columns"]},
        }
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def conditions_of(index: Any) -> list[str]:
    """Conditions of a partial index, as the database words them."""
    options = index.get("dialect_options", {})
    return [str(condition) for name, condition in sorted(options.items()) if name.endswith("_where")]


def default_of(default: str | None) -> str | None:
    return default.strip("'()") if default and "nextval" not in default else None


def triggers_of(engine: Engine) -> list[Any]:
    asked = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
        "postgresql": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname",
    }[engine.dialect.name]
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(asked))]
