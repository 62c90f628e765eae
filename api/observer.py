"""Every request is timed, counted and logged, with an id that the answer carries as ``X-Request-ID``.

A log line names route, ids, status and who asked; never the query, in which people look for names, nor a raw path.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ocr_service import metrics

log = structlog.get_logger(__name__)

REQUEST_ID = "x-request-id"
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_UNNAMED = "other"
_ASKED_BY_MACHINES = frozenset({"/healthz", "/readyz", "/metrics"})
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_INTERNAL_ERROR = 500


class Observer:
    """ASGI middleware outside of everything, also of who is refused."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _ACCEPTABLE_ID.fullmatch(given) else uuid.uuid4().hex
        status = _INTERNAL_ERROR  # what a connection that breaks off without an answer counts as

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_id)
            finally:
                _note(scope, status, time.perf_counter() - started)


def _note(scope: Scope, status: int, seconds: float) -> None:
    route = route_template(scope)
    method = scope["method"] if scope["method"] in _METHODS else _UNNAMED  # anything can be sent as a method
    metrics.HTTP_SECONDS.labels(method=method, route=route, status=str(status)).observe(seconds)
    actor = scope.get("state", {}).get("actor")
    facts = {
        "method": method,
        "route": route,
        "status": status,
        "ms": round(seconds * 1000, 1),
        "actor": getattr(actor, "name", None),
        **_ids(scope),
    }
    # who asks every few seconds whether all is well fills no log, unless it is not
    say = log.debug if route in _ASKED_BY_MACHINES and status < _INTERNAL_ERROR else log.info
    say("request", **facts)


def route_template(scope: Scope) -> str:
    """The path with names in place of values, ``/api/v1/photos/{photo_id}``; files and unknown paths are ``other``."""
    route = getattr(scope.get("route"), "path", None)
    if not isinstance(route, str):
        return _UNNAMED
    # the template lacks the prefix under which its router was included; the path has it
    template, came = route.split("/"), scope["path"].split("/")
    return "/".join([*came[: len(came) - len(template) + 1], *template[1:]])


def _ids(scope: Scope) -> dict[str, Any]:
    """Ids in the path; numbers only, as what else stands in a path came from outside."""
    values = scope.get("path_params", {}).items()
    return {name: int(value) for name, value in values if name.endswith("_id") and str(value).isdecimal()}
