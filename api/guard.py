"""The outermost layer: everybody is named or refused, every answer carries security headers, no error escapes.

It stands in front of pages and files as well as routes, so a new route cannot forget it; routes only ask for roles.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import host_is_ours, identify
from api.problems import ProblemError, problem_response, unexpected
from ocr_service.settings import Settings

SECURITY_HEADERS = {
    # blob: and data: pictures are previews of files chosen for upload
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "geolocation=(), microphone=(), camera=()",
}


def _security_headers(settings: Settings) -> dict[str, str]:
    """Headers of every answer; pages may send photos to the object store where browsers can reach it."""
    if not settings.s3_public_endpoint:
        return SECURITY_HEADERS
    where = urlsplit(settings.s3_public_endpoint)
    policy = f"{SECURITY_HEADERS['content-security-policy']}; connect-src 'self' {where.scheme}://{where.netloc}"
    return SECURITY_HEADERS | {"content-security-policy": policy}


OPEN_PATHS = frozenset({"/healthz"})


MAX_BODY_BYTES = 4_000_000
"""Of anything but an upload: a thousand announced files with long paths, each character of them escaped."""

_STREAMED = re.compile(r"PUT /api/v1/batches/[0-9]+/files/[0-9a-f]+|POST /api/v1/batches/[0-9]+/tar")


def _limited(request: Request) -> Receive:
    """The request's body, refused beyond the limit. Uploads stream to disk and have limits of their own."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return request.receive
    if _STREAMED.fullmatch(f"{request.method} {request.url.path}"):
        return request.receive
    came_bytes = 0

    async def receive() -> Message:
        nonlocal came_bytes
        message = await request.receive()
        came_bytes += len(message.get("body", b""))
        if came_bytes > MAX_BODY_BYTES:
            # any other error while a body is read, FastAPI takes for a body that it cannot parse, and answers 400
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too long.")
        return message

    return receive


class Guard:
    """ASGI middleware around everything else; ``request.state.actor`` is who asks."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.headers = _security_headers(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        request = Request(scope, receive)
        if not host_is_ours(self.settings, request.headers):
            refusal = problem_response(request, HTTPStatus.MISDIRECTED_REQUEST, "This service has another name.")
            await refusal(scope, receive, send_with_headers)
            return
        if request.url.path not in OPEN_PATHS:
            try:
                request.state.actor = identify(request)
            except ProblemError as error:
                refusal = problem_response(request, error.status, error.detail, headers=error.headers)
                await refusal(scope, receive, send_with_headers)
                return
        try:
            await self.app(scope, _limited(request), send_with_headers)
        except Exception as error:
            response = unexpected(request, error)
            if started:
                raise  # half an answer is out; ending the connection is the only honest thing left
            await response(scope, receive, send_with_headers)
