"""Alive, and ready to work."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api.deps import Anybody, DatabaseDep, StoreDep
from api.problems import ProblemError, responses
from api.schemas import Health
from ocr_service.errors import StorageError

router = APIRouter(tags=["operation"])


@router.get("/healthz", summary="Whether the process answers")
def healthz() -> Health:
    """Open to everybody and says nothing else."""
    return Health()


@router.get("/readyz", summary="Whether database and store can be used", responses=responses(503))
def readyz(_actor: Anybody, database: DatabaseDep, store: StoreDep) -> Health:
    """503 where one of them cannot."""
    try:
        with database.reading() as session:
            session.execute(text("SELECT count(*) FROM audit_head"))
        store.incoming().discard()
    except (SQLAlchemyError, StorageError) as error:
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "The database or the store cannot be used.") from error
    return Health()
