"""Alive, and ready to work."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import structlog
from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError

from api.deps import Anyone, DatabaseDep, StoreDep
from api.keys import Role
from api.problems import ProblemError, responses
from api.schemas import Health
from ocr_service.database import Database
from ocr_service.database.revision import current_revision, needed_revision
from ocr_service.errors import HeadstoneError, StorageError
from ocr_service.storage import ObjectStore

log = structlog.get_logger(__name__)
router = APIRouter(tags=["operation"])

_NO_OBJECT = "0" * 64


@router.get("/healthz", summary="Whether the process answers")
def healthz() -> Health:
    """Open to everybody and says nothing else."""
    return Health()


@router.get("/readyz", summary="Whether database and store can be used", responses=responses(503))
def readyz(actor: Anyone, database: DatabaseDep, store: StoreDep) -> Health:
    """503 where one of them cannot; staff and monitoring are told which.

    The broker is not asked: photos are taken in and verified without it, and an API that calls itself unready for its
    sake would stop both.
    """
    failures = [name for name, check in _checks(database, store) if not _passes(name, check)]
    if failures:
        may_know = actor.may(Role.COLLECTOR) or actor.may(Role.VERIFIER) or actor.may(Role.METRICS)
        detail = f"Not usable: {', '.join(failures)}; the log says more." if may_know else None
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail or "The service is not ready.")
    return Health()


def _checks(database: Database, store: ObjectStore) -> tuple[tuple[str, Callable[[], None]], ...]:
    return (("database", lambda: _schema_is_current(database)), ("store", lambda: _store_answers(store)))


def _passes(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except (SQLAlchemyError, HeadstoneError) as error:
        log.error("not ready", part=name, error=str(error.__cause__ or error))
        return False
    return True


def _schema_is_current(database: Database) -> None:
    with database.reading() as session:
        current, needed = current_revision(session), needed_revision(session)
    if current != needed:
        raise StorageError(f"the database is at revision {current}, this version needs {needed}; migrate it")


def _store_answers(store: ObjectStore) -> None:
    store.incoming().discard()
    store.exists(_NO_OBJECT)
