from __future__ import annotations

import csv
import hashlib
import io
import json
import struct
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from PIL import Image
from sqlalchemy import select

from ocr_service import intake
from ocr_service.database.models import Photo
from ocr_service.records import Context, Origin, Reading, ReadingStatus, RejectReason


def jpeg(seed: int = 0, width: int = 320, height: int = 200) -> bytes:
    image = np.random.default_rng(seed).integers(0, 255, (height // 20, width // 20, 3), dtype=np.uint8)
    enlarged = cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST)
    done, data = cv2.imencode(".jpg", enlarged, [cv2.IMWRITE_JPEG_QUALITY, 30])
    assert done
    return data.tobytes()


def png_that_says(width_px: int, height_px: int) -> bytes:
    """A PNG whose header states a size that its few bytes could never fill (RFC 2083)."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return start + struct.pack(">I", 9999) + b"IDAT" + bytes(500)


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def announced(path: str, data: bytes, **more: Any) -> dict[str, Any]:
    return {"path": path, "sha256": sha256_of(data), "size_bytes": len(data), **more}


@pytest.fixture
def batch(client: TestClient) -> str:
    """The path of a new batch."""
    opened = client.post("/api/v1/batches", json={"label": "khu A", "cemetery": "NTLS Tân Phú"})
    assert opened.status_code == 201
    return f"/api/v1/batches/{opened.json()['id']}"


def announce(client: TestClient, batch: str, *files: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.post(f"{batch}/files", json={"files": files})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["files"]
    return found


def counts(client: TestClient, batch: str) -> dict[str, int]:
    return {state: files for state, files in client.get(batch).json()["counts"].items() if files}


def test_a_file_is_announced_sent_and_becomes_a_photo(client: TestClient, batch: str) -> None:
    data = jpeg()
    (file,) = announce(client, batch, announced("khu A/1.jpg", data, plot="A-17"))
    assert (file["path"], file["state"], file["photo_id"]) == ("khu A/1.jpg", "announced", None)
    assert counts(client, batch) == {"announced": 1}
    upload = file["upload"]
    sent = client.request(upload["method"], upload["url"], content=data, headers=upload["headers"])
    assert sent.status_code == 200, sent.text
    assert (sent.json()["state"], sent.json()["photo_id"], sent.json()["upload"]) == ("received", 1, None)
    assert counts(client, batch) == {"received": 1}
    photo = client.get("/api/v1/photos/1").json()
    assert (photo["filename"], photo["context"]["cemetery"], photo["context"]["plot"]) == (
        "1.jpg",
        "NTLS Tân Phú",
        "A-17",
    )


def put(client: TestClient, batch: str, data: bytes, sha256: str | None = None, **more: Any) -> Response:
    answer: Response = client.put(f"{batch}/files/{sha256 or sha256_of(data)}", content=data, **more)
    return answer


def kept_files(app: FastAPI) -> list[str]:
    folder: Path = app.state.settings.objects_dir
    return [path.name for path in folder.rglob("*") if path.is_file()]


def test_announcing_and_sending_again_change_nothing(client: TestClient, batch: str, app: FastAPI) -> None:
    data = jpeg()
    asked = announced("1.jpg", data)
    announce(client, batch, asked)
    first = put(client, batch, data).json()
    assert put(client, batch, data).json() == first
    (again,) = announce(client, batch, asked)
    assert (again["state"], again["photo_id"], again["upload"]) == ("received", first["photo_id"], None)
    assert client.get(batch).json()["files_total"] == 1
    assert kept_files(app) == [sha256_of(data)]


def test_copies_within_a_batch_and_across_name_the_photo_they_copy(client: TestClient, batch: str) -> None:
    data = jpeg()
    announce(client, batch, announced("a.jpg", data), announced("b/a.jpg", data))
    assert put(client, batch, data).json()["state"] == "received"
    assert counts(client, batch) == {"received": 1, "duplicate": 1}
    other = client.post("/api/v1/batches", json={"label": "khu B"}).json()
    (copy,) = announce(client, f"/api/v1/batches/{other['id']}", announced("c.jpg", data))
    assert (copy["state"], copy["photo_id"], copy["photo_batch_id"], copy["upload"]) == ("duplicate", 1, 1, None)
    assert copy["photo_state"] == "received"


def test_a_batch_is_found_again_by_its_key(client: TestClient) -> None:
    asked = {"label": "khu A", "key": "usb-1", "cemetery": "NTLS Tân Phú"}
    first, again = (client.post("/api/v1/batches", json=asked) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    elsewhere = client.post("/api/v1/batches", json={**asked, "cemetery": "NTLS Khác"})
    assert (elsewhere.status_code, elsewhere.json()["type"]) == (409, "urn:headstone:problem:conflict")


def test_bytes_that_are_not_the_announced_file_leave_it_announced(client: TestClient, batch: str, app: FastAPI) -> None:
    good = jpeg()
    wrong = bytes([*good[:-1], good[-1] ^ 1])
    announce(client, batch, announced("1.jpg", good))
    answer = put(client, batch, wrong, sha256_of(good))
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert (counts(client, batch), kept_files(app)) == ({"announced": 1}, [])
    assert put(client, batch, good).json()["state"] == "received"


@pytest.mark.parametrize("says_length", [True, False])
def test_a_body_longer_than_announced_is_cut_off(
    client: TestClient, batch: str, app: FastAPI, says_length: bool
) -> None:
    data = jpeg()
    announce(client, batch, announced("1.jpg", data))
    read_bytes = 0

    def body() -> Iterator[bytes]:
        nonlocal read_bytes
        for _ in range(100):
            read_bytes += len(data)
            yield data

    content = data * 2 if says_length else body()
    answer = client.put(f"{batch}/files/{sha256_of(data)}", content=content)
    assert answer.status_code == 413
    assert (counts(client, batch), kept_files(app)) == ({"announced": 1}, [])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"%PDF-1.7 " + b"x" * 3000, "unsupported_type"),
        (b"just text", "not_an_image"),
        (b"\0" * 500, "empty"),
        (png_that_says(30_000, 30_000), "too_many_pixels"),
    ],
)
def test_what_is_no_photo_is_refused_and_the_batch_goes_on(
    client: TestClient, batch: str, app: FastAPI, data: bytes, reason: str
) -> None:
    good = jpeg()
    announce(client, batch, announced("bad.jpg", data), announced("good.jpg", good))
    refused = put(client, batch, data).json()
    assert (refused["state"], refused["problem"]["type"]) == (
        "refused", f"urn:headstone:problem:file-{reason.replace('_', '-')}",
    )  # fmt: skip
    assert refused["advice"] and refused["problem"]["detail"]
    assert put(client, batch, good).json()["state"] == "received"
    account = client.get(batch).json()
    assert [(total["state"], total["reason"], total["files"]) for total in account["reasons"]] == [
        ("refused", reason, 1)
    ]
    assert kept_files(app) == [sha256_of(good)]


def test_empty_and_too_large_files_are_refused_before_they_come(client: TestClient, batch: str) -> None:
    large = {"path": "l.jpg", "sha256": "a" * 64, "size_bytes": 200_001}
    said = announce(client, batch, large, announced("e.jpg", b""))
    assert [(file["state"], file["upload"]) for file in said] == [("refused", None)] * 2
    assert [file["problem"]["title"] for file in said] == ["Too large file", "Empty"]


def test_a_png_by_the_name_of_jpg_is_fine(client: TestClient, batch: str) -> None:
    done, data = cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))
    assert done
    announce(client, batch, announced("1.jpg", data.tobytes()))
    assert put(client, batch, data.tobytes()).json()["state"] == "received"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("khu A\\1.jpg", "khu A/1.jpg"),
        ("/home/thu/1.jpg", "home/thu/1.jpg"),
        ("./a//1.jpg", "a/1.jpg"),
        ("bia mo\u0302\u0323.jpg", "bia mộ.jpg"),
        ("a\u0000\n.jpg", "a__.jpg"),
        ("../1.jpg", None),
        ("/", None),
        ("x" * 1001, None),
    ],
)
def test_a_path_is_a_label(client: TestClient, batch: str, path: str, kept: str | None) -> None:
    answer = client.post(f"{batch}/files", json={"files": [{"path": path, "sha256": "a" * 64, "size_bytes": 1}]})
    assert answer.status_code == (422 if kept is None else 200)
    if kept is None:
        assert answer.json()["errors"][0]["pointer"] == "body/files/0/path"
    else:
        assert answer.json()["files"][0]["path"] == kept


def test_at_most_a_thousand_files_are_announced_at_once(client: TestClient, batch: str) -> None:
    files = [{"path": f"{n}.jpg", "sha256": f"{n:064x}", "size_bytes": 9} for n in range(1001)]
    assert client.post(f"{batch}/files", json={"files": files}).status_code == 422
    assert len(announce(client, batch, *files[:1000])) == 1000
    assert counts(client, batch) == {"announced": 1000}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (None, "2026-04-30T08:15:09"),
        ("2026-04-30", "2026-04-30T08:15:09"),
        ("2026-05-01", "2026-05-01"),
        ("2026-04-30T10:00:00", "2026-04-30T10:00:00"),
    ],
)
def test_what_the_file_says_goes_before_the_batch_and_its_exif(
    client: TestClient, app: FastAPI, said: str | None, kept: str
) -> None:
    asked = {"label": "khu A", "cemetery": "NTLS Tân Phú", "province": "Bến Tre", "collector": "Tổ 3"}
    batch = f"/api/v1/batches/{client.post('/api/v1/batches', json=asked).json()['id']}"
    exif = Image.Exif()
    exif[0x0110] = "Phone 1"
    exif.get_ifd(0x8769)[0x9003] = "2026:04:30 08:15:09"
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "JPEG", exif=exif)
    data = file.getvalue()
    facts = {"plot": "A-1", "province": "Vĩnh Long", "device": "Máy 2", "latitude_deg": 10.1, "taken_at": said}
    announce(client, batch, announced("1.jpg", data, **facts))
    put(client, batch, data)
    with app.state.database.reading() as session:
        photo = intake.get_photo(session, 1)
    assert photo.context == Context("NTLS Tân Phú", "Vĩnh Long", None, "A-1")
    assert photo.origin == Origin("Tổ 3", "Máy 2", kept, 10.1, None)


def test_what_is_said_of_a_file_last_holds_until_its_bytes_have_come(
    client: TestClient, batch: str, app: FastAPI
) -> None:
    data = jpeg()
    announce(client, batch, announced("1.jpg", data, plot="A-71", device="Máy 2"))
    (corrected,) = announce(client, batch, announced("1.jpg", data, plot="A-17", taken_at="2025-07-27"))
    (unsaid,) = announce(client, batch, announced("1.jpg", data))
    assert [(file["state"], file["too_late"]) for file in (corrected, unsaid)] == [("announced", False)] * 2
    put(client, batch, data)
    (late,) = announce(client, batch, announced("1.jpg", data, plot="A-71"))
    (same,) = announce(client, batch, announced("1.jpg", data, plot="A-17"))
    assert [(file["state"], file["too_late"]) for file in (late, same)] == [("received", True), ("received", False)]
    with app.state.database.reading() as session:
        photo = intake.get_photo(session, 1)
    assert (photo.context.plot, photo.context.cemetery) == ("A-17", "NTLS Tân Phú")
    assert photo.origin == Origin(None, "Máy 2", "2025-07-27")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("2025-07-27", "2025-07-27"),
        ("2025-07-27T00:00:00", "2025-07-27T00:00:00"),
        ("2025-07-27 08:05", "2025-07-27T08:05:00"),
        ("2025-07-27T08:05:00+07:00", "2025-07-27T08:05:00+07:00"),
        ("27/07/2025", None),
        ("2025-02-30", None),
        (1753574400, None),
    ],
)
def test_a_day_is_not_made_a_midnight(
    client: TestClient, batch: str, app: FastAPI, said: str | int, kept: str | None
) -> None:
    answer = client.post(f"{batch}/files", json={"files": [announced("1.jpg", jpeg(), taken_at=said)]})
    assert answer.status_code == (422 if kept is None else 200), answer.text
    if kept is not None:
        put(client, batch, jpeg())
        with app.state.database.reading() as session:
            assert intake.get_photo(session, 1).origin.taken_at == kept


def test_a_file_that_was_too_large_is_judged_by_the_limit_that_holds_now(
    client: TestClient, batch: str, app: FastAPI
) -> None:
    large = {"path": "l.jpg", "sha256": "a" * 64, "size_bytes": 200_001}
    for _ in range(2):
        (refused,) = announce(client, batch, large)
        assert (refused["state"], refused["problem"]["title"]) == ("refused", "Too large file")
    app.state.settings = app.state.settings.model_copy(update={"max_file_bytes": 300_000})
    (awaited,) = announce(client, batch, large)
    assert (awaited["state"], awaited["problem"], awaited["upload"] is None) == ("announced", None, False)
    assert counts(client, batch) == {"announced": 1}


def withdraw(client: TestClient, batch: str, *files: tuple[str, bytes]) -> list[dict[str, Any]]:
    asked = [{"path": path, "sha256": sha256_of(data)} for path, data in files]
    answer = client.post(f"{batch}/files/withdraw", json={"files": asked})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["files"]
    return found


def test_what_will_not_come_is_withdrawn_and_stays_in_the_accounts(client: TestClient, batch: str) -> None:
    gone, came = jpeg(), jpeg(1)
    announce(client, batch, announced("khu A/1.jpg", gone, plot="A-1"), announced("2.jpg", came))
    put(client, batch, came)
    for _ in range(2):
        said = withdraw(client, batch, ("khu A\\1.jpg", gone), ("2.jpg", came), ("never.jpg", gone))
        assert [(file["path"], file["state"]) for file in said] == [("khu A/1.jpg", "refused"), ("2.jpg", "received")]
        assert said[0]["problem"]["type"] == "urn:headstone:problem:file-withdrawn" and said[0]["advice"]
    assert counts(client, batch) == {"refused": 1, "received": 1}
    assert client.get(batch).json()["reasons"][0]["reason"] == "withdrawn"
    row = client.get(f"{batch}/receipt").text.splitlines()[1]
    assert "refused" in row and "lan withdrew it at 2" in row
    assert put(client, batch, gone).json()["state"] == "refused"


def test_what_was_withdrawn_comes_after_all_when_it_is_announced_again(
    client: TestClient, batch: str, app: FastAPI
) -> None:
    data = jpeg()
    announce(client, batch, announced("1.jpg", data, plot="A-1"))
    withdraw(client, batch, ("1.jpg", data))
    (again,) = announce(client, batch, announced("1.jpg", data))
    assert (again["state"], again["problem"]) == ("announced", None)
    assert put(client, batch, data).json()["state"] == "received"
    with app.state.database.reading() as session:
        assert intake.get_photo(session, 1).context.plot == "A-1"


def test_one_of_two_files_with_the_same_bytes_is_withdrawn(client: TestClient, batch: str) -> None:
    data = jpeg()
    announce(client, batch, announced("1.jpg", data), announced("2.jpg", data))
    withdraw(client, batch, ("1.jpg", data))
    for _ in range(2):
        sent = put(client, batch, data).json()
        assert (sent["path"], sent["state"]) == ("2.jpg", "received")
    assert counts(client, batch) == {"refused": 1, "received": 1}


@pytest.mark.parametrize("sign", ["\0", "\n", "\x1b", "\u2028", "\ud800"])
def test_signs_that_cannot_be_kept_part_words(client: TestClient, app: FastAPI, sign: str) -> None:
    opened = post_json(client, "/api/v1/batches", {"label": f"khu{sign}A", "cemetery": f" NTLS{sign}{sign} To\u0302 "})
    assert opened.status_code == 201, opened.text
    assert (opened.json()["label"], opened.json()["cemetery"]) == ("khu A", "NTLS Tô")
    batch = f"/api/v1/batches/{opened.json()['id']}"
    asked = {"files": [announced("1.jpg", jpeg(), plot=f"A{sign}1", device=f"{sign}Máy")]}
    assert post_json(client, f"{batch}/files", asked).status_code == 200
    put(client, batch, jpeg())
    with app.state.database.reading() as session:
        photo = intake.get_photo(session, 1)
    assert (photo.context.plot, photo.origin.device) == ("A 1", "Máy")


@pytest.mark.parametrize("field", ["label", "cemetery", "collector"])
def test_words_of_nothing_but_such_signs_are_none(client: TestClient, field: str) -> None:
    assert post_json(client, "/api/v1/batches", {"label": "x", field: "\0\n \u200b"}).status_code == 422


def post_json(client: TestClient, path: str, asked: Any) -> Response:
    """As other clients write JSON: any sign may be escaped, half a surrogate too (RFC 8259 8.2)."""
    answer: Response = client.post(path, content=json.dumps(asked), headers={"Content-Type": "application/json"})
    return answer


def test_batches_are_bulk_unless_asked_and_single_uploads_come_first(client: TestClient, app: FastAPI) -> None:
    for number, asked in enumerate(({}, {"priority": "waiting"})):
        batch = f"/api/v1/batches/{client.post('/api/v1/batches', json={'label': 'x', **asked}).json()['id']}"
        announce(client, batch, announced("1.jpg", jpeg(number)))
        put(client, batch, jpeg(number))
    client.post("/api/v1/photos", files=[("files", ("a.jpg", jpeg(7)))])
    with app.state.database.reading() as session:
        assert session.scalars(select(Photo.priority).order_by(Photo.id)).all() == [1, 0, 0]


def test_files_are_listed_by_state_and_in_pages(client: TestClient, batch: str) -> None:
    files = [announced(f"{n}.jpg", jpeg(n)) for n in range(3)]
    announce(client, batch, *files)
    put(client, batch, jpeg(1))
    first = client.get(f"{batch}/files", params={"limit": 2}).json()
    rest = client.get(f"{batch}/files", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [file["path"] for file in first["items"] + rest["items"]] == ["0.jpg", "1.jpg", "2.jpg"]
    assert rest["next_cursor"] is None
    waiting = client.get(f"{batch}/files", params={"state": "announced"}).json()["items"]
    assert [(file["path"], bool(file["advice"])) for file in waiting] == [("0.jpg", True), ("2.jpg", True)]
    assert client.get(batch).json()["oldest_announced_at"] is not None


def test_a_receipt_can_be_checked(client: TestClient, batch: str) -> None:
    announce(client, batch, announced("1.jpg", jpeg()), announced("=cmd.jpg", jpeg(1)))
    put(client, batch, jpeg())
    answer = client.get(f"{batch}/receipt")
    assert answer.headers["content-type"].startswith("text/csv")
    lines = answer.content.splitlines(keepends=True)
    rows = list(csv.DictReader(io.StringIO(b"".join(lines[:-1]).decode())))
    assert [(row["path"], row["state"]) for row in rows] == [("1.jpg", "received"), ("'=cmd.jpg", "announced")]
    total = lines[-1].decode().split()
    assert {"files=2", "announced=1", "received=1"} <= set(total)
    assert total[-1] == f"sha256={hashlib.sha256(b''.join(lines[:-1])).hexdigest()}"


def test_failed_and_rejected_photos_are_retried_by_reason(client: TestClient, batch: str, app: FastAPI) -> None:
    announce(client, batch, announced("1.jpg", jpeg()), announced("2.jpg", jpeg(1)))
    for number in range(2):
        put(client, batch, jpeg(number))
        store_rejection(app, jpeg(number), RejectReason.TRUNCATED if number else RejectReason.ANIMATED)
    (file, _) = client.get(f"{batch}/files", params={"state": "rejected"}).json()["items"]
    assert file["problem"]["title"] == "Animated" and file["advice"]
    assert client.post(f"{batch}/retry", params={"reason": "truncated"}).json() == {"photos": 1}
    assert counts(client, batch) == {"received": 1, "rejected": 1}
    assert client.post(f"{batch}/retry").json() == {"photos": 1}
    assert client.post(f"{batch}/retry").json() == {"photos": 0}


def store_rejection(app: FastAPI, data: bytes, reason: RejectReason) -> None:
    reading = Reading("a.jpg", sha256_of(data), ReadingStatus.REJECTED, reason, "as it is")
    with app.state.database.writing() as session:
        intake.store_reading(session, reading)


def test_a_tar_is_taken_in_whole_and_again_changes_nothing(client: TestClient, batch: str, app: FastAPI) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for path, data in {"a/1.jpg": jpeg(), "a/2.jpg": jpeg(1), "b/1.jpg": jpeg(), "notes.txt": b"text"}.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    announce(client, batch, announced("a/2.jpg", jpeg(1), plot="A-2"))
    expected = {"received": 2, "duplicate": 1, "refused": 1}
    for _ in range(2):
        answer = client.post(f"{batch}/tar", content=file.getvalue(), headers={"Content-Type": "application/x-tar"})
        assert answer.status_code == 200, answer.text
        assert (answer.json()["files"], answer.json()["counts"]) == (4, expected)
        assert [(file["path"], file["state"]) for file in answer.json()["refused"]] == [("notes.txt", "refused")]
        assert counts(client, batch) == expected
    photos = [client.get(f"/api/v1/photos/{photo_id}").json() for photo_id in (1, 2)]
    assert [(photo["filename"], photo["context"]["plot"]) for photo in photos] == [("2.jpg", "A-2"), ("1.jpg", None)]
    broken = client.post(f"{batch}/tar", content=file.getvalue()[:-3000])
    assert (broken.status_code, broken.json()["type"]) == (422, "urn:headstone:problem:invalid")
    assert counts(client, batch) == expected


def test_files_that_were_not_announced_are_not_taken(client: TestClient, batch: str) -> None:
    assert put(client, batch, jpeg()).status_code == 404
    assert client.post(f"{batch}/files/complete", json={"sha256": ["a" * 64]}).status_code == 404
    assert client.put("/api/v1/batches/99/files/" + "a" * 64, content=b"").status_code == 404


def test_what_is_not_in_the_object_store_is_not_complete(client: TestClient, batch: str) -> None:
    announce(client, batch, announced("1.jpg", jpeg()))
    (file,) = client.post(f"{batch}/files/complete", json={"sha256": [sha256_of(jpeg())]}).json()["files"]
    assert (file["state"], file["problem"]["type"]) == ("announced", "urn:headstone:problem:upload")
    assert file["upload"]["url"] == f"{batch}/files/{sha256_of(jpeg())}"
