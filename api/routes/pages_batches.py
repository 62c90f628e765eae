"""Batches: the list, a batch's account that keeps itself up to date, its files by state."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from api.access import Actor
from api.deps import ReadSession, Staff, WriteSession
from api.keys import Role
from api.pages.batches import BAR_UNITS, show_batch, show_files
from api.pages.render import is_fragment, render, texts_for
from api.params import RowId
from ocr_service.database.announcements import BatchFacts
from ocr_service.errors import NotFoundError
from ocr_service.intake import accounting
from ocr_service.records import RejectReason
from ocr_service.states import FileState

router = APIRouter(prefix="/batches")

_BATCHES = 20
_FILES = 100
_Position = Annotated[int | None, Query(ge=1, le=2**63 - 1)]
_State = Annotated[FileState | None, Query()]


@router.get("")
def batch_list(request: Request, session: ReadSession, actor: Staff, before: _Position = None) -> Response:
    """Batches, newest first: a collector's own, everybody's for verifiers."""
    texts = texts_for(request)
    found = accounting.list_batches(session, created_by=owner_seen_by(actor), before_id=before, limit=_BATCHES + 1)
    batches = [show_batch(standing, texts) for standing in found[:_BATCHES]]
    return render(
        request,
        "partials/batch_rows.html" if is_fragment(request) else "batches.html",
        page="batches",
        reviewer=actor.name,
        batches=batches,
        more=f"/batches?before={batches[-1].id}" if len(found) > _BATCHES else "",
    )


@router.get("/{batch_id}")
def batch_page(
    batch_id: RowId,
    request: Request,
    session: ReadSession,
    actor: Staff,
    state: _State = None,
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
    retried: Annotated[int | None, Query(ge=0, le=10_000_000)] = None,
) -> Response:
    """The whole page of a batch."""
    batch = seen_batch(session, batch_id, actor)
    return render(
        request,
        "batch.html",
        page="batches",
        reviewer=actor.name,
        retried=retried,
        **_account(request, session, batch, actor),
        **_files(request, session, batch_id, state, after),
    )


@router.get("/{batch_id}/account")
def batch_account(batch_id: RowId, request: Request, session: ReadSession, actor: Staff) -> Response:
    """The part of the page that is asked for again while something moves."""
    batch = seen_batch(session, batch_id, actor)
    return render(request, "partials/batch_account.html", **_account(request, session, batch, actor))


@router.get("/{batch_id}/files")
def batch_files(
    batch_id: RowId,
    request: Request,
    session: ReadSession,
    actor: Staff,
    state: _State = None,
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
) -> Response:
    """The list of files in one state, or further rows of it."""
    seen_batch(session, batch_id, actor)
    template = "partials/batch_file_rows.html" if after else "partials/batch_files.html"
    return render(request, template, **_files(request, session, batch_id, state, after))


@router.post("/{batch_id}/retry")
def retry(
    batch_id: RowId, session: WriteSession, actor: Staff, reason: Annotated[RejectReason | None, Form()] = None
) -> Response:
    """Read again what was set aside, for one reason or for any."""
    seen_batch(session, batch_id, actor)
    count = accounting.retry_batch(session, batch_id, reason)
    return RedirectResponse(f"/batches/{batch_id}?retried={count}", status_code=HTTPStatus.SEE_OTHER)


def owner_seen_by(actor: Actor) -> str | None:
    """Whose batches an actor sees; None is everybody's."""
    return None if actor.may(Role.VERIFIER) else actor.name


def seen_batch(session: Session, batch_id: int, actor: Actor) -> BatchFacts:
    """A batch that the actor may see. Raises ``NotFoundError``, also for one of others."""
    batch = accounting.get_batch(session, batch_id)
    if owner_seen_by(actor) not in (None, batch.created_by):
        raise NotFoundError(f"there is no batch {batch_id}")
    return batch


def _account(request: Request, session: Session, batch: BatchFacts, actor: Actor) -> dict[str, Any]:
    return {
        "batch": show_batch(accounting.batch_standing(session, batch), texts_for(request)),
        "bar_units": BAR_UNITS,
        "may_send": actor.may(Role.COLLECTOR),
    }


def _files(request: Request, session: Session, batch_id: int, state: FileState | None, after: int) -> dict[str, Any]:
    found = accounting.list_files(session, batch_id, state=state, after_id=after, limit=_FILES + 1)
    files, more = found[:_FILES], len(found) > _FILES
    asked = {"state": str(state)} if state is not None else {}
    query = urlencode(asked | {"after": files[-1].id}) if more else ""
    return {
        "batch_id": batch_id,
        "files": show_files(files, texts_for(request)),
        "state": state,
        "more": query,
    }
