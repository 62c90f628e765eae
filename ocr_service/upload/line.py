"""One connection to the outside that asks until it is answered: through outages, restarts and captive portals.

What is retried, for days if it must be: whatever breaks the connection, 408, 425, 429, 5xx, and answers that are not
the service's own once it has been reached. Time-outs are for a line that stands still, never for a slow file.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from ocr_service.errors import UsageError
from ocr_service.upload.backoff import Backoff, retry_after_s
from ocr_service.upload.tally import Tally

_STALL_S = 60.0
"""No byte went, or none was acknowledged, for so long: the line is dead, whatever the system still hopes for."""

_ANSWER_S = 300.0
"""The system still holds up to ``_SEND_BUFFER_BYTES`` when the last byte was handed to it; then the server works."""

_SEND_BUFFER_BYTES = 262_144
"""At 1 kB/s it empties within the time for an answer; at 300 ms it lets 800 kB/s through each connection."""

_AGAIN = frozenset({408, 425, 429})
_LASTING_ERRORS = 5
"""A file that the server breaks on (500) so many times in a row is set aside; its neighbours go on."""

Body = Callable[[], Iterable[bytes]]


class StoppedError(Exception):
    """The upload was told to stop."""


class GaveUpError(Exception):
    """Nothing went through for as long as was allowed."""


class Line:
    """Sends requests until they are answered. Thread-safe."""

    def __init__(
        self,
        address: str,
        *,
        headers: dict[str, str],
        stop: threading.Event,
        tally: Tally,
        backoff: Backoff,
        give_up_after_s: float | None,
        connections: int,
    ) -> None:
        """``address`` is any URL of the host; ``headers`` go with every request."""
        self._client = httpx.Client(
            headers={"User-Agent": "headstone-upload", **headers},
            transport=_transport(address, connections),
            timeout=httpx.Timeout(_STALL_S, read=_ANSWER_S, pool=None),
        )
        self._host = urlsplit(address).netloc
        self._stop, self._tally, self._backoff = stop, tally, backoff
        self._give_up_after_s = give_up_after_s
        self._was_reached = False

    def ask(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        body: Body | None = None,
        headers: dict[str, str] | None = None,
        is_own: Callable[[httpx.Response], bool] = lambda _: True,
        gives_way: bool = False,
    ) -> httpx.Response:
        """The answer: 2xx or 4xx, or 500 where the server keeps breaking on a request that ``gives_way`` to others.

        ``body`` is called for each try. ``is_own`` tells the service's answers from those of boxes in between.
        Raises ``StoppedError``, ``GaveUpError``, and ``UsageError`` where something else lives at the address.
        """
        failures = broken = 0
        while True:
            if self._stop.is_set():
                raise StoppedError
            asked_s = 0.0
            try:
                answer = self._client.request(
                    method, url, json=json, content=body() if body else None, headers=headers or {}
                )
            except (httpx.TransportError, httpx.DecodingError) as error:
                trouble = f"{self._host} cannot be reached ({_cause(error)})"
            else:
                broken = broken + 1 if answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR else 0
                if self._holds(answer, is_own) or (gives_way and broken >= _LASTING_ERRORS):
                    self._tally.note_answer()
                    return answer
                trouble = f"{self._host} answers {answer.status_code} {answer.reason_phrase}"
                asked_s = retry_after_s(answer.headers.get("retry-after")) or 0.0
            failures += 1
            silent_s = self._tally.note_trouble(trouble)
            if self._give_up_after_s is not None and silent_s >= self._give_up_after_s:
                raise GaveUpError(trouble)
            self._stop.wait(max(asked_s, self._backoff.wait_s(failures)))

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _holds(self, answer: httpx.Response, is_own: Callable[[httpx.Response], bool]) -> bool:
        status = answer.status_code
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _AGAIN:
            return False
        if not is_own(answer):
            if self._was_reached:
                return False  # a portal that wants a login, a proxy's page: the line is not what it was
            where = f" (it sends to {answer.headers['location']})" if "location" in answer.headers else ""
            raise UsageError(
                f"{self._host} answers {status}, but not as this service does{where}; check the address in --server"
            )
        self._was_reached = True
        return True


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _cause(error: Exception) -> str:
    said = str(error).rpartition("] ")[2].rstrip(".")  # without the system's number
    return said or type(error).__name__


def _transport(address: str, connections: int) -> httpx.HTTPTransport:
    parts = urlsplit(address)
    host = parts.hostname or ""
    proxy = None if is_loopback(host) or proxy_bypass(host) else getproxies().get(parts.scheme)
    options: list[tuple[int, int, int]] = [
        (socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    ]
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux (RFC 5482)
        options.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(_STALL_S * 1000)))
    return httpx.HTTPTransport(
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        proxy=httpx.Proxy(proxy) if proxy else None,
        socket_options=options,
    )
