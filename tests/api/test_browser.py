"""The pages in a real Chromium, driven by keyboard, against the real server with its reader beside it."""

from __future__ import annotations

import dataclasses
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

import datasets
from ocr_service import intake, verification
from ocr_service.database import open_database
from ocr_service.records import Alternative, Field, Line, Reading, ReadingStatus
from ocr_service.settings import Settings
from ocr_service.states import RecordState, Verdict
from ocr_service.storage import LocalStore

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SAMPLES = Path(datasets.__file__).parent / "samples"
READ_WITHIN_S = 180.0
# longer than the pause in which a second press counts as meant for the draft before
A_LOOK_MS = 350


@contextmanager
def serving(data_dir: Path, *options: str) -> Iterator[str]:
    """The real server as its own process on a free port; gives its address."""
    command = [sys.executable, "-P", "-m", "api.serve", "--data", str(data_dir), "--port", "0", *options]
    environment = os.environ | {"HEADSTONE_REVIEWER": "lan"}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert server.stdout is not None
        match = re.search(r"http://[\d.:]+", server.stdout.readline())
        assert match is not None
        yield match[0]
    finally:
        server.terminate()
        server.wait(90)


def wait_for(done: Callable[[], Any], within_s: float) -> Any:
    end = time.monotonic() + within_s
    while not (result := done()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)
    return result


def test_a_photo_goes_from_upload_to_a_record_that_the_api_finds(page: Page, tmp_path: Path) -> None:
    sample = sorted(SAMPLES.glob("*.jpg"))[0]
    with serving(tmp_path / "data") as address:
        page.goto(f"{address}/upload")
        page.set_input_files("#pick-files", sample)
        page.get_by_label("Nghĩa trang", exact=True).fill("NTLS xã Thử Nghiệm")
        page.keyboard.press("Enter")
        expect(page.locator(".outcome[data-outcome=new]")).to_have_count(1)
        page.get_by_role("link", name="Xem trang của đợt").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("NTLS xã Thử Nghiệm")

        queue = f"{address}/api/v1/queue"
        wait_for(lambda: httpx.get(queue).json()["items"], READ_WITHIN_S)
        page.goto(f"{address}/verify")
        expect(page.locator("body[data-draft]")).to_have_count(1)
        expect(page.locator("#photo-message")).to_be_hidden()

        page.locator("#c-name").focus()
        page.keyboard.press("Control+A")
        page.keyboard.type("PHẠM THỊ TRÌNH DUYỆT")
        expect(page.locator("#v-name")).to_have_value("Phạm Thị Trình Duyệt")
        page.wait_for_timeout(A_LOOK_MS)
        for _ in range(page.locator(".field").count()):
            if page.locator("body[data-draft]").count() == 0:
                break
            page.keyboard.press("Enter")
        expect(page.locator("#empty")).to_be_visible()

        found = httpx.get(f"{address}/api/v1/records", params={"q": "pham thi trinh duyet"}).json()["items"]
        assert [record["fields"]["name"]["value"] for record in found] == ["Phạm Thị Trình Duyệt"]
        assert found[0]["state"] == "corrected"
        assert httpx.get(f"{address}/api/v1/records", params={"q": "khong co ai"}).json()["items"] == []


# The rest runs on drafts that were stored as if read, so that what is on the page is known.


def line(text: str, confidence: float, row: int, *others: str) -> Line:
    top = 40.0 + 60 * row
    quad = ((60.0, top), (740.0, top), (740.0, top + 44), (60.0, top + 44))
    return Line(text, confidence, quad, 0, tuple(Alternative(other, 0.1) for other in others))


def draw(texts: list[str]) -> bytes:
    picture = Image.new("RGB", (800, 600), (60, 62, 66))
    pen = ImageDraw.Draw(picture)
    for row, text in enumerate(texts):
        pen.text((70, 50 + 60 * row), text.encode("ascii", "replace").decode(), fill=(220, 190, 110), font_size=30)
    file = io.BytesIO()
    picture.save(file, "JPEG")
    return file.getvalue()


