"""Bulk intake: a batch is opened, files are announced, then bytes come in any order and as often as needed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from api import schemas_batches
from api.access import Actor
from api.body import with_body
from api.delivery import receive_file
from api.deps import Collector, DatabaseDep, ReadSession, SettingsDep, SettlerDep, Staff, StoreDep, WriteSession
from api.keys import Role
from api.params import Cursor, Limit, RowId
from api.problems import responses, upload_problem
from api.schemas import cursor_of, id_of
from api.schemas_batches import (
    Announcement,
    Batch,
    BatchFile,
    BatchFilePage,
    BatchFiles,
    BatchPage,
    BatchRequest,
    Completion,
    Retried,
    TarReceipt,
    UploadTarget,
    batch_of,
)
from api.settling import Parcel
from ocr_service.database import Database
from ocr_service.database.accounts import FileStanding
from ocr_service.database.announcements import AnnouncedFile, BatchFacts
from ocr_service.errors import NotFoundError
from ocr_service.intake import accounting, announcing
from ocr_service.intake.completing import NotThere, adopt, remove_uploads
from ocr_service.intake.receipts import receipt
from ocr_service.intake.tar import Member, take_tar
from ocr_service.records import Context, Origin, RejectReason
from ocr_service.states import FileState
from ocr_service.storage import ObjectStore

router = APIRouter(prefix="/batches", tags=["batches"])

_KNOWN_KEY: dict[int | str, dict[str, Any]] = {
    200: {"model": Batch, "description": "The batch that was opened with this key before."}
}
_RECEIPT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}
_MAX_REFUSED_SHOWN = 1000


def _body_of(media_type: str) -> dict[str, Any]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {"requestBody": {"required": True, "content": content}}


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
    batch_id: RowId,
    announcement: Announcement,
    session: WriteSession,
    actor: Collector,
    settings: SettingsDep,
    store: StoreDep,
) -> BatchFiles:
    """Each file is answered for, in order: where it stands, and where its bytes go if they are wanted."""
    batch = _visible(session, batch_id, actor)
    files = [_announced(file) for file in announcement.files]
    standing = announcing.announce(session, batch, files, by=actor.name, max_bytes=settings.max_file_bytes)
    return BatchFiles(files=[BatchFile.of(file, _target(store, file)) for file in standing])


@router.put(
    "/{batch_id}/files/{sha256}",
    summary="Send the bytes of an announced file",
    responses=responses(404, 408, 507),
    openapi_extra=_body_of("application/octet-stream"),
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
    file = await run_in_threadpool(_announced_before, database, batch_id, sha256, actor)
    if file.state is FileState.ANNOUNCED:
        taking = await receive_file(request, store, sha256, file.size_bytes or 0)
        file = await asyncio.wrap_future(settler.hand_in(Parcel(batch_id, sha256, taking, actor.name)))
    return BatchFile.of(file)


@router.post(
    "/{batch_id}/files/complete", summary="Say which files are in the object store", responses=responses(404, 507)
)
def complete(
    batch_id: RowId, completion: Completion, actor: Collector, database: DatabaseDep, store: StoreDep
) -> BatchFiles:
    """After bytes were put where announcing said. Each is read back and checked; what is not the announced file stays
    announced, with its problem. Saying it again changes nothing.
    """
    wanted = list(dict.fromkeys(completion.sha256))
    with database.reading() as session:
        _visible(session, batch_id, actor)
        before = announcing.awaited(session, batch_id, wanted)
    outcomes = dict(zip((one.sha256 for one in before), adopt(store, batch_id, before), strict=True))
    problems = {sha256: upload_problem(one.detail) for sha256, one in outcomes.items() if isinstance(one, NotThere)}
    with database.writing() as session:
        came = [
            announcing.Delivery(batch_id, sha256, one, actor.name)
            for sha256, one in outcomes.items()
            if not isinstance(one, NotThere)
        ]
        announcing.settle(session, came)
        standing = announcing.announced(session, batch_id, wanted)
    remove_uploads(store, batch_id, [delivery.sha256 for delivery in came])
    return BatchFiles(
        files=[
            BatchFile.of(file, _target(store, file), problems.get(sha256))
            for sha256, file in zip(wanted, standing, strict=True)
        ]
    )


@router.post(
    "/{batch_id}/tar",
    summary="Send many files as one tar stream",
    responses=responses(404, 507),
    openapi_extra=_body_of("application/x-tar"),
)
async def put_tar(
    batch_id: RowId,
    request: Request,
    actor: Collector,
    settings: SettingsDep,
    database: DatabaseDep,
    store: StoreDep,
) -> TarReceipt:
    """For folders that lie near: every regular member becomes a file of the batch, whether announced or not. What came
    whole is kept also where the stream breaks off (422), and sending the same tar again changes nothing.
    """
    batch = await run_in_threadpool(_seen, database, batch_id, actor)
    tally = _Tally(batch, actor, database)
    await with_body(request, lambda body: take_tar(body, store, settings.max_file_bytes, tally.note))
    return TarReceipt(files=tally.counts.total(), counts=dict(tally.counts), refused=tally.refused)


class _Tally:
    """Notes groups of members, each in a transaction of its own, and counts what became of them."""

    def __init__(self, batch: BatchFacts, actor: Actor, database: Database) -> None:
        self._batch, self._actor, self._database = batch, actor, database
        self.counts: Counter[FileState] = Counter()
        self.refused: list[BatchFile] = []

    def note(self, members: Sequence[Member]) -> None:
        files = [(member.file, member.outcome) for member in members]
        with self._database.writing() as session:
            standing = announcing.settle_at_once(session, self._batch, files, by=self._actor.name)
        self.counts.update(file.state for file in standing)
        refused = [BatchFile.of(file) for file in standing if file.state is FileState.REFUSED]
        self.refused += refused[: _MAX_REFUSED_SHOWN - len(self.refused)]


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
    batch = _seen(database, batch_id, actor)

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


def _seen(database: Database, batch_id: int, actor: Actor) -> BatchFacts:
    with database.reading() as session:
        return _visible(session, batch_id, actor)


def _announced_before(database: Database, batch_id: int, sha256: str, actor: Actor) -> FileStanding:
    with database.reading() as session:
        _visible(session, batch_id, actor)
        return announcing.announced(session, batch_id, [sha256])[0]


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


def _target(store: ObjectStore, file: FileStanding) -> UploadTarget | None:
    if file.state is not FileState.ANNOUNCED or file.sha256 is None:
        return None
    kind = {"Content-Type": "application/octet-stream"}
    presigned = store.presigned_put(file.batch_id, file.sha256)
    if presigned is None:
        own = f"/api/v1/batches/{file.batch_id}/files/{file.sha256}"
        return UploadTarget(url=own, headers=kind, complete=False, expires_s=None)
    return UploadTarget(url=presigned.url, headers=kind, complete=True, expires_s=presigned.expires_s)


def _batch(standing: accounting.BatchStanding) -> Batch:
    return batch_of(standing.account, standing.read_per_minute)
