from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ocr_service import intake
from ocr_service.records import Field, Line, Reading, ReadingStatus, RejectReason


def jpeg(seed: int = 0, width: int = 320, height: int = 200) -> bytes:
    image = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    cv2.rectangle(image, (40, 60), (280, 100), (0, 0, 255), -1)
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 30])
    assert done
    return data.tobytes()


def upload(client: TestClient, *files: tuple[str, bytes], **fields: str) -> Any:
    parts = [("files", (name, data, "image/jpeg")) for name, data in files]
    return client.post("/api/v1/photos", files=parts, data=fields)


def store_reading(app: FastAPI, data: bytes, **more: Any) -> None:
    quad = ((40.0, 60.0), (280.0, 60.0), (280.0, 100.0), (40.0, 100.0))
    reading = Reading(
        "a.jpg",
        hashlib.sha256(data).hexdigest(),
        more.pop("status", ReadingStatus.READ),
        size_px=(320, 200),
        lines=(Line("NGUYỄN VĂN MẪU", 0.9, quad),),
        record={"name": Field("Nguyễn Văn Mẫu", "NGUYỄN VĂN MẪU", 0.9, (0,))},
        bundle="fake@1",
        **more,
    )
    with app.state.database.writing() as session:
        intake.store_reading(session, reading)


def test_each_file_of_an_upload_is_answered_for(client: TestClient) -> None:
    good = jpeg()
    answer = upload(
        client,
        ("a.jpg", good),
        ("again.jpg", good),
        ("note.txt", b"not a picture"),
        ("empty.jpg", b""),
        ("big.jpg", b"\xff\xd8\xff" + b"x" * 300_000),
        cemetery="Nghĩa trang Tân Phú",
        plot="A1",
    )
    assert answer.status_code == 202
    new, again, text, empty, big = answer.json()["files"]
    assert (new["photo_id"], new["duplicate"], new["problem"]) == (1, False, None)
    assert (again["photo_id"], again["duplicate"]) == (1, True)
    kinds = [part["problem"]["type"].rpartition(":")[2] for part in (text, empty, big)]
    assert kinds == ["file-not-an-image", "file-empty", "file-too-large-file"]
    photo = client.get("/api/v1/photos/1").json()
    assert (photo["state"], photo["filename"], photo["received_by"]) == ("received", "a.jpg", "lan")
    assert photo["context"]["cemetery"] == "Nghĩa trang Tân Phú"
    assert photo["sha256"] == hashlib.sha256(good).hexdigest()


def test_refused_files_are_not_kept(client: TestClient, tmp_path: Path) -> None:
    upload(client, ("note.txt", b"not a picture"), ("big.jpg", b"\xff\xd8\xff" + b"x" * 300_000))
    assert [path for path in (tmp_path / "data" / "objects").rglob("*") if path.is_file()] == []


