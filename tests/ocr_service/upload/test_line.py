"""What stands between a collector and the service: outages, restarts, full disks, portals, wrong keys."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ocr_service.errors import UsageError
from ocr_service.upload.backoff import Backoff
from ocr_service.upload.columns import FileFacts
from ocr_service.upload.line import GaveUpError, StoppedError
from ocr_service.upload.server import BatchWish, Place, Server, Unable
from ocr_service.upload.tally import Tally

WISH = BatchWish("khu A", "usb", FileFacts())
Reply = tuple[int, dict[str, str], bytes]
JSON = {"Content-Type": "application/json"}
OPENED: Reply = (201, JSON, b'{"id": 7}')


def problem(status: int, detail: str) -> Reply:
    return status, {"Content-Type": "application/problem+json"}, json.dumps({"detail": detail}).encode()


class Scripted:
    """Answers one reply after the other, the last one for ever; a status of 0 hangs up."""

    def __init__(self, replies: list[Reply]) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _reply(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                script.asked.append((f"{self.command} {self.path}", headers, body))
                status, headers, body = replies.pop(0) if len(replies) > 1 else replies[0]
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = _reply  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def replies() -> Iterator[Callable[..., Scripted]]:
    started: list[Scripted] = []

    def start(*given: Reply) -> Scripted:
        started.append(Scripted(list(given)))
        return started[-1]

    yield start
    for script in started:
        script.close()


def server(address: str, key: str | None = "secret", *, stop: threading.Event | None = None, **options: Any) -> Server:
    return Server(
        address,
        key,
        **{
            "allow_plain_http": False,
            "stop": stop or threading.Event(),
            "tally": Tally(),
            "backoff": Backoff(0.001, 0.002),
            "give_up_after_s": None,
            "connections": 1,
            **options,
        },
    )


def test_whatever_breaks_is_asked_again_until_the_answer_comes(replies: Any) -> None:
    script = replies(
        (0, {}, b""),
        (500, {}, b"oops"),
        (502, {"Content-Type": "text/html"}, b"<html>bad gateway"),
        problem(503, "the database does not answer"),
        problem(507, "the disk is full"),
        (429, {"Retry-After": "0"}, b""),
        OPENED,
    )
    assert server(script.address).open_batch(WISH) == (7, True)
    assert len(script.asked) == 7
    assert {headers["x-api-key"] for _, headers, _ in script.asked} == {"secret"}


def test_nobody_at_the_address_is_asked_again_until_the_time_is_up_and_then_said(replies: Any) -> None:
    gone = replies(OPENED)
    gone.close()
    tally = Tally()
    with pytest.raises(GaveUpError, match="cannot be reached"):
        server(gone.address, tally=tally, give_up_after_s=0.05).open_batch(WISH)
    trouble = tally.progress().trouble
    assert trouble is not None
    assert "127.0.0.1" in trouble


def test_a_run_that_is_stopped_waits_for_nothing(replies: Any) -> None:
    script = replies(problem(503, "wait"))
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(StoppedError):
        server(script.address, stop=stop, backoff=Backoff(3600, 3600)).open_batch(WISH)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_taken_ends_the_run_with_what_to_check(replies: Any, status: int) -> None:
    script = replies(problem(status, "This API key is not known."))
    with pytest.raises(UsageError, match=r"not known.*HEADSTONE_API_KEY") as found:
        server(script.address).open_batch(WISH)
    assert "secret" not in str(found.value)
    assert len(script.asked) == 1


def test_another_service_at_the_address_is_told_at_once_and_the_key_follows_no_redirect(replies: Any) -> None:
    other = replies(OPENED)
    moved = replies((301, {"Location": f"{other.address}/api/v1/batches"}, b""))
    with pytest.raises(UsageError, match=r"check the address.*--server"):
        server(moved.address).open_batch(WISH)
    assert other.asked == []
    page = replies((200, {"Content-Type": "text/html"}, b"<html>"))
    with pytest.raises(UsageError, match="--server"):
        server(page.address).open_batch(WISH)


def test_a_portal_that_comes_between_later_is_waited_out(replies: Any) -> None:
    login = (302, {"Location": "http://hotel.example/login", "Content-Type": "text/html"}, b"<html>")
    forbidden = (403, {"Content-Type": "text/html"}, b"<html>pay first")
    script = replies(OPENED, login, forbidden, OPENED)
    asked = server(script.address)
    assert asked.open_batch(WISH) == (7, True)
    assert asked.open_batch(WISH) == (7, True)
    assert len(script.asked) == 4


def test_the_key_goes_to_the_service_alone_and_never_to_the_object_store(replies: Any) -> None:
    store = replies((200, {}, b""))
    script = replies(OPENED)
    asked = server(script.address)
    place = Place("PUT", f"{store.address}/bucket/incoming/ab?X-Amz-Signature=1", {"Content-Type": "image/jpeg"}, True)
    assert asked.put(place, lambda: iter([b"ab", b"c"]), 3) is None
    ((line, headers, body),) = store.asked
    assert (line, body) == ("PUT /bucket/incoming/ab?X-Amz-Signature=1", b"abc")
    assert "x-api-key" not in headers
    assert (headers["content-length"], headers["content-type"]) == ("3", "image/jpeg")
    assert "transfer-encoding" not in headers


def test_a_place_that_has_expired_is_an_answer_and_no_reason_to_wait(replies: Any) -> None:
    store = replies((403, {"Content-Type": "application/xml"}, b"<Error><Code>AccessDenied</Code></Error>"))
    place = Place("PUT", f"{store.address}/bucket/x", {}, True)
    answer = server(replies(OPENED).address).put(place, lambda: iter([b"abc"]), 3)
    assert isinstance(answer, Unable)
    assert "403" in answer.detail


def test_a_file_that_the_server_breaks_on_gives_way_to_the_others(replies: Any) -> None:
    script = replies((500, {}, b""))
    place = Place("PUT", "/api/v1/batches/7/files/ab", {}, False)
    assert isinstance(server(script.address).put(place, lambda: iter([b"abc"]), 3), Unable)
    assert len(script.asked) == 5


@pytest.mark.parametrize(
    ("address", "key", "insecure", "is_fine"),
    [
        ("https://headstone.example.vn", "secret", False, True),
        ("headstone.example.vn", "secret", False, True),
        ("http://headstone.example.vn", "secret", False, False),
        ("http://headstone.example.vn", "secret", True, True),
        ("http://headstone.example.vn", None, False, True),
        ("http://127.0.0.1:8000", "secret", False, True),
        ("http://[::1]:8000", "secret", False, True),
        ("http://localhost:8000/", "secret", False, True),
        ("http://127.0.0.1.example.vn", "secret", False, False),
        ("ftp://headstone.example.vn", "secret", False, False),
        ("https://", "secret", False, False),
    ],
)
def test_a_key_goes_over_tls_or_stays_on_this_machine(
    address: str, key: str | None, insecure: bool, is_fine: bool
) -> None:
    if is_fine:
        server(address, key, allow_plain_http=insecure).close()
        return
    with pytest.raises(UsageError):
        server(address, key, allow_plain_http=insecure)
