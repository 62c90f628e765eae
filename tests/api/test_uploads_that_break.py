from __future__ import annotations

import asyncio
import hashlib
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import delivery

DATA = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 700
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def batch(client: TestClient) -> str:
    """The path of a batch with one announced file."""
    batch = f"/api/v1/batches/{client.post('/api/v1/batches', json={'label': 'khu A'}).json()['id']}"
    file = {"path": "1.jpg", "sha256": SHA256, "size_bytes": len(DATA)}
    assert client.post(f"{batch}/files", json={"files": [file]}).status_code == 200
    return batch


def counts(client: TestClient, batch: str) -> dict[str, int]:
    return {state: files for state, files in client.get(batch).json()["counts"].items() if files}


def send(app: FastAPI, method: str, path: str, *events: Any) -> list[Any]:
    """One request as its server sees it: ``events`` come one by one, a number is a pause in seconds."""
    sent: list[Any] = []
    left = list(events)

    async def receive() -> Any:
        if not left:
            await asyncio.sleep(3600)
        event = left.pop(0)
        if isinstance(event, float):
            await asyncio.sleep(event)
            return await receive()
        return event

    async def answer(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1:8000"), (b"origin", b"http://127.0.0.1:8000")]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers,
        "client": ("127.0.0.1", 50_000), "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    asyncio.run(app(scope, receive, answer))
    return sent


def body(data: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


GONE = {"type": "http.disconnect"}


def left_behind(app: FastAPI) -> list[Path]:
    folder: Path = app.state.settings.objects_dir
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("came_bytes", [0, 10, len(DATA) - 1])
def test_an_upload_that_breaks_off_leaves_an_announced_row_alone(
    app: FastAPI, client: TestClient, batch: str, came_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_PIECE_BYTES", 50_000)
    broken = send(app, "PUT", f"{batch}/files/{SHA256}", body(DATA[:came_bytes]), GONE)
    assert broken[0]["status"] == 400  # which nobody hears; no error of the service
    assert (counts(client, batch), left_behind(app)) == ({"announced": 1}, [])
    done = send(app, "PUT", f"{batch}/files/{SHA256}", body(DATA[:900]), body(DATA[900:], more=False))
    assert done[0]["status"] == 200
    assert (counts(client, batch), [path.name for path in left_behind(app)]) == ({"received": 1}, [SHA256])


def test_an_upload_that_falls_silent_is_given_up(
    app: FastAPI, client: TestClient, batch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_STALL_S", 0.05)
    said = send(app, "PUT", f"{batch}/files/{SHA256}", body(DATA[:900]), 5.0, body(DATA[900:], more=False))
    assert said[0]["status"] == 408
    assert (counts(client, batch), left_behind(app)) == ({"announced": 1}, [])


def test_a_tar_whose_sender_goes_away_keeps_what_came_whole(app: FastAPI, client: TestClient, batch: str) -> None:
    member = tarfile.TarInfo("1.jpg")
    member.size = len(DATA)
    whole = member.tobuf() + DATA + bytes(-len(DATA) % 512)
    send(app, "POST", f"{batch}/tar", body(whole), body(member.tobuf() + DATA[:5000]), GONE)
    assert counts(client, batch) == {"received": 1}
    assert [path.name for path in left_behind(app)] == [SHA256]


def test_one_file_sent_many_times_at_once_is_one_photo(client: TestClient, batch: str) -> None:
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: client.put(f"{batch}/files/{SHA256}", content=DATA), range(6)))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert {(answer.json()["state"], answer.json()["photo_id"]) for answer in answers} == {("received", 1)}
    assert counts(client, batch) == {"received": 1}
