"""Templates become pages: language, texts and addresses of static files are given to every one of them."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta, timezone
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.i18n import Language, Texts
from api.pages.amounts import show_count

WEB = Path(__file__).parent.parent / "web"
LANGUAGE_COOKIE = "language"
_VIETNAM = timezone(timedelta(hours=7))  # one zone, no summer time


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(WEB / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = asset
    environment.globals["amount"] = show_count
    environment.filters["local_time"] = local_time
    return environment


@cache
def asset(path: str) -> str:
    """Address of a static file that changes with its content, so that browsers may keep it."""
    digest = hashlib.sha256((WEB / "static" / path).read_bytes()).hexdigest()
    return f"/static/{path}?v={digest[:12]}"


def local_time(moment: datetime) -> str:
    """A moment as people in Vietnam write it."""
    return moment.astimezone(_VIETNAM).strftime("%d/%m/%Y %H:%M")


def texts_for(request: Request) -> Texts:
    """The texts in the language that the person chose."""
    return Texts(Language.chosen(request.cookies.get(LANGUAGE_COOKIE)))


def is_fragment(request: Request) -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get("hx-request") == "true"


def render(
    request: Request,
    template: str,
    *,
    page: str = "",
    reviewer: str = "",
    status: int = HTTPStatus.OK,
    **context: Any,
) -> HTMLResponse:
    """A page. ``page`` names its entry in the navigation, ``reviewer`` the person whom the audit log will name."""
    texts = texts_for(request)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    html = (
        _environment()
        .get_template(template)
        .render(t=texts, lang=str(texts.language), page=page, reviewer=reviewer, here=here, **context)
    )
    return HTMLResponse(html, status_code=status, headers={"Vary": "Cookie, HX-Request"})
