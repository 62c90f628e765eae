"""``headstone migrate``: bring the database to the schema of this version, and make the place for photos."""

from __future__ import annotations

import typer

from ocr_service.settings import load_settings


def migrate() -> None:
    """Make the tables, or bring them up to date, and the place for photos; start nothing. Again does nothing.

    The service does the same when it starts. A deployment does it once before, as a step that can be watched; the
    database is that of `HEADSTONE_DATABASE_URL`, the bucket that of `HEADSTONE_S3_BUCKET`.
    """
    from ocr_service.database import open_database
    from ocr_service.database.revision import current_revision
    from ocr_service.storage import open_store

    settings = load_settings()
    open_store(settings).prepare()
    database = open_database(settings.resolved_database_url)
    with database.reading() as session:
        revision = current_revision(session)
    database.close()
    typer.echo(f"the database is at revision {revision}")
