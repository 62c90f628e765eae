"""Uploading folders in a real Chromium: what is refused and why, a closed tab, a server that goes away, live counts."""

from __future__ import annotations

import hashlib
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from bench.services import Weed
from ocr_service import intake
from ocr_service.database import Database, open_database
from ocr_service.records import Field, Line, Reading, ReadingStatus
from ocr_service.settings import Settings
from ocr_service.storage import open_store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

Serve = Callable[..., AbstractContextManager[str]]
DONE = "#phase[data-phase=done]"
PUTS = re.compile(r"/api/v1/batches/\d+/files/[0-9a-f]{64}$")


def jpeg(number: int) -> bytes:
    """A picture of its own: the number stands in a comment, which no pixel shows."""
    file = io.BytesIO()
    Image.new("RGB", (320, 240), (90, 90, 90)).save(file, "JPEG", comment=str(number).encode())
    return file.getvalue()


def folder_of(parent: Path, count: int) -> Path:
    folder = parent / "thẻ nhớ"
    (folder / "khu A").mkdir(parents=True)
    for number in range(count):
        (folder / "khu A" / f"IMG_{number:03}.jpg").write_bytes(jpeg(number))
    return folder


def counts(address: str, batch: int = 1) -> dict[str, int]:
    answer = httpx.get(f"{address}/api/v1/batches/{batch}").json()["counts"]
    return {state: number for state, number in answer.items() if number}


def test_a_folder_is_sent_by_keyboard_and_every_file_is_answered_for(
    page: Page, tmp_path: Path, serving_here: Serve
) -> None:
    folder = folder_of(tmp_path, 3)
    (folder / "bản sao.jpg").write_bytes(jpeg(0))
    (folder / "hỏng.jpg").write_bytes(b"no picture at all")
    (folder / "rỗng.jpg").write_bytes(b"")
    (folder / "ghi chú.txt").write_text("không phải ảnh", "utf-8")
    (folder / ".DS_Store").write_bytes(b"x")
    with serving_here(tmp_path / "data") as address:
        page.goto(f"{address}/upload")
        page.set_input_files("#pick-folder", folder)
        expect(page.locator("#chosen")).to_contain_text("Đã chọn 6 ảnh")
        expect(page.locator("#skipped")).to_contain_text("Bỏ qua 1 tệp không phải ảnh")
        page.get_by_role("button", name="Chọn thư mục").focus()
        for _ in range(2):
            page.keyboard.press("Tab")
        page.keyboard.type("NTLS xã Thử Nghiệm")
        for _ in range(5):
            page.keyboard.press("Tab")
        page.keyboard.type("Nguyễn Văn Thử")
        page.keyboard.press("Enter")
        expect(page.locator(DONE)).to_have_text("Xong: mọi tệp đều đã có kết quả.")
        outcomes = {
            row.locator("span").first.inner_text(): row.locator(".outcome").get_attribute("data-outcome")
            for row in page.locator("#files li").all()
        }
        assert outcomes == {
            "thẻ nhớ/bản sao.jpg": "new",
            "thẻ nhớ/hỏng.jpg": "refused",
            "thẻ nhớ/khu A/IMG_000.jpg": "known",
            "thẻ nhớ/khu A/IMG_001.jpg": "new",
            "thẻ nhớ/khu A/IMG_002.jpg": "new",
            "thẻ nhớ/rỗng.jpg": "refused",
        }
        expect(page.locator("#files")).to_contain_text("Tệp không phải là ảnh.")
        expect(page.locator("#files")).to_contain_text("Tệp rỗng, không có dữ liệu.")
        page.locator("#open-batch").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("NTLS xã Thử Nghiệm")
        expect(page.locator("main")).to_contain_text("Người chụp: Nguyễn Văn Thử")
        assert counts(address) == {"received": 3, "duplicate": 1, "refused": 2}
        page.get_by_role("link", name="Không nhận").first.click()
        expect(page.locator("#files .path")).to_have_text(["thẻ nhớ/hỏng.jpg", "thẻ nhớ/rỗng.jpg"])
        expect(page.locator("#files")).to_contain_text("Chọn ảnh chụp bia (JPEG, PNG, HEIC)")
        with page.expect_download() as download:
            page.get_by_role("link", name="Tải biên nhận").click()
        assert hashlib.sha256(jpeg(1)).hexdigest() in Path(download.value.path()).read_text("utf-8")


