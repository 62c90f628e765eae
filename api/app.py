"""The HTTP application; ``python -m api.serve`` runs it with its reader beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from api import problems
from api.access import check_start
from api.guard import Guard
from api.keys import load_keys
from api.observer import Observer
from api.openapi import describe
from api.pages.static_files import VersionedFiles
from api.routes import pages
from api.routes.v1 import router as v1
from api.settling import Settler
from ocr_service.database import open_database
from ocr_service.operations.backlog_metrics import BacklogCollector
from ocr_service.settings import Settings
from ocr_service.storage import open_store

STATIC = Path(__file__).parent / "web" / "static"


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application over its store, which is made or brought up to date first.

    Raises ``UsageError`` where it would be open to the network without keys, ``StorageError`` where the store cannot be
    opened.
    """
    settings = settings or Settings()
    keys = load_keys(settings.api_keys_file)
    check_start(settings, keys)
    database = open_database(settings.resolved_database_url)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        database.close()

    app = FastAPI(
        title="Headstone OCR", version="1", lifespan=lifespan, docs_url=None, redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )  # fmt: skip
    app.state.settings = settings
    app.state.keys = keys
    app.state.database = database
    app.state.backlog_collector = BacklogCollector(database)
    app.state.store = open_store(settings)
    app.state.store.prepare()
    app.state.settler = Settler(database, app.state.store)
    problems.install(app, getattr(pages, "error_page", None))
    app.include_router(v1)
    app.include_router(pages.router)
    app.mount("/static", VersionedFiles(directory=STATIC, check_dir=False), name="static")
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(Observer)
    describe(app)
    return app
