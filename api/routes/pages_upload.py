"""Handing photos in: one form, sent whole by a plain browser or file by file by the page's script."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from api.access import Actor
from api.deps import DatabaseDep, SettingsDep, Staff, StoreDep
from api.i18n import Texts
from api.multipart import UploadForm, read_upload
from api.pages.render import render, texts_for
from api.problems import ProblemError
from ocr_service import intake
from ocr_service.database import Database, overview
from ocr_service.records import Context
from ocr_service.storage import ObjectStore

router = APIRouter()

_MAX_TEXT_CHARS = 200
_MAX_ID_DIGITS = 18


@dataclass(frozen=True, slots=True)
class ShownFile:
    """What became of one file: ``outcome`` is new, known or failed, ``why`` is what to do about a failure."""

    name: str
    outcome: str
    why: str
    photo_id: int | None


@router.get("/upload")
def upload_form(request: Request, actor: Staff) -> Response:
    """The form."""
    texts = texts_for(request)
    return render(
        request, "upload.html", page="upload", reviewer=actor.name, files=None, script_texts=texts.section("upload")
    )


@router.post("/upload")
async def upload(
    request: Request, actor: Staff, settings: SettingsDep, database: DatabaseDep, store: StoreDep
) -> Response:
    """Take the files in. ``batch`` joins them to one that the same person opened before; else a new one is opened."""
    texts = texts_for(request)
    form = await read_upload(
        request, store, max_file_bytes=settings.max_file_bytes, max_files=settings.max_files_per_request
    )
    if not form.files:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, texts("upload.nothing"))
    batch_id, received = await run_in_threadpool(_receive, form, actor, database, store)
    files = [_shown(photo, texts) for photo in received]
    if "application/json" in request.headers.get("accept", ""):
        answer = [{"outcome": file.outcome, "why": file.why} for file in files]
        return JSONResponse({"batch": str(batch_id), "files": answer})
    return render(
        request, "upload.html", page="upload", reviewer=actor.name, files=files, script_texts=texts.section("upload")
    )


def _receive(
    form: UploadForm, actor: Actor, database: Database, store: ObjectStore
) -> tuple[int, list[intake.ReceivedPhoto]]:
    fields = {name: " ".join(text.split())[:_MAX_TEXT_CHARS] or None for name, text in form.fields.items()}
    context = Context(
        cemetery=fields.get("cemetery"),
        cemetery_province=fields.get("province"),
        cemetery_commune=fields.get("commune"),
        plot=fields.get("plot"),
    )
    wanted = fields.get("batch") or ""
    known = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) <= _MAX_ID_DIGITS else None
    with database.writing() as session:
        if known is not None and overview.owner_of_batch(session, known) == actor.name:
            batch_id = known
        else:
            label = context.cemetery or form.files[0].filename.replace("\\", "/").rpartition("/")[2]
            batch_id = intake.open_batch(session, label[:_MAX_TEXT_CHARS], actor.name)
        received = [
            intake.receive(
                session,
                store,
                file.taken,
                filename=file.filename,
                received_by=actor.name,
                context=context,
                batch_id=batch_id,
            )
            for file in form.files
        ]
    return batch_id, received


def _shown(photo: intake.ReceivedPhoto, texts: Texts) -> ShownFile:
    if photo.photo_id is None:
        code = str(photo.reason)
        why = f"{texts.of_code('reject', code)} {texts.of_code('advice', code)}"
        return ShownFile(photo.filename, "failed", why, None)
    return ShownFile(photo.filename, "known" if photo.duplicate else "new", "", photo.photo_id)
