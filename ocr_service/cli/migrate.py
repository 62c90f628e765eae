"""``headstone migrate``: bring database and object store to what this version needs."""

from __future__ import annotations

import typer

from ocr_service.settings import load_settings


def migrate() -> None:
    """Make the tables, or bring them up to date, and make the bucket of the photos; again does nothing.

    The service brings its database up to date itself when it starts; a deployment does it once before, as a step that
    can be watched. Database and store are those of the settings.
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
    typer.echo(f"the database is at revision {revision}, the store is ready")
