"""Bulk intake: announced files, origins, priorities, and the indexes that queues need over millions of photos."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# index: condition and columns
_PARTIAL = {
    "ix_photos_waiting": ("state = 'received'", ["state", "priority", "id"]),
    "ix_photos_unpublished": ("state = 'received' AND queued_at IS NULL", ["state", "priority", "id"]),
    "ix_photos_published": ("state = 'received' AND queued_at IS NOT NULL", ["state", "priority", "queued_at"]),
    "ix_photos_rephotograph": ("needs_rephotograph", ["id"]),
    "ix_photos_shots_due": ("shots_due", ["batch_id", "id"]),
}
# Each photo is changed some five times. Left until a fifth of two million were dead, the rows and index entries that
# queues leave behind would slow every claim down.
_VACUUM = ("autovacuum_vacuum_scale_factor", "autovacuum_analyze_scale_factor")
# pages of a batch are read in the order of ids
_BATCHED = ("photos", "arrivals")


def _document(name: str) -> sa.Column[Any]:
    kind = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
    return sa.Column(name, kind, nullable=True)


def _priority() -> sa.Column[Any]:
    # what came before this version came in bulk
    return sa.Column("priority", sa.SmallInteger(), nullable=False, server_default="1")


def upgrade() -> None:
    """Add columns and indexes; every row stays as it is."""
    with op.batch_alter_table("batches") as table:
        table.add_column(sa.Column("key", sa.String(64), nullable=True))
        table.add_column(_document("context"))
        table.add_column(_document("origin"))
        table.add_column(_priority())
        table.create_unique_constraint(op.f("uq_batches_created_by_key"), ["created_by", "key"])
    with op.batch_alter_table("photos") as table:
        table.add_column(_document("origin"))
        table.add_column(_priority())
        table.add_column(sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("needs_rephotograph", sa.Boolean(), nullable=False, server_default=sa.false()))
        # what was read before this version was compared as it was read
        table.add_column(sa.Column("shots_due", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name, (condition, columns) in _PARTIAL.items():
        where = sa.text(condition)
        op.create_index(op.f(name), "photos", columns, sqlite_where=where, postgresql_where=where)
    with op.batch_alter_table("arrivals") as table:
        table.add_column(sa.Column("path", sa.Text(), nullable=True))
        table.add_column(sa.Column("sha256", sa.String(64), nullable=True))
        table.add_column(sa.Column("size_bytes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
        table.add_column(_document("context"))
        table.add_column(_document("origin"))
        table.create_unique_constraint(op.f("uq_arrivals_batch_id_path_sha256"), ["batch_id", "path", "sha256"])
    op.create_index(op.f("ix_arrivals_batch_id_sha256"), "arrivals", ["batch_id", "sha256"])
    for name in _BATCHED:
        op.drop_index(op.f(f"ix_{name}_batch_id"), name)
        op.create_index(op.f(f"ix_{name}_batch_id_id"), name, ["batch_id", "id"])
    op.drop_index(op.f("ix_arrivals_photo_id"), "arrivals")
    here = sa.text("photo_id IS NOT NULL")
    op.create_index(op.f("ix_arrivals_photo_id"), "arrivals", ["photo_id"], sqlite_where=here, postgresql_where=here)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE photos SET ({', '.join(f'{name} = 0.02' for name in _VACUUM)})")


def downgrade() -> None:
    """Drop what was added; files that were announced and never came are forgotten with it."""
    op.execute("DELETE FROM arrivals WHERE photo_id IS NULL AND reason IS NULL")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE photos RESET ({', '.join(_VACUUM)})")
    op.drop_index(op.f("ix_arrivals_photo_id"), "arrivals")
    op.create_index(op.f("ix_arrivals_photo_id"), "arrivals", ["photo_id"])
    for name in _BATCHED:
        op.drop_index(op.f(f"ix_{name}_batch_id_id"), name)
        op.create_index(op.f(f"ix_{name}_batch_id"), name, ["batch_id"])
    op.drop_index(op.f("ix_arrivals_batch_id_sha256"), "arrivals")
    with op.batch_alter_table("arrivals") as table:
        table.drop_constraint(op.f("uq_arrivals_batch_id_path_sha256"), type_="unique")
        for column in ("origin", "context", "size_bytes", "sha256", "path"):
            table.drop_column(column)
    for name in _PARTIAL:
        op.drop_index(op.f(name), "photos")
    with op.batch_alter_table("photos") as table:
        for column in ("shots_due", "needs_rephotograph", "queued_at", "priority", "origin"):
            table.drop_column(column)
    with op.batch_alter_table("batches") as table:
        table.drop_constraint(op.f("uq_batches_created_by_key"), type_="unique")
        for column in ("priority", "origin", "context", "key"):
            table.drop_column(column)
