"""The files of a batch: announced first, then their bytes come in any order, by any way, and as often as needed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool

from api import schemas_batches
from api.access import Actor
from api.body import with_body
from api.delivery import receive_file
from api.deps import Collector, DatabaseDep, SettingsDep, SettlerDep, StoreDep, WriteSession
from api.params import RowId
from api.problems import responses, upload_problem
from api.routes.batches import read_visible_batch, visible_batch
from api.schemas_batches import Announcement, BatchFile, BatchFiles, Completion, TarReceipt, UploadTarget, Withdrawal
from api.settling import Parcel
from ocr_service.database import Database
from ocr_service.database.accounts import FileStanding
from ocr_service.database.announcements import AnnouncedFile, BatchFacts
from ocr_service.intake import announcing
from ocr_service.intake.completing import NotThere, adopt, remove_uploads
from ocr_service.intake.tar import Member, take_tar
from ocr_service.records import Context, Origin
from ocr_service.states import FileState
from ocr_service.storage import ObjectStore

router = APIRouter(prefix="/batches/{batch_id}", tags=["batches"])

_MAX_REFUSED_SHOWN = 1000

FileHash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the file.")]


def _body_of(media_type: str) -> dict[str, Any]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {"requestBody": {"required": True, "content": content}}


@router.post("/files", summary="Announce files", responses=responses(404))
def announce(
    batch_id: RowId,
    announcement: Announcement,
    session: WriteSession,
    actor: Collector,
    settings: SettingsDep,
    store: StoreDep,
) -> BatchFiles:
    """Each file is answered for, in order: where it stands, and where its bytes go if they are wanted.

    Announcing again corrects what was said of files that have not come (`too_late` where they have), and what was
    withdrawn, or too large by a limit that was raised since, is awaited again.
    """
    batch = visible_batch(session, batch_id, actor)
    files = [_announced(file) for file in announcement.files]
    standing = announcing.announce(session, batch, files, by=actor.name, max_bytes=settings.max_file_bytes)
    return BatchFiles(files=[BatchFile.of(file, _target(store, file)) for file in standing])


@router.post("/files/withdraw", summary="Say which announced files will not come", responses=responses(404))
def withdraw(batch_id: RowId, withdrawal: Withdrawal, session: WriteSession, actor: Collector) -> BatchFiles:
    """They stay in the accounts, as refused, with who withdrew them and when. Files whose bytes came are not taken
    back: each answer says where the file stands. Files that were never announced are left out of it.
    """
    batch = visible_batch(session, batch_id, actor)
    names = [(file.path, file.sha256) for file in withdrawal.files]
    return BatchFiles(files=[BatchFile.of(file) for file in announcing.withdraw(session, batch, names, by=actor.name)])


@router.put(
    "/files/{sha256}",
    summary="Send the bytes of an announced file",
    responses=responses(400, 404, 408, 507),
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


@router.post("/files/complete", summary="Say which files are in the object store", responses=responses(404, 507))
def complete(
    batch_id: RowId, completion: Completion, actor: Collector, database: DatabaseDep, store: StoreDep
) -> BatchFiles:
    """After bytes were put where announcing said. Each is read back and checked; what is not the announced file stays
    announced, with its problem. Saying it again changes nothing.
    """
    wanted = list(dict.fromkeys(completion.sha256))
    with database.reading() as session:
        visible_batch(session, batch_id, actor)
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
    "/tar",
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
    batch = await run_in_threadpool(read_visible_batch, database, batch_id, actor)
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


def _announced_before(database: Database, batch_id: int, sha256: str, actor: Actor) -> FileStanding:
    with database.reading() as session:
        visible_batch(session, batch_id, actor)
        return announcing.announced(session, batch_id, [sha256])[0]


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
