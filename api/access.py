"""Who is asking, and whether they may.

On loopback the person at this machine is trusted with everything, as the OS user. A web page that this person visits is
not: it may send requests here (CSRF) or point its own name at 127.0.0.1 (DNS rebinding), so Host must name this service
and whatever changes something must come from its own origin. Anywhere else an API key is needed.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Request, Security
from fastapi.security import APIKeyHeader, HTTPBasic, HTTPBearer
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from api.keys import ALL_ROLES, KeyRing, Role
from api.problems import ProblemError
from ocr_service.errors import UsageError
from ocr_service.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")

# Named for OpenAPI; the credentials themselves are read in one place below.
_bearer = HTTPBearer(auto_error=False, scheme_name="bearer", description="An API key as bearer token.")
_header = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="apiKey", description="An API key.")
_basic = HTTPBasic(
    auto_error=False, scheme_name="basic", description="For browsers: any user name, the API key as password."
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: ``name`` stands in the audit log."""

    name: str
    roles: frozenset[Role]

    def may(self, role: Role) -> bool:
        """Whether the actor has a role; an admin has every one."""
        return role in self.roles or Role.ADMIN in self.roles


def check_start(settings: Settings, keys: KeyRing) -> None:
    """Refuse to start where anybody on the network could come in. Raises ``UsageError``."""
    if not settings.listens_on_loopback and not keys.keys:
        raise UsageError(
            f"listening on {settings.host} needs API keys: make one with python -m api.keys and name its file in "
            "HEADSTONE_API_KEYS_FILE, or listen on 127.0.0.1"
        )


def host_is_ours(settings: Settings, headers: Headers) -> bool:
    """Whether the Host header names this service; without a list, a public one answers to any name."""
    name = _host_name(headers.get("host", ""))
    if name is None:
        return False
    if settings.listens_on_loopback:
        return name in _LOOPBACK_NAMES or name in settings.allowed_hosts
    return not settings.allowed_hosts or name in settings.allowed_hosts or name in _LOOPBACK_NAMES


def is_same_origin(headers: Headers) -> bool:
    """Whether a browser says that a request comes from our own pages (Fetch Metadata, else Origin)."""
    origin = headers.get("origin")
    if origin is not None:
        return bool(urlsplit(origin).netloc) and urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    return headers.get("sec-fetch-site") == "same-origin"


def identify(request: Request) -> Actor:
    """Who is asking; the guard asks once for each request.

    Raises ``ProblemError`` 401 without credentials or with unknown ones, 403 for a change from a foreign page.
    """
    settings: Settings = request.app.state.settings
    keys: KeyRing = request.app.state.keys
    secret, sent_by_browser_alone = _credential(request.headers)
    if secret is not None:
        key = keys.find(secret)
        if key is None:
            raise ProblemError(HTTPStatus.UNAUTHORIZED, "This API key is not known.", _challenge(request))
        if sent_by_browser_alone:
            _check_origin(request)
        return Actor(key.name, key.roles)
    if not _is_person_at_this_machine(settings, request):
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "An API key is needed here.", _challenge(request))
    _check_origin(request)
    return Actor(settings.reviewer, ALL_ROLES)


def require(*roles: Role) -> Callable[..., Awaitable[Actor]]:
    """A dependency that lets in whoever has one of the roles, and says who it is."""

    async def allowed(
        request: Request,
        _b: Annotated[object, Security(_bearer)],
        _h: Annotated[object, Security(_header)],
        _p: Annotated[object, Security(_basic)],
    ) -> Actor:
        actor: Actor = request.state.actor  # the guard put it there
        if not any(actor.may(role) for role in roles):
            raise ProblemError(HTTPStatus.FORBIDDEN, f"This needs the role {' or '.join(roles)}.")
        return actor

    return allowed


def _check_origin(request: Request) -> None:
    if request.method not in SAFE_METHODS and not is_same_origin(request.headers):
        raise ProblemError(
            HTTPStatus.FORBIDDEN, "Changes are taken from this service's own pages, or with an API key (X-API-Key)."
        )


def _is_person_at_this_machine(settings: Settings, connection: HTTPConnection) -> bool:
    if not settings.listens_on_loopback or any(name in connection.headers for name in _FORWARDED):
        return False
    if connection.client is None:
        return False
    try:
        return ipaddress.ip_address(connection.client.host).is_loopback
    except ValueError:
        return False


def _credential(headers: Headers) -> tuple[str | None, bool]:
    """The key that came, and whether a browser attaches it by itself (Basic), also to foreign requests."""
    if "x-api-key" in headers:
        return headers["x-api-key"], False
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip(), False
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2], True
        except (binascii.Error, UnicodeDecodeError):
            return "", True
    return None, False


def _challenge(request: Request) -> dict[str, str]:
    # a browser only asks its person for a key where a page was wanted
    wants_page = "text/html" in request.headers.get("accept", "")
    return {"WWW-Authenticate": 'Basic realm="Headstone OCR", charset="UTF-8"' if wants_page else "Bearer"}


def _host_name(host: str) -> str | None:
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return None
    return name.lower() if name else None