def store_draft(
    data_dir: Path, name: str, *, unit_confidence: float = 0.99, doubtful: str = "", batch: int | None = None
) -> int:
    """A draft of one invented person whose unit was read as well as asked for, and whose name but for some letters."""
    chances = tuple(0.4 if letter in doubtful else 0.99 for letter in name)
    lines = (
        dataclasses.replace(line(name, 0.99, 0, name.replace("Ẫ", "Ậ")), char_confidences=chances),
        line("Hy sinh: 12/5/1968", 0.99, 1),
        line("c15/e462", unit_confidence, 2),
    )
    fields = {
        "kind": Field("named", None, 0.99),
        "name": Field(name.title(), name, 0.99, (0,)),
        "death": Field("1968-05-12", "12/5/1968", 0.99, (1,)),
        "unit": Field({"chain": [["c", "15"], ["e", "462"]]}, "c15/e462", unit_confidence, (2,)),
    }
    settings = Settings(data_dir=data_dir)
    database = open_database(settings.resolved_database_url)
    with database.writing() as session:
        data = draw([one.text for one in lines])
        photo = intake.receive(
            session,
            LocalStore(settings.objects_dir),
            data + name.encode(),  # letters that the picture cannot show make it another one
            filename=f"{name}.jpg",
            received_by="thu",
            batch_id=batch,
        )
        assert photo.sha256 is not None
        reading = Reading(
            name, photo.sha256, ReadingStatus.READ, size_px=(800, 600), lines=lines, record=fields, bundle="invented@1"
        )
        draft_id = intake.store_reading(session, reading)
    database.close()
    assert draft_id is not None
    return draft_id


def record(data_dir: Path, record_id: int) -> Any:
    database = open_database(Settings(data_dir=data_dir).resolved_database_url)
    with database.reading() as session:
        view = verification.get_record(session, record_id)
    database.close()
    return view


def decided(data_dir: Path, record_id: int) -> Any:
    return wait_for(lambda: (view := record(data_dir, record_id)).state is not RecordState.DRAFT and view, 10)


Verifying = Callable[[Page, Path, int], AbstractContextManager[str]]


@pytest.fixture
def verifying(serving_here: Callable[[Path], AbstractContextManager[str]]) -> Verifying:
    """Serves a data folder and opens its first draft."""

    @contextmanager
    def open_first(page: Page, data_dir: Path, first_id: int) -> Iterator[str]:
        with serving_here(data_dir) as address:
            page.goto(f"{address}/verify")
            shows(page, first_id)
            page.wait_for_timeout(A_LOOK_MS)
            yield address

    return open_first


def shows(page: Page, draft_id: int) -> None:
    expect(page.locator(f'body[data-draft="{draft_id}"]')).to_have_count(1)


def test_what_is_typed_right_after_accepting_goes_into_the_next_draft(
    page: Page, tmp_path: Path, verifying: Verifying
) -> None:
    ids = [store_draft(tmp_path, f"NGUYỄN VĂN MẪU {letter}") for letter in "ABCD"]
    with verifying(page, tmp_path, ids[0]):
        for number, draft_id in enumerate(ids):
            shows(page, draft_id)
            page.keyboard.type(f" {number}{number}{number}", delay=0)
            page.wait_for_timeout(A_LOOK_MS)
            page.keyboard.press("Control+Enter")
        expect(page.locator("#empty")).to_be_visible()
        names = [decided(tmp_path, draft_id).fields["name"].raw for draft_id in ids]
    assert names == [f"NGUYỄN VĂN MẪU {letter} {number * 3}" for letter, number in zip("ABCD", "0123", strict=True)]


