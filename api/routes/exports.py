"""All verified records at once, as files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from api.deps import DatabaseDep, Portal
from ocr_service import exports
from ocr_service.database import Database

router = APIRouter(prefix="/exports", tags=["records"])


def _file_of(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": "The file.", "content": {media_type: {"schema": {"type": "string"}}}}}


@router.get(
    "/records.csv",
    summary="Verified records for spreadsheets",
    response_class=StreamingResponse,
    responses=_file_of("text/csv"),
)
def records_csv(_actor: Portal, database: DatabaseDep) -> StreamingResponse:
    """CSV (RFC 4180, UTF-8 with mark), one record a row."""
    return _stream(database, exports.records_as_csv, "text/csv", "records.csv")


@router.get(
    "/records.jsonl",
    summary="Verified records for programs",
    response_class=StreamingResponse,
    responses=_file_of("application/x-ndjson"),
)
def records_jsonl(_actor: Portal, database: DatabaseDep) -> StreamingResponse:
    """One JSON object a line."""
    return _stream(database, exports.records_as_jsonl, "application/x-ndjson", "records.jsonl")


def _stream(
    database: Database, write: Callable[[Session], Iterator[str]], media_type: str, name: str
) -> StreamingResponse:
    def lines() -> Iterator[str]:
        # a session of its own: the answer is still being written when the request's would be closed
        with database.reading() as session:
            yield from write(session)

    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines(), media_type=media_type, headers=headers)
