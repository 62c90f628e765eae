"""Handing photos in: one form, sent whole by a plain browser; by the page's script announced and sent file by file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from api.access import Actor
from api.deps import DatabaseDep, ReadSession, SettingsDep, Staff, StoreDep
from api.i18n import Texts
from api.keys import Role
from api.pages.batches import show_batch
from api.pages.render import asset, render, texts_for
from api.routes.pages_batches import seen_batch
from api.uploads import receive_upload
from ocr_service import intake
from ocr_service.intake import accounting
from ocr_service.settings import Settings
from ocr_service.states import FileState

router = APIRouter()

_LOOKED_THROUGH = 10  # newest batches of a person that may have to go on


@dataclass(frozen=True, slots=True)
class ShownFile:
    """What became of one file: ``outcome`` is new, known or refused, ``why`` is what to do about a refusal."""

    name: str
    outcome: str
    why: str
    photo_id: int | None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A batch of whose files some have not arrived."""

    id: int
    label: str
    missing: str


@router.get("/upload")
def upload_form(
    request: Request,
    session: ReadSession,
    actor: Staff,
    settings: SettingsDep,
    batch: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> Response:
    """The form, for a new batch or to go on with one."""
    texts = texts_for(request)
    resumed = None
    if batch is not None:
        resumed = _unfinished(accounting.batch_standing(session, seen_batch(session, batch, actor)), texts)
    return _form(
        request,
        actor,
        settings,
        resumed=resumed,
        unfinished=_own_unfinished(session, actor, texts) if resumed is None else [],
    )


@router.post("/upload")
async def upload(
    request: Request, actor: Staff, settings: SettingsDep, database: DatabaseDep, store: StoreDep
) -> Response:
    """Take the files in as a new batch."""
    texts = texts_for(request)
    receipt = await receive_upload(request, actor, settings, database, store, no_file=texts("upload.nothing"))
    files = [_shown(photo, texts) for photo in receipt.files]
    return _form(request, actor, settings, files=files, batch_id=receipt.batch_id)


def _form(
    request: Request,
    actor: Actor,
    settings: Settings,
    *,
    files: list[ShownFile] | None = None,
    batch_id: int | None = None,
    resumed: Unfinished | None = None,
    unfinished: list[Unfinished] | None = None,
) -> Response:
    texts = texts_for(request)
    return render(
        request,
        "upload.html",
        page="upload",
        reviewer=actor.name,
        is_scripted=actor.may(Role.COLLECTOR),  # whoever may not announce files can still send the plain form
        files=files,
        batch_id=batch_id,
        resumed=resumed,
        unfinished=unfinished or [],
        max_files=settings.max_files_per_request,
        page_data={
            "texts": texts.section("upload"),
            "reject": texts.section("reject"),
            "advice": texts.section("advice"),
            "batch": resumed.id if resumed is not None else None,
            "hash_worker": asset("js/upload/hash_worker.js"),
        },
    )


def _own_unfinished(session: Session, actor: Actor, texts: Texts) -> list[Unfinished]:
    found = accounting.list_batches(session, created_by=actor.name, limit=_LOOKED_THROUGH)
    return [_unfinished(standing, texts) for standing in found if standing.account.counts[FileState.ANNOUNCED]]


def _unfinished(standing: accounting.BatchStanding, texts: Texts) -> Unfinished:
    shown = show_batch(standing, texts)
    return Unfinished(shown.id, shown.label, shown.missing)


def _shown(photo: intake.ReceivedPhoto, texts: Texts) -> ShownFile:
    if photo.photo_id is None:
        code = str(photo.reason)
        why = f"{texts.of_code('reject', code)} {texts.of_code('advice', code)}"
        return ShownFile(photo.filename, "refused", why, None)
    return ShownFile(photo.filename, "known" if photo.duplicate else "new", "", photo.photo_id)