def test_the_next_draft_is_there_before_the_key_is_up(page: Page, tmp_path: Path, verifying: Verifying) -> None:
    ids = [store_draft(tmp_path, f"NGUYỄN VĂN MẪU {letter}") for letter in "AB"]
    with verifying(page, tmp_path, ids[0]):
        page.wait_for_function("performance.getEntriesByName(location.origin + '/verify/drafts').length > 0")
        page.wait_for_timeout(A_LOOK_MS)
        page.keyboard.down("Control")
        page.keyboard.down("Enter")
        assert page.evaluate("document.body.dataset.draft") == str(ids[1])
        assert page.locator("#c-name").input_value() == "NGUYỄN VĂN MẪU B"
        page.keyboard.up("Enter")
        page.keyboard.up("Control")
        assert decided(tmp_path, ids[0]).state is RecordState.ACCEPTED


def test_a_second_press_in_one_breath_does_not_accept_an_unseen_draft(
    page: Page, tmp_path: Path, verifying: Verifying
) -> None:
    ids = [store_draft(tmp_path, f"NGUYỄN VĂN MẪU {letter}") for letter in "AB"]
    with verifying(page, tmp_path, ids[0]):
        # both from within the page: on a busy machine two presses from outside are far apart
        page.evaluate(
            "() => { for (const _ of [1, 2]) document.activeElement.dispatchEvent(new KeyboardEvent('keydown',"
            " { key: 'Enter', code: 'Enter', ctrlKey: true, bubbles: true, cancelable: true })); }"
        )
        assert decided(tmp_path, ids[0]).state is RecordState.ACCEPTED
        expect(page.locator("#warning")).to_contain_text("vừa đổi")
        assert record(tmp_path, ids[1]).state is RecordState.DRAFT


def test_a_weakly_read_field_has_to_be_looked_at_first(page: Page, tmp_path: Path, verifying: Verifying) -> None:
    draft_id = store_draft(tmp_path, "NGUYỄN VĂN MẪU", unit_confidence=0.4)
    with verifying(page, tmp_path, draft_id):
        page.keyboard.press("Control+Enter")
        expect(page.locator("#warning")).to_contain_text("đọc yếu")
        expect(page.locator("#c-unit")).to_be_focused()
        shows(page, draft_id)
        page.keyboard.press("Alt+x")
        expect(page.locator("#c-unit")).to_have_value("")
        page.keyboard.press("Control+Enter")
        view = decided(tmp_path, draft_id)
    assert (view.fields["unit"].raw, view.fields["unit"].value) == (None, None)
    assert view.fields["name"].raw == "NGUYỄN VĂN MẪU"


def test_another_reading_is_taken_by_key_and_escape_restores(page: Page, tmp_path: Path, verifying: Verifying) -> None:
    draft_id = store_draft(tmp_path, "NGUYỄN VĂN MẪU")
    with verifying(page, tmp_path, draft_id):
        page.keyboard.press("Alt+ArrowDown")
        expect(page.locator("#c-name")).to_have_value("NGUYỄN VĂN MẬU")
        expect(page.locator("#accept-label")).to_have_text("Lưu bản đã sửa")
        page.keyboard.press("Escape")
        expect(page.locator("#c-name")).to_have_value("NGUYỄN VĂN MẪU")
        expect(page.locator("#accept-label")).to_have_text("Chấp nhận")


