"""The OpenAPI document: what FastAPI finds, plus the problems that any route may answer with."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.guard import OPEN_PATHS
from api.problems import Problem, responses

DESCRIPTION = """\
Headstone photos in, verified records out.

Lists are read by cursor: pass `next_cursor` back as `cursor` until it is null. Every error is a problem document
(RFC 9457). On the machine itself the local person is trusted; anywhere else send an API key as `X-API-Key` or as bearer
token. Each fact is given as cut on the stone (`raw`), normalised (`value`) and, once compared, as the roster has it
(`on_record`); dates are EDTF (ISO 8601-2)."""

TAGS = [
    {"name": "records", "description": "Verified records, for portals."},
    {"name": "batches", "description": "Bulk intake: announce files, send them, and account for each."},
    {"name": "photos", "description": "Hand photos in and follow them."},
    {"name": "verification", "description": "The queue of drafts and what people decide."},
    {"name": "audit", "description": "The append-only log of decisions."},
    {"name": "operation", "description": "Whether the service is alive and ready."},
]


def describe(app: FastAPI) -> None:
    """Make the application answer with the full document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, description=DESCRIPTION, tags=TAGS, routes=app.routes
            )
            _add_problems(document)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def _add_problems(document: dict[str, Any]) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            known: dict[str, Any] = operation["responses"]
            usual: tuple[int, ...] = (421, 500, 503) if path in OPEN_PATHS else (401, 403, 421, 500, 503)
            if "requestBody" in operation:
                usual = (*usual, 413)
            if "422" in known:
                known.pop("422")
                usual = (*usual, 422)
            for status, answer in responses(*usual).items():
                known.setdefault(str(status), answer)
            operation["responses"] = dict(sorted(known.items()))
