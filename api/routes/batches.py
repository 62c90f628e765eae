"""Batches and their accounts: opened, followed, retried; a receipt to keep."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from api.access import Actor
from api.deps import Collector, DatabaseDep, ReadSession, Staff, WriteSession
from api.keys import Role
from api.params import Cursor, Limit, RowId
from api.problems import responses
from api.schemas import cursor_of, id_of
from api.schemas_batches import Batch, BatchFile, BatchFilePage, BatchPage, BatchRequest, Retried, batch_of
from ocr_service.database import Database
from ocr_service.database.announcements import BatchFacts
from ocr_service.errors import NotFoundError
from ocr_service.intake import accounting, announcing
from ocr_service.intake.receipts import receipt
from ocr_service.records import Context, Origin, RejectReason
from ocr_service.states import FileState

router = APIRouter(prefix="/batches", tags=["batches"])

_KNOWN_KEY: dict[int | str, dict[str, Any]] = {
    200: {"model": Batch, "description": "The batch that was opened with this key before."}
}
_RECEIPT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    summary="Open a batch",
    responses=_KNOWN_KEY | responses(409),
)
def open_batch(asked: BatchRequest, session: WriteSession, actor: Collector, response: Response) -> Batch:
    """With a `key`, opening it again finds it. 409 where the key was used for another place, collector or device."""
    batch, new = announcing.open_announced_batch(
        session,
        asked.label,
        actor.name,
        key=asked.key,
        context=Context(cemetery=asked.cemetery, cemetery_province=asked.province, cemetery_commune=asked.commune),
        origin=Origin(collector=asked.collector, device=asked.device),
        priority=asked.priority_value(),
    )
    if not new:
        response.status_code = HTTPStatus.OK
    return _batch(accounting.batch_standing(session, batch))


@router.get("", summary="Batches, newest first", responses=responses(422))
def list_batches(session: ReadSession, actor: Staff, cursor: Cursor = None, limit: Limit = 20) -> BatchPage:
    """Collectors see their own, verifiers all."""
    owner = None if actor.may(Role.VERIFIER) else actor.name
    found = accounting.list_batches(session, created_by=owner, before_id=id_of(cursor), limit=limit + 1)
    items, more = found[:limit], len(found) > limit
    last = items[-1].account.batch.id if items else 0
    return BatchPage(items=[_batch(standing) for standing in items], next_cursor=cursor_of(last) if more else None)


@router.get("/{batch_id}", summary="A batch and its account", responses=responses(404, 422))
def get_batch(batch_id: RowId, session: ReadSession, actor: Staff) -> Batch:
    """Counts by state, how fast photos are read, and what went wrong."""
    return _batch(accounting.batch_standing(session, visible_batch(session, batch_id, actor)))


@router.get("/{batch_id}/files", summary="Files of a batch", responses=responses(404, 422))
def list_files(
    batch_id: RowId,
    session: ReadSession,
    actor: Staff,
    state: Annotated[FileState | None, Query(description="Only files in this state.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> BatchFilePage:
    """In the order in which they were announced, each with the reason where something is wrong."""
    visible_batch(session, batch_id, actor)
    after_id = id_of(cursor) or 0
    found = accounting.list_files(session, batch_id, state=state, after_id=after_id, limit=limit + 1)
    items, more = found[:limit], len(found) > limit
    return BatchFilePage(
        items=[BatchFile.of(file) for file in items],
        next_cursor=cursor_of(items[-1].id) if more else None,
    )


@router.get(
    "/{batch_id}/receipt",
    summary="Where every file stands, to be kept",
    response_class=StreamingResponse,
    responses=_RECEIPT | responses(404, 422),
)
def get_receipt(batch_id: RowId, actor: Staff, database: DatabaseDep) -> StreamingResponse:
    """CSV (RFC 4180, UTF-8). The last line counts the files by state and gives the SHA-256 of all bytes above it:
    `sed '$d' receipt.csv | sha256sum` gives the same digits.
    """
    batch = read_visible_batch(database, batch_id, actor)

    def lines() -> Iterator[bytes]:
        # a session of its own: the answer is still being written when the request's would be closed
        with database.reading() as session:
            yield from receipt(session, batch)

    headers = {"Content-Disposition": f'attachment; filename="receipt-{batch_id}.csv"'}
    return StreamingResponse(lines(), media_type="text/csv", headers=headers)


@router.post(
    "/{batch_id}/retry",
    status_code=HTTPStatus.ACCEPTED,
    summary="Read what was rejected or failed again",
    responses=responses(404, 422),
)
def retry(
    batch_id: RowId,
    session: WriteSession,
    actor: Staff,
    reason: Annotated[RejectReason | None, Query(description="Only photos set aside for this reason.")] = None,
) -> Retried:
    """The photos go back into the queue with all their tries. What was refused never came in: send it again."""
    visible_batch(session, batch_id, actor)
    return Retried(photos=accounting.retry_batch(session, batch_id, reason))


def visible_batch(session: Session, batch_id: int, actor: Actor) -> BatchFacts:
    """A batch that the actor may see; those of others do not exist for a collector. Raises ``NotFoundError``."""
    batch = accounting.get_batch(session, batch_id)
    if batch.created_by != actor.name and not actor.may(Role.VERIFIER):
        raise NotFoundError(f"there is no batch {batch_id}")
    return batch


def read_visible_batch(database: Database, batch_id: int, actor: Actor) -> BatchFacts:
    """The same, in a transaction of its own."""
    with database.reading() as session:
        return visible_batch(session, batch_id, actor)


def _batch(standing: accounting.BatchStanding) -> Batch:
    return batch_of(standing.account, standing.read_per_minute)
