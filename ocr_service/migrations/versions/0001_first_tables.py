"""First tables: cemeteries, graves, batches, photos, arrivals, readings, records, decisions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Types are spelled out here, not imported: a migration must keep meaning what it meant when it was written.
GENESIS = "0" * 64
APPEND_ONLY = "decisions are append-only: write a further decision instead"


def _id() -> sa.types.TypeEngine[Any]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _document() -> sa.types.TypeEngine[Any]:
    return sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def _instant() -> sa.types.TypeEngine[Any]:
    return sa.DateTime(timezone=True)


def _word() -> sa.types.TypeEngine[Any]:
    return sa.String(32)


def _required(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _optional(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _reference(name: str, table: str, target: str, *, nullable: bool = True) -> sa.Column[Any]:
    key = sa.ForeignKey(f"{target}.id", name=op.f(f"fk_{table}_{name}_{target}"))
    return sa.Column(name, _id(), key, nullable=nullable)


def _table(name: str, *columns: sa.Column[Any] | sa.UniqueConstraint, id_column: sa.Column[Any] | None = None) -> None:
    first = sa.Column("id", _id(), nullable=False) if id_column is None else id_column
    op.create_table(name, first, *columns, sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def _places() -> None:
    _table(
        "cemeteries",
        _required("name", sa.Text()),
        _optional("province", sa.Text()),
        _optional("commune", sa.Text()),
        _required("name_key", sa.Text()),
        _required("province_key", sa.Text()),
        _required("commune_key", sa.Text()),
        _required("created_at", _instant()),
        _unique("cemeteries", "name_key", "province_key", "commune_key"),
    )
    _table(
        "graves",
        _reference("cemetery_id", "graves", "cemeteries", nullable=False),
        _required("plot", sa.Text()),
        _required("plot_key", sa.Text()),
        _required("created_at", _instant()),
        _unique("graves", "cemetery_id", "plot_key"),
    )
    _table(
        "batches",
        _required("label", sa.Text()),
        _required("created_by", sa.Text()),
        _required("created_at", _instant()),
    )


def _photos() -> None:
    _table(
        "photos",
        _required("sha256", sa.String(64)),
        _required("size_bytes", _id()),
        _required("filename", sa.Text()),
        _reference("batch_id", "photos", "batches"),
        _reference("cemetery_id", "photos", "cemeteries"),
        _reference("grave_id", "photos", "graves"),
        _required("context", _document()),
        _required("received_at", _instant()),
        _required("received_by", sa.Text()),
        _required("state", _word()),
        _optional("reason", _word()),
        _optional("detail", sa.Text()),
        _optional("photo_type", _word()),
        _optional("width_px", sa.Integer()),
        _optional("height_px", sa.Integer()),
        _required("attempts", sa.Integer()),
        _optional("lease_owner", sa.Text()),
        _optional("lease_until", _instant()),
        _required("lease_token", _id()),
        _required("changed_at", _instant()),
        _unique("photos", "sha256"),
    )
    for columns in (("batch_id",), ("cemetery_id",), ("grave_id",), ("state", "id")):
        _index("photos", *columns)
    _table(
        "arrivals",
        _reference("photo_id", "arrivals", "photos"),
        _reference("batch_id", "arrivals", "batches"),
        _required("filename", sa.Text()),
        _required("duplicate", sa.Boolean()),
        _optional("reason", _word()),
        _optional("detail", sa.Text()),
        _required("at", _instant()),
        _required("by", sa.Text()),
    )
    _index("arrivals", "photo_id")
    _index("arrivals", "batch_id")
    _table(
        "readings",
        _reference("photo_id", "readings", "photos", nullable=False),
        _required("bundle", sa.Text()),
        _required("document", _document()),
        _required("at", _instant()),
    )
    _index("readings", "photo_id")


def _records() -> None:
    _table(
        "records",
        _reference("photo_id", "records", "photos", nullable=False),
        _reference("reading_id", "records", "readings", nullable=False),
        _reference("grave_id", "records", "graves"),
        _reference("cemetery_id", "records", "cemeteries"),
        _required("state", _word()),
        _required("verified", sa.Boolean()),
        _required("version", sa.Integer()),
        _required("fields", _document()),
        _required("created_at", _instant()),
        _optional("decided_at", _instant()),
        _optional("decided_by", sa.Text()),
        _optional("lease_owner", sa.Text()),
        _optional("lease_until", _instant()),
        _required("name_key", sa.Text()),
        _required("hometown_key", sa.Text()),
        _required("search_key", sa.Text()),
        _optional("birth_year_min", sa.Integer()),
        _optional("birth_year_max", sa.Integer()),
        _optional("death_year_min", sa.Integer()),
        _optional("death_year_max", sa.Integer()),
        _unique("records", "photo_id"),
    )
    for columns in (("grave_id",), ("cemetery_id",), ("state", "id"), ("verified", "id")):
        _index("records", *columns)


def _decisions() -> None:
    _table(
        "decisions",
        _reference("record_id", "decisions", "records", nullable=False),
        _required("action", _word()),
        _optional("undoes", _word()),
        _required("version", sa.Integer()),
        _required("at", _instant()),
        _required("reviewer", sa.Text()),
        _required("verdict", _word()),
        _required("field", sa.Text()),
        _optional("before", _document()),
        _optional("after", _document()),
        _optional("reason", sa.Text()),
        _required("evidence", _document()),
        _required("prev_hash", sa.String(64)),
        _required("hash", sa.String(64)),
        _unique("decisions", "prev_hash"),
        _unique("decisions", "hash"),
    )
    for columns in (("action",), ("record_id", "id"), ("reviewer", "id")):
        _index("decisions", *columns)
    _table(
        "audit_head",
        _required("length", _id()),
        _required("hash", sa.String(64)),
        id_column=sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
    )
    op.execute(sa.text("INSERT INTO audit_head (id, length, hash) VALUES (1, 0, :hash)").bindparams(hash=GENESIS))


def _refuse_changes() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER decisions_no_{verb.lower()} BEFORE {verb} ON decisions "
                f"BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_decision_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{APPEND_ONLY}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER decisions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON decisions "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_decision_change()"
    )


def upgrade() -> None:
    """Apply."""
    _places()
    _photos()
    _records()
    _decisions()
    _refuse_changes()


def downgrade() -> None:
    """Take back: every table and what is in it."""
    for table in ("audit_head", "decisions", "records", "readings", "arrivals", "photos"):
        op.drop_table(table)
    for table in ("batches", "graves", "cemeteries"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_decision_change()")