def test_doubtful_letters_are_shown_below_the_words_until_these_are_corrected(
    page: Page, tmp_path: Path, verifying: Verifying
) -> None:
    draft_id = store_draft(tmp_path, "NGUYỄN VĂN MẪU", doubtful="ẪĂ")
    next_id = store_draft(tmp_path, "TRẦN VĂN MẪU")
    name = page.locator('.field[data-field="name"]')
    with verifying(page, tmp_path, draft_id):
        expect(name.locator(".doubts-text")).to_have_text("NGUYỄN VĂN MẪU")
        expect(name.locator("mark")).to_have_text(["Ă", "Ẫ"])
        expect(page.locator("#c-name")).to_have_accessible_description(re.compile("Chữ không chắc: Ă, Ẫ"))
        expect(page.locator(".doubts:visible")).to_have_count(1)
        page.keyboard.press("Alt+ArrowDown")
        expect(page.locator(".doubts:visible")).to_have_count(0)
        expect(page.locator("#c-name")).not_to_have_accessible_description(re.compile("Chữ không chắc"))
        page.keyboard.press("Escape")
        expect(page.locator(".doubts:visible")).to_have_count(1)
        page.keyboard.press("Control+Enter")
        shows(page, next_id)
        expect(page.locator(".doubts:visible")).to_have_count(0)


def test_cannot_read_not_a_headstone_skip_and_undo_have_keys(page: Page, tmp_path: Path, verifying: Verifying) -> None:
    ids = [store_draft(tmp_path, f"NGUYỄN VĂN MẪU {letter}") for letter in "ABC"]
    with verifying(page, tmp_path, ids[0]):
        page.keyboard.press("Alt+k")
        assert decided(tmp_path, ids[0]).state is RecordState.CANNOT_READ
        page.wait_for_timeout(A_LOOK_MS)
        page.keyboard.press("Alt+s")
        shows(page, ids[2])
        page.wait_for_timeout(A_LOOK_MS)
        page.keyboard.press("Alt+b")
        assert decided(tmp_path, ids[2]).state is RecordState.NOT_A_HEADSTONE
        expect(page.locator("#empty")).to_be_visible()
        page.keyboard.press("Alt+z")
        shows(page, ids[2])
        assert record(tmp_path, ids[2]).state is RecordState.DRAFT
        page.wait_for_timeout(A_LOOK_MS)
        page.keyboard.press("Alt+z")
        shows(page, ids[1])


def test_other_shots_of_a_grave_are_seen_detached_and_taken_back_by_key(
    page: Page, tmp_path: Path, verifying: Verifying
) -> None:
    database = open_database(Settings(data_dir=tmp_path).resolved_database_url)
    with database.writing() as session:
        batch_id = intake.open_batch(session, "hàng 3", "thu")
    database.close()
    best, other = (store_draft(tmp_path, f"NGUYỄN VĂN {name}", batch=batch_id) for name in ("MẪU", "MẬU"))
    with verifying(page, tmp_path, best):
        page.locator(".shots .see").click()
        expect(page.locator("#photo-file")).to_have_text("NGUYỄN VĂN MẬU.jpg")
        page.locator(".shots .see").click()
        expect(page.locator("#photo-file")).to_have_text("NGUYỄN VĂN MẪU.jpg")
        name = page.locator('.field[data-field="name"] .others')
        expect(name.get_by_role("button", name="NGUYỄN VĂN MẬU ảnh NGUYỄN VĂN MẬU.jpg")).to_be_visible()
        page.locator("#c-name").press("End")
        page.keyboard.type(" A")
        page.keyboard.press("Alt+g")
        expect(page.locator("#shots")).to_be_hidden()
        expect(page.locator("#c-name")).to_have_value("NGUYỄN VĂN MẪU A")
        wait_for(lambda: record(tmp_path, other).version == 2, 10)
        page.wait_for_timeout(A_LOOK_MS)
        page.keyboard.press("Alt+z")
        expect(page.locator("#shots")).to_be_visible()
        shows(page, best)
        expect(page.locator("#c-name")).to_have_value("NGUYỄN VĂN MẪU A")
        page.wait_for_timeout(A_LOOK_MS)
        page.keyboard.press("Control+Enter")
        expect(page.locator("#empty")).to_be_visible()
        assert decided(tmp_path, other).state is RecordState.FURTHER_SHOT
        assert decided(tmp_path, best).fields["name"].raw == "NGUYỄN VĂN MẪU A"


