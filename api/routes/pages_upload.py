"""Handing photos in: one form, sent whole by a plain browser or file by file by the page's script."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api.deps import DatabaseDep, SettingsDep, Staff, StoreDep
from api.i18n import Texts
from api.pages.render import render, texts_for
from api.uploads import receive_upload
from ocr_service import intake

router = APIRouter()


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
    receipt = await receive_upload(
        request, actor, settings, database, store, may_join=True, no_file=texts("upload.nothing")
    )
    files = [_shown(photo, texts) for photo in receipt.files]
    if "application/json" in request.headers.get("accept", ""):
        answer = [{"outcome": file.outcome, "why": file.why} for file in files]
        return JSONResponse({"batch": str(receipt.batch_id), "files": answer})
    return render(
        request, "upload.html", page="upload", reviewer=actor.name, files=files, script_texts=texts.section("upload")
    )


def _shown(photo: intake.ReceivedPhoto, texts: Texts) -> ShownFile:
    if photo.photo_id is None:
        code = str(photo.reason)
        why = f"{texts.of_code('reject', code)} {texts.of_code('advice', code)}"
        return ShownFile(photo.filename, "failed", why, None)
    return ShownFile(photo.filename, "known" if photo.duplicate else "new", "", photo.photo_id)
