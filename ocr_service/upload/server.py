"""The service's routes for collectors, as values: batches, announcements, files, receipts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx

from ocr_service.errors import UsageError
from ocr_service.states import FileState
from ocr_service.upload.backoff import Backoff
from ocr_service.upload.columns import FileFacts
from ocr_service.upload.journal import Entry
from ocr_service.upload.line import Body, Line, is_loopback
from ocr_service.upload.tally import Tally

MAX_ANNOUNCED = 1000
"""More files in one announcement are refused."""

_OWN_TYPES = ("application/json", "application/problem+json", "application/x-ndjson", "text/csv")


@dataclass(frozen=True, slots=True)
class BatchWish:
    """What a batch should be; ``key`` finds it again."""

    label: str
    key: str
    facts: FileFacts


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes of a file are wanted; ``is_store``: in the object store, and the server has to hear of it."""

    method: str
    url: str
    headers: dict[str, str]
    is_store: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """Where a file stands; ``place`` where its bytes are wanted.

    ``too_late``: what was said of it now is not what the server keeps.
    """

    path: str
    sha256: str
    state: FileState
    detail: str | None
    place: Place | None
    too_late: bool = False


@dataclass(frozen=True, slots=True)
class Unable:
    """Why the server did not take it this time."""

    detail: str


class Server:
    """One service. Thread-safe. Every method asks until it is answered, and raises as ``Line.ask`` does.

    ``UsageError`` where the key is not taken, the batch is gone or the service is of another version.
    """

    def __init__(
        self,
        address: str,
        api_key: str | None,
        *,
        allow_plain_http: bool,
        stop: threading.Event,
        tally: Tally,
        backoff: Backoff,
        give_up_after_s: float | None,
        connections: int,
    ) -> None:
        """Raises ``UsageError`` for an address that is none, or over which the key must not go."""
        self._origin = _origin(address, has_key=api_key is not None, allow_plain_http=allow_plain_http)
        self._api = f"{self._origin}/api/v1"
        # without a key, only the person at the machine is let in, and only from the service's own origin
        self._headers = {"X-API-Key": api_key} if api_key else {"Origin": self._origin}
        self._open: Callable[..., Line] = partial(
            Line,
            stop=stop,
            tally=tally,
            backoff=backoff,
            give_up_after_s=give_up_after_s,
            connections=connections + 1,
        )
        self._line = self._open(self._api, headers=self._headers)
        self._stores: dict[str, Line] = {}
        self._lock = threading.Lock()

    def open_batch(self, wish: BatchWish) -> tuple[int, bool]:
        """Id of the batch with the wish's key, and whether it is new."""
        asked = {"label": wish.label, "key": wish.key, **wish.facts.to_json()}
        answer = self._ask("POST", "/batches", json=asked)
        return int(self._json(answer)["id"]), answer.status_code == HTTPStatus.CREATED

    def find_batch(self, batch_id: int) -> int:
        """The id of a batch that is there."""
        return int(self._json(self._ask("GET", f"/batches/{batch_id}"))["id"])

    def announce(self, batch_id: int, files: Sequence[tuple[Entry, FileFacts]]) -> list[Answer] | Unable:
        """Say what is to come, ``MAX_ANNOUNCED`` files at most; where each stands, in order."""
        asked = [
            {"path": e.path, "sha256": e.sha256, "size_bytes": e.size_bytes, **facts.to_json()} for e, facts in files
        ]
        answer = self._ask("POST", f"/batches/{batch_id}/files", json={"files": asked})
        if answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
            return Unable(_detail(answer))
        return self._answers(answer, len(asked))

    def withdraw(self, batch_id: int, files: Sequence[tuple[str, str]]) -> list[Answer]:
        """Say which files will not come, by path and hash; where those stand that the batch has."""
        asked = [{"path": path, "sha256": sha256} for path, sha256 in files]
        return self._answers(self._ask("POST", f"/batches/{batch_id}/files/withdraw", json={"files": asked}))

    def put(self, place: Place, body: Body, size_bytes: int) -> Answer | Unable | None:
        """Hand in bytes; None where they went to the object store and ``complete`` has to tell."""
        headers = {**place.headers, "Content-Length": str(size_bytes)}
        if place.is_store:
            answer = self._store(place.url).ask(place.method, place.url, body=body, headers=headers, gives_way=True)
            if answer.is_success:
                return None
            return Unable(f"the object store does not take it: {answer.status_code} {answer.text[:200]}")
        path = urlsplit(place.url).path.removeprefix("/api/v1")  # whatever host it names, the key goes to ours alone
        answer = self._ask(place.method, path, body=body, headers=headers, gives_way=True)
        return _answer(self._json(answer)) if answer.is_success else Unable(_detail(answer))

    def complete(self, batch_id: int, sha256s: Sequence[str]) -> list[Answer]:
        """Say which bytes lie in the object store; where their files stand now."""
        return self._answers(self._ask("POST", f"/batches/{batch_id}/files/complete", json={"sha256": list(sha256s)}))

    def put_tar(self, batch_id: int, body: Body) -> Unable | None:
        """Hand in many files as one tar archive; what became of each, the next announcement says."""
        headers = {"Content-Type": "application/x-tar"}
        answer = self._ask("POST", f"/batches/{batch_id}/tar", body=body, headers=headers, gives_way=True)
        return None if answer.is_success else Unable(_detail(answer))

    def receipt(self, batch_id: int) -> bytes:
        """The receipt of a batch, as CSV."""
        return self._checked(self._ask("GET", f"/batches/{batch_id}/receipt")).content

    def close(self) -> None:
        """Close all connections."""
        for line in (self._line, *self._stores.values()):
            line.close()

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = self._line.ask(method, f"{self._api}{path}", is_own=_is_own, **options)
        match answer.status_code:
            case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
                hint = "check HEADSTONE_API_KEY or --key-file"
                raise UsageError(f"{self._origin} does not let this key in: {_detail(answer)} ({hint})")
            case HTTPStatus.MISDIRECTED_REQUEST:
                raise UsageError(f"{self._origin} is not the service's own name: {_detail(answer)}")
        return answer

    def _store(self, url: str) -> Line:
        """The line to the host of an object store; the key never goes there."""
        host = urlsplit(url).netloc
        with self._lock:
            if host not in self._stores:
                self._stores[host] = self._open(url, headers={})
            return self._stores[host]

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if not answer.is_success:
            raise UsageError(f"{self._origin} refuses: {_detail(answer)}")
        return answer

    def _json(self, answer: httpx.Response) -> Any:
        return self._checked(answer).json()

    def _answers(self, answer: httpx.Response, count: int | None = None) -> list[Answer]:
        said = self._json(answer)
        try:
            answers = [_answer(item) for item in said["files"]]
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"{self._origin} is of another version than this program ({error}); renew one") from error
        if count is not None and len(answers) != count:
            raise UsageError(
                f"{self._origin} answers for {len(answers)} of {count} files; renew one of the two programs"
            )
        return answers


