"""Which revision of the schema a database has, and which one this version of the service needs."""

from __future__ import annotations

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from ocr_service.database.engine import migration_config


def current_revision(session: Session) -> str | None:
    """The revision that the database is at; None where it has no tables yet."""
    return MigrationContext.configure(session.connection()).get_current_revision()


def needed_revision(session: Session) -> str:
    """The newest revision that ships with this version."""
    head = ScriptDirectory.from_config(migration_config(session.connection())).get_current_head()
    assert head is not None  # noqa: S101 - migrations ship with the package
    return head
