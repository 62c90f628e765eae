"""Uploading, language, origin, errors and static files: what needs no drafts."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

import api

STATIC = Path(api.__file__).parent / "web" / "static"


def jpeg(shade: int = 90) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (320, 240), (shade, 90, 90)).save(file, "JPEG")
    return file.getvalue()


def test_a_plain_upload_answers_for_each_file(client: TestClient) -> None:
    files = [("files", ("bia.jpg", jpeg())), ("files", ("bia2.jpg", jpeg())), ("files", ("thư.txt", b"not a picture"))]
    page = client.post("/upload", files=files, headers={"Accept": "text/html"}).text
    assert re.findall(r'data-outcome="(\w+)"', page) == ["new", "known", "refused"]
    assert "Tệp không phải là ảnh." in page


def test_pages_are_vietnamese_unless_english_is_chosen(client: TestClient) -> None:
    assert '<html lang="vi">' in client.get("/").text
    answer = client.post("/language", data={"language": "en", "back": "/records?q=a"}, follow_redirects=False)
    assert answer.headers["location"] == "/records?q=a"
    page = client.get("/records").text
    assert '<html lang="en">' in page
    assert "Verified records" in page


@pytest.mark.parametrize("back", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "x"])
def test_choosing_a_language_never_leads_elsewhere(client: TestClient, back: str) -> None:
    answer = client.post("/language", data={"language": "en", "back": back}, follow_redirects=False)
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "path",
    [
        "/verify",
        "/verify/decisions",
        "/verify/undo",
        "/verify/drafts",
        "/upload",
        "/photos/1/retry",
        "/photos/retry",
        "/batches/1/retry",
    ],
)
def test_nothing_changes_by_a_request_from_a_foreign_page(client: TestClient, path: str) -> None:
    assert client.post(path, headers={"Origin": "https://elsewhere.example"}).status_code == 403


def test_an_error_is_a_page_for_people(client: TestClient) -> None:
    answer = client.get("/records/999", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "Không tìm thấy" in answer.text


def test_a_version_of_a_static_file_may_be_kept_for_good(client: TestClient) -> None:
    address = re.search(r'href="(/static/css/site.css\?v=\w+)"', client.get("/").text)
    assert address is not None
    assert "immutable" in client.get(address[1]).headers["cache-control"]
    assert "immutable" not in client.get("/static/css/site.css").headers["cache-control"]


def test_vendored_files_are_those_that_were_published() -> None:
    table = (STATIC / "vendor" / "VENDORED.md").read_text("utf-8")
    listed = dict(re.findall(r"`([\w/.]+\.js)` \| `([0-9a-f]{64})`", table))
    found = {path.relative_to(STATIC / "vendor").as_posix(): path for path in (STATIC / "vendor").rglob("*.js")}
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()} == listed
    assert all((path.parent / "LICENSE").is_file() for path in found.values())
