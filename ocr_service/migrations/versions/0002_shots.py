"""Shots: photos that show the same grave as a better one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "shots",
        sa.Column(
            "photo_id", number, sa.ForeignKey("photos.id", name=op.f("fk_shots_photo_id_photos")), nullable=False
        ),
        sa.Column(
            "best_photo_id",
            number,
            sa.ForeignKey("photos.id", name=op.f("fk_shots_best_photo_id_photos")),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("photo_id", name=op.f("pk_shots")),
    )
    op.create_index(op.f("ix_shots_best_photo_id"), "shots", ["best_photo_id"])


def downgrade() -> None:
    """Drop the table; what it says can be computed again from the readings."""
    op.drop_table("shots")
