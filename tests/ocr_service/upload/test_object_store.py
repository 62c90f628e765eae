"""Bytes that go to an S3 store by presigned addresses, and not through the service."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from bench.services import Weed
from ocr_service.states import FileState
from ocr_service.upload import Ending, sending
from ocr_service.upload.line import StoppedError
from ocr_service.upload.server import Server


@pytest.fixture
def s3_service(weed: Weed, another_service: Any) -> Any:
    return another_service(
        s3_endpoint=weed.endpoint,
        s3_public_endpoint=f"http://{weed.endpoint}",
        s3_secure=False,
        s3_bucket=f"upload-{uuid.uuid4().hex[:12]}",
        s3_access_key=weed.access_key,
        s3_secret_key=weed.secret_key,
    )


def test_bytes_go_to_the_store_and_the_service_hears_of_them(
    s3_service: Any, send: Any, photos: Path, hashes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_COMPLETED_AT_ONCE", 5)
    outcome = send(photos, server=s3_service.address)
    assert (outcome.ending, outcome.problems) == (Ending.FINISHED, ())
    assert outcome.counts == {FileState.RECEIVED: 12}
    assert s3_service.stored() == hashes(photos)
    assert send(photos, server=s3_service.address).sent_bytes == 0


def test_what_lies_in_the_store_when_the_line_breaks_is_not_sent_again(
    s3_service: Any, send: Any, photos: Path, hashes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise StoppedError

    with monkeypatch.context() as before:
        before.setattr(Server, "complete", broken)
        first = send(photos, server=s3_service.address)
    assert (first.ending, first.left, first.sent_bytes > 0) == (Ending.INTERRUPTED, 12, True)
    second = send(photos, server=s3_service.address)
    assert second.sent_bytes == 0
    assert second.counts == {FileState.RECEIVED: 12}
    assert s3_service.stored() == hashes(photos)


def test_bytes_that_were_spoiled_on_their_way_to_the_store_are_sent_again(
    s3_service: Any, send: Any, photos: Path, hashes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Server.put
    spoiled = 0

    def spoiling(server: Server, place: Any, body: Any, size_bytes: int) -> Any:
        nonlocal spoiled
        spoiled += 1
        if spoiled == 3:
            return put(server, place, lambda: iter([bytes(size_bytes)]), size_bytes)
        return put(server, place, body, size_bytes)

    monkeypatch.setattr(Server, "put", spoiling)
    outcome = send(photos, server=s3_service.address)
    assert spoiled == 13
    assert outcome.counts == {FileState.RECEIVED: 12}
    assert s3_service.stored() == hashes(photos)


def test_what_is_no_picture_is_refused_after_it_came(s3_service: Any, send: Any, photos: Path, hashes: Any) -> None:
    good = hashes(photos)
    (photos / "letter.jpg").write_bytes(b"%PDF-1.7 a letter")
    outcome = send(photos, server=s3_service.address)
    assert [(problem.path, problem.state) for problem in outcome.problems] == [("letter.jpg", "refused")]
    assert s3_service.stored() == good
