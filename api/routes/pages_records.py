"""What was verified, and single photos: search, record with its history, photo with what became of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.deps import ReadSession, Staff, Verifier, WriteSession
from api.pages.history import decisions
from api.pages.origins import show_origin
from api.pages.records import show_listed, show_record
from api.pages.render import is_fragment, render, texts_for
from api.params import RowId
from api.routes.pages_batches import owner_seen_by
from ocr_service import intake, publication, verification
from ocr_service.intake import accounting
from ocr_service.states import VERIFIED_STATES, PhotoState, RecordState

router = APIRouter()

_ROWS = 50
_PREVIEW_SIDE_PX = 1200
_Text = Annotated[str, Query(max_length=200)]
_Year = Annotated[str, Query(max_length=10)]
_After = Annotated[int, Query(ge=0, le=2**63 - 1)]


@router.get("/records")
def search(
    request: Request,
    session: ReadSession,
    actor: Verifier,
    q: _Text = "",
    hometown: _Text = "",
    birth_year: _Year = "",
    death_year: _Year = "",
    after: _After = 0,
) -> Response:
    """Verified records that meet what was typed; half a year, as it is while typing, is no condition yet."""
    texts = texts_for(request)
    asked = {"q": q.strip(), "hometown": hometown.strip(), "birth_year": birth_year, "death_year": death_year}
    years = {name: _year(asked[name]) for name in ("birth_year", "death_year")}
    found = publication.search_records(
        session,
        q=asked["q"] or None,
        hometown=asked["hometown"] or None,
        birth_year=years["birth_year"],
        death_year=years["death_year"],
        after_id=after,
        limit=_ROWS + 1,
    )
    rows, has_more = found[:_ROWS], len(found) > _ROWS
    conditions = {name: text for name, text in asked.items() if text}
    more = "/records?" + urlencode(conditions | {"after": str(rows[-1].id)}) if has_more else ""
    return render(
        request,
        "partials/results.html" if is_fragment(request) else "records.html",
        page="records",
        reviewer=actor.name,
        asked=asked,
        is_asked=bool(conditions),
        bad_year=any(asked[name] and years[name] is None for name in years),
        rows=[show_listed(record, texts) for record in rows],
        more=more,
        is_continued=after > 0,
    )


@router.get("/records/{record_id}")
def record_page(record_id: RowId, request: Request, session: ReadSession, actor: Verifier) -> Response:
    """A record with everything that was decided on it; a draft goes to verification."""
    view = verification.get_record(session, record_id)
    if view.state is RecordState.DRAFT:
        return RedirectResponse(f"/verify/{record_id}", status_code=HTTPStatus.SEE_OTHER)
    texts = texts_for(request)
    return render(
        request,
        "record.html",
        page="records",
        reviewer=actor.name,
        record=show_record(view, texts),
        view=view,
        is_verified=view.state in VERIFIED_STATES,
        image_url=f"/api/v1/photos/{view.photo.id}/image?size={_PREVIEW_SIDE_PX}",
        history=list(reversed(decisions(verification.history(session, record_id), texts))),
    )


@router.get("/photos")
def photo_list(
    request: Request,
    session: ReadSession,
    actor: Staff,
    state: Annotated[PhotoState | None, Query()] = None,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> Response:
    """Photos, newest first."""
    found = intake.list_photos(session, state=state, before_id=before, limit=_ROWS + 1)
    rows, has_more = found[:_ROWS], len(found) > _ROWS
    conditions = {"state": state, "before": rows[-1].id if rows else None}
    more = "/photos?" + urlencode({name: str(value) for name, value in conditions.items() if value is not None})
    return render(
        request,
        "photos.html",
        page="home",
        reviewer=actor.name,
        state=state,
        photos=rows,
        more=more if has_more else "",
    )


@router.get("/photos/{photo_id}")
def photo_page(photo_id: RowId, request: Request, session: ReadSession, actor: Staff) -> Response:
    """One photo: what became of it, and what to do where it was set aside."""
    photo = intake.get_photo(session, photo_id)
    batch = accounting.get_batch(session, photo.batch_id) if photo.batch_id is not None else None
    is_waiting = photo.state in (PhotoState.RECEIVED, PhotoState.READING)
    return render(
        request,
        "partials/photo.html" if is_fragment(request) else "photo.html",
        page="home",
        reviewer=actor.name,
        photo=photo,
        batch=batch if batch is not None and owner_seen_by(actor) in (None, batch.created_by) else None,
        origin=show_origin(photo.origin),
        is_waiting=is_waiting,
        is_set_aside=photo.state in (PhotoState.REJECTED, PhotoState.FAILED),
        image_url=f"/api/v1/photos/{photo_id}/image?size={_PREVIEW_SIDE_PX}",
    )


@router.post("/photos/{photo_id}/retry")
def retry(photo_id: RowId, session: WriteSession, _actor: Staff, back: Annotated[bool, Form()] = False) -> Response:
    """Read a photo again that was set aside."""
    intake.retry(session, photo_id)
    return RedirectResponse("/?retried=1" if back else f"/photos/{photo_id}", status_code=HTTPStatus.SEE_OTHER)


def _year(text: str) -> int | None:
    return int(text) if len(text) == 4 and text.isascii() and text.isdecimal() else None