def test_a_folder_that_is_dropped_is_walked_through(page: Page, tmp_path: Path, serving_here: Serve) -> None:
    folder = folder_of(tmp_path, 2)
    with serving_here(tmp_path / "data") as address:
        page.goto(f"{address}/upload")
        box = page.locator("#drop").bounding_box()
        assert box is not None
        browser = page.context.new_cdp_session(page)
        dragged = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
        for step in ("dragEnter", "dragOver", "drop"):
            where = {"x": box["x"] + 20, "y": box["y"] + 20}
            browser.send("Input.dispatchDragEvent", {"type": step, **where, "data": dragged})
        # the same paths as by the dialogue, so that either way finds the batch's files again
        names = ["thẻ nhớ/khu A/IMG_000.jpg", "thẻ nhớ/khu A/IMG_001.jpg"]
        expect(page.locator("#files li span:first-child")).to_have_text(names)
        expect(page.locator("#looking")).to_be_hidden()


def test_after_a_closed_tab_only_what_is_missing_is_sent(page: Page, tmp_path: Path, serving_here: Serve) -> None:
    folder = folder_of(tmp_path, 12)
    sent: list[str] = []

    def let_five_through(route: Route) -> None:
        if len(sent) < 5:
            sent.append(route.request.url)
            route.continue_()
        else:
            route.abort("connectionreset")

    with serving_here(tmp_path / "data") as address:
        page.route(PUTS, let_five_through)
        page.goto(f"{address}/upload")
        page.set_input_files("#pick-folder", folder)
        page.get_by_role("button", name="Tải lên 12 ảnh").click()
        expect(page.locator("#n-new")).to_have_text("5")
        context = page.context
        context.set_offline(True)  # nothing may slip out while the tab closes
        page.close()
        context.set_offline(False)
        assert counts(address) == {"received": 5, "announced": 7}

        again = context.new_page()
        puts = []
        again.on("request", lambda request: puts.append(request.url) if PUTS.search(request.url) else None)
        again.goto(f"{address}/upload")
        expect(again.locator(".notice")).to_contain_text("còn 7 tệp chưa đến")
        again.locator(".notice").get_by_role("link", name="Gửi tiếp").click()
        expect(again.locator("body.scripted")).to_have_count(1)
        again.set_input_files("#pick-folder", folder)
        again.locator("#send").click()
        expect(again.locator(DONE)).to_be_visible()
        expect(again.locator("#n-known")).to_have_text("5")
        expect(again.locator("#n-new")).to_have_text("7")
        assert len(set(puts)) == len(puts) == 7
        assert set(puts).isdisjoint(sent)
        assert counts(address) == {"received": 12}
        expect(again.locator("#open-batch")).to_have_attribute("href", "/batches/1")


def test_pausing_stops_at_once_and_going_on_loses_nothing(page: Page, tmp_path: Path, serving_here: Serve) -> None:
    folder = folder_of(tmp_path, 8)
    held: list[Route] = []

    with serving_here(tmp_path / "data") as address:
        page.route(PUTS, lambda route: held.append(route))
        page.goto(f"{address}/upload")
        page.set_input_files("#pick-folder", folder)
        page.locator("#send").click()
        expect(page.locator(".outcome[data-outcome=sending]").first).to_be_visible()
        page.locator("#pause").click()
        expect(page.locator("#phase")).to_contain_text("Đã tạm dừng")
        expect(page.locator(".outcome[data-outcome=sending]")).to_have_count(0)
        page.unroute(PUTS)
        page.locator("#pause").click()
        expect(page.locator(DONE)).to_be_visible()
        assert counts(address) == {"received": 8}


@contextmanager
def server(data_dir: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """The real server without its reader, as a process that can be killed."""
    command = [sys.executable, "-P", "-m", "api.serve", "--data", str(data_dir), "--port", str(port), "--no-reader"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"HEADSTONE_REVIEWER": "lan"}
    )
    try:
        assert process.stdout is not None
        assert "Serving" in process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait(30)


def test_a_server_that_is_killed_and_comes_back_gets_every_file(page: Page, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, 30)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"

    def slowly(route: Route) -> None:
        time.sleep(0.02)  # so that the server is killed while files are on their way
        route.continue_()

    with server(tmp_path / "data", port) as process:
        page.route(PUTS, slowly)
        page.goto(f"{address}/upload")
        page.set_input_files("#pick-folder", folder)
        page.locator("#send").click()
        expect(page.locator("#n-new")).to_have_text(re.compile(r"^[1-9]"))
        process.send_signal(signal.SIGKILL)
        expect(page.locator("#phase")).to_contain_text("Mất kết nối")
    with server(tmp_path / "data", port):
        page.evaluate("dispatchEvent(new Event('online'))")
        expect(page.locator(DONE)).to_be_visible(timeout=60_000)
        assert counts(address) == {"received": 30}
        page.goto(f"{address}/batches")
        expect(page.get_by_role("row", name=re.compile("thẻ nhớ"))).to_contain_text("30")