def test_who_decided_second_is_told_and_overwrites_nothing(page: Page, tmp_path: Path, verifying: Verifying) -> None:
    ids = [store_draft(tmp_path, f"NGUYỄN VĂN MẪU {letter}") for letter in "AB"]
    with verifying(page, tmp_path, ids[0]):
        database = open_database(Settings(data_dir=tmp_path).resolved_database_url)
        with database.writing() as session:
            verification.decide(session, ids[0], Verdict.CANNOT_READ, reviewer="lan", expected_version=1)
        database.close()
        page.keyboard.type(" SỬA")
        page.keyboard.press("Control+Enter")
        shows(page, ids[1])
        expect(page.locator("#messages")).to_contain_text("Người khác đã quyết định")
        assert record(tmp_path, ids[0]).state is RecordState.CANNOT_READ


def test_a_decision_survives_a_server_that_is_away(page: Page, tmp_path: Path, verifying: Verifying) -> None:
    ids = [store_draft(tmp_path, f"NGUYỄN VĂN MẪU {letter}") for letter in "AB"]
    with verifying(page, tmp_path, ids[0]):
        page.wait_for_function("performance.getEntriesByName(location.origin + '/verify/drafts').length > 0")
        page.context.set_offline(True)
        page.keyboard.press("Control+Enter")
        shows(page, ids[1])
        expect(page.locator("#pending")).to_contain_text("Mất kết nối")
        assert record(tmp_path, ids[0]).state is RecordState.DRAFT
        page.context.set_offline(False)
        assert decided(tmp_path, ids[0]).state is RecordState.ACCEPTED
        expect(page.locator("#pending")).to_be_empty()


def test_a_box_leads_to_its_field_and_a_field_to_its_box(page: Page, tmp_path: Path, verifying: Verifying) -> None:
    draft_id = store_draft(tmp_path, "NGUYỄN VĂN MẪU")
    with verifying(page, tmp_path, draft_id):
        expect(page.locator(".box.active")).to_have_attribute("data-line", "0")
        page.locator('.box[data-line="1"]').click()
        expect(page.locator("#c-death")).to_be_focused()
        expect(page.locator(".box.active")).to_have_attribute("data-line", "1")
        # the middle of all lines in the photo is shown in the middle of the stage, and so is the middle of their boxes
        stage = page.locator("#viewer").bounding_box()
        assert stage is not None
        x, y = page.evaluate(
            "() => { const m = document.querySelector('#boxes g').getScreenCTM();"
            " const p = new DOMPoint(400, 122).matrixTransform(m); return [p.x, p.y]; }"
        )
        assert x == pytest.approx(stage["x"] + stage["width"] / 2, abs=2)
        assert y == pytest.approx(stage["y"] + stage["height"] / 2, abs=2)


def test_help_opens_by_key_and_gives_the_focus_back(page: Page, tmp_path: Path, verifying: Verifying) -> None:
    draft_id = store_draft(tmp_path, "NGUYỄN VĂN MẪU")
    with verifying(page, tmp_path, draft_id):
        page.keyboard.press("F1")
        expect(page.locator("#help")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#help")).to_be_hidden()
        expect(page.locator("#c-name")).to_be_focused()


def test_searching_while_typing_finds_without_tone_marks(page: Page, tmp_path: Path, verifying: Verifying) -> None:
    draft_id = store_draft(tmp_path, "NGUYỄN VĂN MẪU")
    with verifying(page, tmp_path, draft_id) as address:
        page.keyboard.press("Control+Enter")
        decided(tmp_path, draft_id)
        page.goto(f"{address}/records")
        page.locator("#q").press_sequentially("van mau")
        expect(page.locator("#results a")).to_have_text("Nguyễn Văn Mẫu")
        expect(page).to_have_url(f"{address}/records?q=van+mau&hometown=&birth_year=&death_year=")
        page.locator("#q").fill("van mai")
        expect(page.locator("#results")).to_contain_text("Không tìm thấy")
