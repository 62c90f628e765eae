"""Bulk intake: a batch is opened, files are announced, then bytes come in any order and as often as needed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from api import schemas_batches
from api.access import Actor
from api.delivery import receive_file
from api.deps import Collector, DatabaseDep, ReadSession, SettingsDep, SettlerDep, Staff, StoreDep, WriteSession
from api.keys import Role
from api.params import Cursor, Limit, RowId
from api.problems import responses
from api.schemas import cursor_of, id_of
from api.schemas_batches import (
    Announcement,
    Batch,
    BatchFile,
    BatchFilePage,
    BatchFiles,
    BatchPage,
    BatchRequest,
    Retried,
    UploadTarget,
    batch_of,
)
from ocr_service.database import Database
from ocr_service.database.accounts import FileStanding
from ocr_service.database.announcements import AnnouncedFile, BatchFacts
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
FileHash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the file.")]


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
    return _batch(accounting.batch_standing(session, _visible(session, batch_id, actor)))


@router.post("/{batch_id}/files", summary="Announce files", responses=responses(404))
def announce(
    batch_id: RowId, announcement: Announcement, session: WriteSession, actor: Collector, settings: SettingsDep
) -> BatchFiles:
    """Each file is answered for, in order: where it stands, and where its bytes go if they are wanted."""
    batch = _visible(session, batch_id, actor)
    files = [_announced(file) for file in announcement.files]
    standing = announcing.announce(session, batch, files, by=actor.name, max_bytes=settings.max_file_bytes)
    return BatchFiles(files=[BatchFile.of(file, _target(file)) for file in standing])


@router.put(
    "/{batch_id}/files/{sha256}",
    summary="Send the bytes of an announced file",
    responses=responses(404, 408, 507),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def put_file(
    batch_id: RowId,
    sha256: FileHash,
    request: Request,
    actor: Collector,
    database: DatabaseDep,
    store: StoreDep,
    settler: SettlerDep,
) -> BatchFile:
    """Sending it again changes nothing. What comes is hashed here; 422 where it is not the announced file."""
    files = await run_in_threadpool(_announced_before, database, batch_id, sha256, actor)
    if any(file.state is FileState.ANNOUNCED for file in files):
        size_bytes = max(file.size_bytes or 0 for file in files)
        outcome = await receive_file(request, store, sha256, size_bytes)
        delivery = announcing.Delivery(batch_id, sha256, outcome, actor.name)
        files = await asyncio.wrap_future(settler.hand_in(delivery))
    return BatchFile.of(files[0])


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
    _visible(session, batch_id, actor)
    after_id = id_of(cursor) or 0
    found = accounting.list_files(session, batch_id, state=state, after_id=after_id, limit=limit + 1)
    items, more = found[:limit], len(found) > limit
    return BatchFilePage(
        items=[BatchFile.of(file, _target(file)) for file in items],
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
    with database.reading() as session:
        batch = _visible(session, batch_id, actor)

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
    _visible(session, batch_id, actor)
    return Retried(photos=accounting.retry_batch(session, batch_id, reason))


def _announced_before(database: Database, batch_id: int, sha256: str, actor: Actor) -> list[FileStanding]:
    with database.reading() as session:
        _visible(session, batch_id, actor)
        return announcing.announced(session, batch_id, sha256)


def _visible(session: Session, batch_id: int, actor: Actor) -> BatchFacts:
    """A batch that the actor may see; those of others do not exist for a collector. Raises ``NotFoundError``."""
    batch = accounting.get_batch(session, batch_id)
    if batch.created_by != actor.name and not actor.may(Role.VERIFIER):
        raise NotFoundError(f"there is no batch {batch_id}")
    return batch


def _announced(file: schemas_batches.AnnouncedFile) -> AnnouncedFile:
    return AnnouncedFile(
        file.path,
        file.sha256,
        file.size_bytes,
        Context(
            cemetery=file.cemetery,
            cemetery_province=file.province,
            cemetery_commune=file.commune,
            plot=file.plot,
        ),
        Origin(
            collector=file.collector,
            device=file.device,
            taken_at=None if file.taken_at is None else file.taken_at.isoformat(),
            latitude_deg=file.latitude_deg,
            longitude_deg=file.longitude_deg,
        ),
    )


def _target(file: FileStanding) -> UploadTarget | None:
    if file.state is not FileState.ANNOUNCED:
        return None
    return UploadTarget(
        url=f"/api/v1/batches/{file.batch_id}/files/{file.sha256}", headers={"Content-Type": "application/octet-stream"}
    )


def _batch(standing: accounting.BatchStanding) -> Batch:
    return batch_of(standing.account, standing.read_per_minute)
