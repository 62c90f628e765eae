"""The pages for people: overview, upload, batches, verification, records. Their routes stand in one module each."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.deps import Anybody
from api.i18n import Language
from api.pages.render import LANGUAGE_COOKIE, render
from api.problems import Problem
from api.routes import pages_batches, pages_home, pages_records, pages_upload, pages_verify

_YEAR_S = 365 * 24 * 3600

router = APIRouter(include_in_schema=False)
for part in (pages_home, pages_upload, pages_batches, pages_verify, pages_records):
    router.include_router(part.router)


@router.post("/language")
def choose_language(
    _actor: Anybody,
    language: Annotated[str, Form(max_length=8)],
    back: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Remember the language and go back to the page it was chosen on."""
    # a path of ours only: "//elsewhere" and "/\\elsewhere" are other places
    ours = back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable()
    answer = RedirectResponse(back if ours else "/", status_code=HTTPStatus.SEE_OTHER)
    answer.set_cookie(LANGUAGE_COOKIE, Language.chosen(language), max_age=_YEAR_S, httponly=True, samesite="lax")
    return answer


def error_page(request: Request, problem: Problem) -> Response | None:
    """A problem as a page for people."""
    return render(request, "error.html", status=problem.status, problem=problem)