def _origin(address: str, *, has_key: bool, allow_plain_http: bool) -> str:
    parts = urlsplit(address if "://" in address else f"https://{address}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{address!r} is no address of a service; give one as https://headstone.example.vn")
    if parts.scheme == "http" and has_key and not (is_loopback(parts.hostname) or allow_plain_http):
        raise UsageError(
            f"the key would go to {parts.hostname} unprotected; use https://, or --insecure where nobody can listen"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _is_own(answer: httpx.Response) -> bool:
    return answer.headers.get("content-type", "").partition(";")[0].strip() in _OWN_TYPES


def _detail(answer: httpx.Response) -> str:
    """What a problem document says (RFC 9457)."""
    try:
        said = answer.json()
        return str(said.get("detail") or said.get("title"))
    except (ValueError, AttributeError):
        return f"{answer.status_code} {answer.reason_phrase}"


def _answer(said: Any) -> Answer:
    place = said.get("upload")
    problem = said.get("problem") or {}
    return Answer(
        path=str(said["path"]),
        sha256=str(said["sha256"]),
        state=FileState(said["state"]),
        detail=problem.get("detail") or problem.get("title"),
        place=Place(place["method"], place["url"], dict(place["headers"]), bool(place["complete"])) if place else None,
        too_late=bool(said.get("too_late")),
    )
