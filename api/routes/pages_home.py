"""The overview: what waits, how far batches are, why photos were set aside, what was decided last."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.deps import ReadSession, Staff, WriteSession
from api.pages.batches import show_batch
from api.pages.history import recent_decisions
from api.pages.render import is_fragment, render, texts_for
from api.routes.pages_batches import owner_seen_by
from ocr_service import intake, verification
from ocr_service.database import overview
from ocr_service.database.types import utc_now
from ocr_service.intake import accounting
from ocr_service.records import RejectReason
from ocr_service.states import PhotoState

router = APIRouter()

_BATCHES = 5
_DECISION_ROWS = 60  # a decision takes a row for its state and one for each changed field


@router.get("/")
def home(
    request: Request,
    session: ReadSession,
    actor: Staff,
    retried: Annotated[int | None, Query(ge=0, le=10_000_000)] = None,
) -> Response:
    """The whole page, or its middle where htmx asks for it again."""
    texts = texts_for(request)
    counts = intake.count_photos(session)
    batches = accounting.list_batches(session, created_by=owner_seen_by(actor), limit=_BATCHES)
    return render(
        request,
        "partials/overview.html" if is_fragment(request) else "home.html",
        page="home",
        reviewer=actor.name,
        counts=counts,
        waiting=counts[PhotoState.IN_VERIFICATION],
        working=counts[PhotoState.RECEIVED] + counts[PhotoState.READING],
        total=sum(counts.values()),
        batches=[show_batch(standing, texts) for standing in batches],
        reasons=overview.reasons(session),
        recent=recent_decisions(verification.audit_page(session, limit=_DECISION_ROWS), texts),
        retried=retried,
        now=utc_now(),
    )


@router.post("/photos/retry")
def retry_all(
    session: WriteSession,
    _actor: Staff,
    state: Annotated[PhotoState, Form()],
    reason: Annotated[RejectReason | None, Form()] = None,
) -> Response:
    """Put every photo that was set aside for one reason back into the queue."""
    photo_ids = overview.photos_set_aside(session, state, reason)
    for photo_id in photo_ids:
        intake.retry(session, photo_id)
    return RedirectResponse(f"/?retried={len(photo_ids)}", status_code=HTTPStatus.SEE_OTHER)