def test_a_file_that_is_gone_is_named_and_the_rest_is_sent(page: Page, tmp_path: Path, serving_here: Serve) -> None:
    folder = folder_of(tmp_path, 3)
    with serving_here(tmp_path / "data") as address:
        page.goto(f"{address}/upload")
        page.set_input_files("#pick-files", sorted((folder / "khu A").iterdir()))
        (folder / "khu A" / "IMG_001.jpg").unlink()
        page.locator("#send").click()
        expect(page.locator("#phase")).to_contain_text("còn 1 tệp chưa gửi được")
        expect(page.locator("#files")).to_contain_text("Không đọc được tệp trên máy này")
        assert counts(address) == {"received": 2}


def test_photos_go_to_the_object_store_and_not_through_the_service(
    page: Page, tmp_path: Path, serving_here: Serve, weed: Weed
) -> None:
    folder = folder_of(tmp_path, 5)
    (folder / "hỏng.jpg").write_bytes(b"no picture at all")
    where: dict[str, Any] = {
        "s3_endpoint": weed.endpoint,
        "s3_public_endpoint": f"http://{weed.endpoint}",
        "s3_secure": False,
        "s3_bucket": "from-browsers",
        "s3_access_key": weed.access_key,
        "s3_secret_key": weed.secret_key,
    }
    open_store(Settings(data_dir=tmp_path / "data", **where)).prepare()
    to_service, refused = [], []

    def has_run_out(route: Route) -> None:
        if refused:
            return route.continue_()
        refused.append(route.request.url)
        return route.fulfill(status=403, headers={"Access-Control-Allow-Origin": "*"})

    with serving_here(tmp_path / "data", **where) as address:
        page.on("request", lambda request: to_service.append(request.url) if PUTS.search(request.url) else None)
        page.route(re.compile(rf"^http://{weed.endpoint}/"), has_run_out)
        page.goto(f"{address}/upload")
        page.set_input_files("#pick-folder", folder)
        page.locator("#send").click()
        expect(page.locator(DONE)).to_be_visible(timeout=20_000)
        expect(page.locator("#files")).to_contain_text("Tệp không phải là ảnh.")
        assert counts(address) == {"received": 5, "refused": 1}
    assert refused
    assert to_service == []


def read(database: Database, content: bytes) -> None:
    """Stores what a reader would have read in a photo."""
    quad = ((20.0, 20.0), (300.0, 20.0), (300.0, 44.0), (20.0, 44.0))
    reading = Reading(
        "ảnh",
        hashlib.sha256(content).hexdigest(),
        ReadingStatus.READ,
        size_px=(320, 240),
        lines=(Line("NGUYỄN VĂN MẪU", 0.9, quad),),
        record={"kind": Field("named", None, 0.9), "name": Field("Nguyễn Văn Mẫu", "NGUYỄN VĂN MẪU", 0.9, (0,))},
        bundle="invented@1",
    )
    with database.writing() as session:
        intake.store_reading(session, reading)


def test_counts_move_while_photos_are_read_and_then_rest(page: Page, tmp_path: Path, serving_here: Serve) -> None:
    contents = [jpeg(number) for number in range(3)]
    with serving_here(tmp_path) as address:
        files = [("files", (f"{number}.jpg", content)) for number, content in enumerate(contents)]
        httpx.post(f"{address}/upload", files=files, headers={"Origin": address}).raise_for_status()
        database = open_database(Settings(data_dir=tmp_path).resolved_database_url)
        page.goto(f"{address}/batches/1")
        link = page.locator("#state-received a")
        expect(page.locator("#state-received b")).to_have_text("3")
        link.focus()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        read(database, contents[0])
        expect(page.locator("#state-in_verification b")).to_have_text("1")
        expect(page.locator("#state-received b")).to_have_text("2")
        expect(link).to_be_focused()
        for content in contents[1:]:
            read(database, content)
        expect(page.locator("#states")).to_contain_text("Máy đã đọc xong mọi ảnh")
        database.close()
        rested = len(asked)
        page.wait_for_timeout(3_500)  # longer than the pause between two looks
        assert len(asked) == rested


def test_the_upload_page_speaks_english_when_asked(page: Page, tmp_path: Path, serving_here: Serve) -> None:
    folder = folder_of(tmp_path, 1)
    with serving_here(tmp_path / "data") as address:
        page.goto(f"{address}/upload")
        page.get_by_role("button", name="EN").click()
        expect(page.locator("html[lang=en] .scripted")).to_have_count(1)
        page.set_input_files("#pick-files", folder / "khu A" / "IMG_000.jpg")
        page.get_by_role("button", name="Upload 1 photos").click()
        expect(page.locator(DONE)).to_have_text("Done: every file is answered for.")
        expect(page.locator("#files .outcome")).to_have_text("received")
        assert counts(address) == {"received": 1}
