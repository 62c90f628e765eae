"""Every error leaves as a problem document (RFC 9457); the errors of the application are mapped to HTTP here, once.

The text of an unexpected error stays in the log: it may hold paths, queries or names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from ocr_service.errors import ConflictError, HeadstoneError, NotFoundError, StorageError, UsageError
from ocr_service.records import RejectReason

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:headstone:problem:"

# the nearest class in an error's line of descent decides
_STATUS: Mapping[type[HeadstoneError], tuple[HTTPStatus, str]] = {
    NotFoundError: (HTTPStatus.NOT_FOUND, "not-found"),
    ConflictError: (HTTPStatus.CONFLICT, "conflict"),
    UsageError: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid"),
    StorageError: (HTTPStatus.INSUFFICIENT_STORAGE, "storage"),
    HeadstoneError: (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
}
_CODES = {
    HTTPStatus.BAD_REQUEST: "bad-request",
    HTTPStatus.UNAUTHORIZED: "unauthorized",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too-large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported-media-type",
    HTTPStatus.MISDIRECTED_REQUEST: "misdirected-request",
    HTTPStatus.UNPROCESSABLE_ENTITY: "invalid",
    HTTPStatus.INTERNAL_SERVER_ERROR: "internal",
}

ErrorPage = Callable[[Request, "Problem"], Response | None]


class InvalidPart(BaseModel):
    """One thing wrong in a request."""

    pointer: str = Field(description="Where: query, path or body, and the names below it, parted by slashes.")
    message: str


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:headstone:problem:conflict",
                    "title": "Conflict",
                    "status": 409,
                    "detail": "record 7 is at version 3, not 2; load it again to see why",
                    "instance": "/api/v1/drafts/7/decisions",
                }
            ]
        }
    )

    type: str = Field(description="Kind of problem; stable, meant for programs.")
    title: str = Field(description="The same in words.")
    status: int
    detail: str | None = Field(default=None, description="What happened here and what to do, for people.")
    instance: str | None = Field(default=None, description="The path that was asked for.")
    errors: list[InvalidPart] | None = Field(
        default=None, description="Each thing wrong in a request, where that is known."
    )


class ProblemError(Exception):
    """A refusal of the HTTP side itself: credentials, origin, media type."""

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route answers when it cannot do what was asked, for its OpenAPI entry."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def file_problem(reason: RejectReason, detail: str | None) -> Problem:
    """Why a file is no photo that can be read."""
    return Problem(
        type=f"{TYPE_PREFIX}file-{reason.replace('_', '-')}",
        title=reason.replace("_", " ").capitalize(),
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        detail=detail,
    )


def upload_problem(detail: str) -> Problem:
    """Why the bytes of a file are still awaited."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return Problem(type=f"{TYPE_PREFIX}upload", title="Not the announced bytes", status=status, detail=detail)


def problem_response(
    request: Request,
    status: HTTPStatus,
    detail: str | None,
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[InvalidPart] | None = None,
) -> Response:
    """A problem as JSON, or as a page for people where the pages can show one."""
    problem = Problem(
        type=TYPE_PREFIX + (code or _CODES.get(status, "error")),
        title=status.phrase,
        status=status,
        detail=detail,
        instance=request.url.path,
        errors=list(errors) if errors else None,
    )
    error_page: ErrorPage | None = getattr(request.app.state, "error_page", None)
    wants_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
    if error_page is not None and wants_page:
        page = error_page(request, problem)
        if page is not None:
            page.headers.update(headers or {})
            return page
    body = problem.model_dump(mode="json", exclude_none=True)
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def unexpected(request: Request, error: Exception) -> Response:
    """The answer to an error that nobody foresaw; its text goes to the log only."""
    log.error("request failed", path=request.url.path, method=request.method, exc_info=error)
    detail = "Something went wrong inside the service. Nothing was changed; the log says more."
    return problem_response(request, HTTPStatus.INTERNAL_SERVER_ERROR, detail)


def install(app: FastAPI, error_page: ErrorPage | None) -> None:
    """Answer every error of this application with a problem document."""
    app.state.error_page = error_page
    handlers: dict[type[Exception], Callable[..., Awaitable[Response]]] = {
        HeadstoneError: _on_headstone_error,
        ProblemError: _on_problem,
        RequestValidationError: _on_invalid,
        HTTPException: _on_http_exception,
        OperationalError: _on_database_error,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _on_headstone_error(request: Request, error: HeadstoneError) -> Response:
    status, code = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # the message names paths on this machine, which are nobody's business outside
        log.error("request failed", path=request.url.path, error=str(error))
        return problem_response(
            request, status, "The service cannot do this at the moment; its log says why.", code=code
        )
    return problem_response(request, status, str(error), code=code)


async def _on_database_error(request: Request, error: OperationalError) -> Response:
    """Locked for too long, disk full, out of reach: nothing was changed, and the same request may do later."""
    log.error("the database does not answer", path=request.url.path, error=str(error.orig))
    detail = "The database cannot do this at the moment; try again. The log says more."
    return problem_response(request, HTTPStatus.SERVICE_UNAVAILABLE, detail, code="unavailable")


async def _on_problem(request: Request, error: ProblemError) -> Response:
    return problem_response(request, error.status, error.detail, headers=error.headers)


async def _on_invalid(request: Request, error: RequestValidationError) -> Response:
    # what was sent is not repeated: it may be secret, huge, or somebody else's
    parts = [
        InvalidPart(pointer="/".join(str(step) for step in part["loc"]), message=str(part["msg"]))
        for part in error.errors()[:20]
    ]
    detail = "The request does not fit; see errors for each thing that is wrong."
    return problem_response(request, HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=parts)


async def _on_http_exception(request: Request, error: HTTPException) -> Response:
    status = HTTPStatus(error.status_code)
    detail = None if error.detail == status.phrase else str(error.detail)
    return problem_response(request, status, detail, headers=error.headers)