def test_a_file_name_is_only_ever_a_name(client: TestClient, tmp_path: Path) -> None:
    answer = upload(client, ("../../../etc/bia mộ.jpg", jpeg()))
    assert answer.json()["files"][0]["filename"] == "bia mộ.jpg"


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"", 415),
        ("multipart/form-data; boundary=x", b"", 400),
        ("multipart/form-data; boundary=x", b"garbage", 400),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n", 400),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nab',
            400,
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="label"\r\n\r\nab\r\n--x--\r\n',
            422,
        ),
        ("multipart/form-data; boundary=" + "x" * 5000, b"--x", 400),
    ],
)
def test_what_is_no_upload_is_a_problem(client: TestClient, content_type: str, body: bytes, status: int) -> None:
    answer = client.post("/api/v1/photos", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_more_files_than_allowed_are_too_many(client: TestClient) -> None:
    answer = upload(client, *((f"{i}.jpg", jpeg(i)) for i in range(6)))
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:headstone:problem:too-large")


def test_a_field_of_endless_length_is_refused(client: TestClient) -> None:
    assert upload(client, ("a.jpg", jpeg()), cemetery="x" * 20_000).status_code == 413


@given(
    body=st.binary(max_size=400), head=st.sampled_from([b"", b"--x\r\n", b"--x\r\nContent-Disposition: form-data; "])
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_no_bytes_break_the_upload(client: TestClient, body: bytes, head: bytes) -> None:
    answer = client.post(
        "/api/v1/photos", content=head + body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.status_code in (202, 400, 413, 422)


def test_photos_are_paged_newest_first(client: TestClient) -> None:
    upload(client, *((f"{i}.jpg", jpeg(i)) for i in range(5)))
    first = client.get("/api/v1/photos", params={"limit": 3}).json()
    second = client.get("/api/v1/photos", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [photo["id"] for photo in first["items"] + second["items"]] == [5, 4, 3, 2, 1]
    assert second["next_cursor"] is None


def test_photos_are_found_by_state_and_batch(client: TestClient, app: FastAPI) -> None:
    data = jpeg(1)
    upload(client, ("1.jpg", data))
    upload(client, ("2.jpg", jpeg(2)))
    store_reading(app, data)

    def ids(**asked: Any) -> list[int]:
        return [photo["id"] for photo in client.get("/api/v1/photos", params=asked).json()["items"]]

    assert ids(state="in_verification") == [1]
    assert ids(state="received", batch_id=2) == [2]
    assert ids(batch_id=3) == []


def test_a_rejected_photo_says_why_and_can_be_read_again(client: TestClient, app: FastAPI) -> None:
    data = jpeg()
    upload(client, ("a.jpg", data))
    store_reading(app, data, status=ReadingStatus.REJECTED, reason=RejectReason.TRUNCATED, detail="It breaks off.")
    photo = client.get("/api/v1/photos/1").json()
    assert (photo["state"], photo["reason"], photo["detail"]) == ("rejected", "truncated", "It breaks off.")
    again = client.post("/api/v1/photos/1/retry")
    assert (again.status_code, again.json()["state"]) == (202, "received")
    conflict = client.post("/api/v1/photos/1/retry")
    assert (conflict.status_code, conflict.json()["type"]) == (409, "urn:headstone:problem:conflict")


def test_a_read_photo_shows_its_reading(client: TestClient, app: FastAPI) -> None:
    data = jpeg()
    upload(client, ("a.jpg", data))
    store_reading(app, data)
    reading = client.get("/api/v1/photos/1").json()["reading"]
    assert reading["lines"][0]["text"] == "NGUYỄN VĂN MẪU"
    assert reading["lines"][0]["quad"][2] == [280.0, 100.0]
    assert reading["record"]["name"]["lines"] == [0]


def test_the_picture_is_a_smaller_jpeg_without_metadata(client: TestClient) -> None:
    data = jpeg(width=300, height=200)
    # an APP1 segment as cameras write it, with something in it that must not leave
    exif = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + b"GPS-SECRET"
    data = data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]
    upload(client, ("a.jpg", data))
    answer = client.get("/api/v1/photos/1/image", params={"size": 150})
    assert answer.headers["content-type"] == "image/jpeg"
    assert b"GPS-SECRET" in data
    assert b"GPS-SECRET" not in answer.content
    assert b"Exif" not in answer.content
    image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (100, 150, 3)
    again = client.get("/api/v1/photos/1/image?size=150", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_crop_of_a_line_shows_that_line(client: TestClient, app: FastAPI) -> None:
    data = jpeg()
    upload(client, ("a.jpg", data))
    store_reading(app, data)
    answer = client.get("/api/v1/photos/1/lines/0/crop", params={"height": 40})
    image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape[0] == 40
    middle = image[15:25, 60:160].reshape(-1, 3).mean(axis=0)
    assert middle[2] > 200 > 60 > middle[0]
    assert client.get("/api/v1/photos/1/lines/1/crop").status_code == 404
    assert client.get("/api/v1/photos/1/lines/-1/crop").status_code == 422


def test_what_only_looks_like_a_picture_is_a_problem_when_it_is_asked_for(client: TestClient) -> None:
    upload(client, ("a.jpg", b"\xff\xd8\xff\xe0 no more"))
    answer = client.get("/api/v1/photos/1/image")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


@pytest.mark.parametrize("path", ["", "/image", "/lines/0/crop"])
def test_a_photo_that_never_came_is_not_found(client: TestClient, path: str) -> None:
    answer = client.get(f"/api/v1/photos/77{path}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:headstone:problem:not-found")
