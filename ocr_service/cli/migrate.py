"""``headstone migrate``: bring the database to the schema of this version."""

from __future__ import annotations

import typer

from ocr_service.settings import load_settings


def migrate() -> None:
    """Make the tables, or bring them up to date, without starting anything; again does nothing.

    The service does the same when it starts. A deployment does it once before, as a step that can be watched; the
    database is that of `HEADSTONE_DATABASE_URL`.
    """
    from ocr_service.database import open_database
    from ocr_service.database.revision import current_revision

    database = open_database(load_settings().resolved_database_url)
    with database.reading() as session:
        revision = current_revision(session)
    database.close()
    typer.echo(f"the database is at revision {revision}")
