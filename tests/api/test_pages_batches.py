"""Batches as pages show them: list, account, files, retry; and who sees which."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from api.app import create_app
from api.guard import Guard
from api.i18n import Language, Texts
from api.keys import hash_of
from api.pages.amounts import show_count, show_minutes, show_size
from api.pages.batches import BAR_UNITS, STATES, TO_READ, show_batch
from api.pages.origins import say_origin, show_origin
from ocr_service import intake
from ocr_service.database.accounts import BatchAccount
from ocr_service.database.announcements import AnnouncedFile, BatchFacts
from ocr_service.database.types import utc_now
from ocr_service.intake import announcing
from ocr_service.intake.accounting import BatchStanding
from ocr_service.intake.taking import take
from ocr_service.records import Context, Origin, Reading, ReadingStatus, RejectReason
from ocr_service.settings import Settings
from ocr_service.states import FileState

VI, EN = Texts(Language.VI), Texts(Language.EN)


def jpeg(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (320, 240), (shade, 90, 90)).save(file, "JPEG")
    return file.getvalue()


OpenBatch = Callable[..., int]


@pytest.fixture
def open_batch(app: FastAPI) -> OpenBatch:
    """Announces files, sends all but the last ones, and gives the id of their batch."""

    def make(
        label: str = "NTLS xã Thử Nghiệm",
        contents: Sequence[bytes] = (),
        *,
        missing: int = 0,
        by: str = "lan",
        origin: Origin = Origin(),  # noqa: B008 - frozen value
    ) -> int:
        with app.state.database.writing() as session:
            batch, _ = announcing.open_announced_batch(
                session, label, by, context=Context(cemetery=label, cemetery_commune="Tân Phú"), origin=origin
            )
            sums = [hashlib.sha256(content).hexdigest() for content in contents]
            files = [
                AnnouncedFile(f"khu A/ảnh {number}.jpg", digest, len(content))
                for number, (digest, content) in enumerate(zip(sums, contents, strict=True))
            ]
            announcing.announce(session, batch, files, by=by, max_bytes=10**8)
            arrived = list(zip(sums, contents, strict=True))[: len(contents) - missing]
            announcing.settle(
                session,
                [
                    announcing.Delivery(batch.id, digest, take(app.state.store, content, 10**8), by)
                    for digest, content in arrived
                ],
            )
        return batch.id

    return make


def figures(page: str) -> dict[str, str]:
    """The counts of the table of states."""
    return dict(re.findall(r'id="state-(\w+)".*?<b>([\d.,]+)</b>', page, re.DOTALL))


def test_the_account_counts_every_file_once(client: TestClient, open_batch: OpenBatch) -> None:
    batch = open_batch(contents=[jpeg(1), jpeg(2), jpeg(1), b"no picture", jpeg(4), jpeg(5)], missing=1)
    page = client.get(f"/batches/{batch}").text
    assert figures(page) == {"received": "3", "duplicate": "1", "refused": "1", "announced": "1"}
    assert "6 tệp" in page
    assert "Tệp không phải là ảnh." in page
    assert "Chọn ảnh chụp bia" in page


def test_files_that_did_not_arrive_are_named_with_the_way_to_go_on(client: TestClient, open_batch: OpenBatch) -> None:
    batch = open_batch(contents=[jpeg(1), jpeg(2)], missing=1)
    page = client.get(f"/batches/{batch}").text
    assert "1 tệp đã báo nhưng chưa đến" in page
    assert f'href="/upload?batch={batch}"' in page
    missing = client.get(f"/batches/{batch}/files", params={"state": "announced"}).text
    assert "khu A/ảnh 1.jpg" in missing
    assert "khu A/ảnh 0.jpg" not in missing
    upload = client.get("/upload").text
    assert "còn 1 tệp chưa đến" in upload
    assert "Gửi tiếp đợt “NTLS xã Thử Nghiệm”" in client.get("/upload", params={"batch": batch}).text


def test_the_page_keeps_itself_up_to_date_only_while_something_moves(
    client: TestClient, app: FastAPI, open_batch: OpenBatch
) -> None:
    content = jpeg(1)
    batch = open_batch(contents=[content])
    assert 'hx-trigger="every 3s"' in client.get(f"/batches/{batch}/account").text
    reading = Reading(
        "a.jpg",
        hashlib.sha256(content).hexdigest(),
        ReadingStatus.REJECTED,
        reason=RejectReason.TOO_SMALL,
        bundle="invented@1",
    )
    with app.state.database.writing() as session:
        intake.store_reading(session, reading)
    page = client.get(f"/batches/{batch}/account").text
    assert "hx-trigger" not in page
    assert figures(page) == {"rejected": "1"}
    waiting = open_batch("chưa đến", contents=[jpeg(2)], missing=1)
    assert 'hx-trigger="every 10s"' in client.get(f"/batches/{waiting}/account").text


def test_photos_set_aside_for_a_reason_are_read_again(client: TestClient, app: FastAPI, open_batch: OpenBatch) -> None:
    contents = [jpeg(1), jpeg(2)]
    batch = open_batch(contents=contents)
    reasons = (RejectReason.TOO_SMALL, RejectReason.READER_FAILED)
    with app.state.database.writing() as session:
        for content, reason in zip(contents, reasons, strict=True):
            sha256 = hashlib.sha256(content).hexdigest()
            intake.store_reading(session, Reading("a.jpg", sha256, ReadingStatus.REJECTED, reason=reason, bundle="b@1"))
    assert client.get(f"/batches/{batch}").text.count(f'action="/batches/{batch}/retry"') == 3
    page = client.post(f"/batches/{batch}/retry", data={"reason": "too_small"}).text
    assert "Đã đưa 1 ảnh trở lại hàng đợi." in page
    assert figures(page) == {"received": "1", "rejected": "1"}
    assert figures(client.post(f"/batches/{batch}/retry").text) == {"received": "2"}


def test_files_are_listed_a_page_at_a_time(client: TestClient, open_batch: OpenBatch) -> None:
    contents = [b"no picture %d" % number for number in range(103)]
    batch = open_batch(contents=contents)
    found = []
    address = f"/batches/{batch}/files?state=refused"
    while address:
        part = client.get(address).text
        found += re.findall(r"khu A/ảnh (\d+)\.jpg", part)
        more = re.search(r'hx-get="(/batches/\d+/files\?[^"]*after=\d+)"', part)
        address = more[1].replace("&amp;", "&") if more else ""
    assert [int(number) for number in found] == list(range(103))
    whole = client.get(f"/batches/{batch}", params={"state": "refused", "after": 0}).text
    assert "Tệp: Không nhận" in whole


def test_a_duplicate_leads_to_the_photo_that_has_its_bytes(client: TestClient, open_batch: OpenBatch) -> None:
    open_batch("đợt một", contents=[jpeg(1)])
    batch = open_batch("đợt hai", contents=[jpeg(1)])
    page = client.get(f"/batches/{batch}").text
    assert figures(page) == {"duplicate": "1"}
    link = re.search(r'href="(/photos/\d+)">Xem ảnh giống hệt', page)
    assert link is not None
    photo = client.get(link[1]).text
    assert "đợt một" in photo
    assert "Đã nhận" in photo


def test_names_from_outside_are_text_and_never_markup(client: TestClient, open_batch: OpenBatch) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    batch = open_batch(nasty, contents=[jpeg(1)], origin=Origin(collector=nasty, device=nasty))
    for address in ("/", "/batches", "/upload", f"/batches/{batch}", f"/upload?batch={batch}", "/photos/1"):
        page = client.get(address).text
        assert nasty not in page
        assert "&lt;img" in page or address == "/upload"


def test_batches_are_listed_newest_first_with_the_earlier_ones_a_click_away(
    client: TestClient, open_batch: OpenBatch
) -> None:
    ids = [open_batch(f"đợt {number}", contents=[jpeg(number)]) for number in range(22)]
    first = client.get("/batches").text
    assert re.findall(r'<a href="/batches/(\d+)">', first) == [str(one) for one in reversed(ids[2:])]
    more = re.search(r'hx-get="(/batches\?before=\d+)"', first)
    assert more is not None
    rest = client.get(more[1], headers={"HX-Request": "true"}).text
    assert re.findall(r'<a href="/batches/(\d+)">', rest) == [str(one) for one in reversed(ids[:2])]
    assert "<html" not in rest
    assert "<html" in client.get(more[1]).text


def test_the_overview_leads_to_batches(client: TestClient, open_batch: OpenBatch) -> None:
    batch = open_batch(contents=[jpeg(1)])
    assert f'href="/batches/{batch}"' in client.get("/").text


def test_pages_speak_english_when_asked(client: TestClient, open_batch: OpenBatch) -> None:
    batch = open_batch(contents=[jpeg(1), b"no picture"], missing=0)
    client.post("/language", data={"language": "en", "back": "/"})
    page = client.get(f"/batches/{batch}").text
    assert "Where the files stand" in page
    assert "The file is not a picture." in page


def test_collectors_see_their_own_batches_only(tmp_path: Path) -> None:
    people = {"an": "collector", "binh": "collector", "chi": "verifier"}
    keys = tmp_path / "keys.toml"
    entries = (
        f'[[key]]\nname = "{name}"\nroles = ["{role}"]\nsha256 = "{hash_of(name)}"\n' for name, role in people.items()
    )
    keys.write_text("".join(entries), "utf-8")
    app = create_app(Settings(data_dir=tmp_path / "data", host="0.0.0.0", api_keys_file=keys))
    with app.state.database.writing() as session:
        batch, _ = announcing.open_announced_batch(session, "đợt của An", "an")
    seen = {}
    for name in people:
        person = TestClient(app, base_url="https://bia.example", client=("203.0.113.9", 4711))
        person.headers["X-API-Key"] = name
        listed = "đợt của An" in person.get("/batches").text, "đợt của An" in person.get("/").text
        addresses = (f"/batches/{batch.id}", f"/batches/{batch.id}/account", f"/batches/{batch.id}/files")
        found = {person.get(address).status_code for address in (*addresses, f"/upload?batch={batch.id}")}
        found.add(person.post(f"/batches/{batch.id}/retry").status_code)
        seen[name] = (*listed, found)
    app.state.database.close()
    assert seen == {"an": (True, True, {200}), "binh": (False, False, {404}), "chi": (True, True, {200})}


def test_pages_may_send_to_the_object_store_that_browsers_reach(client: TestClient) -> None:
    ours = client.get("/upload").headers["content-security-policy"]
    assert "connect-src" not in ours  # only this service: default-src says so
    settings = Settings(s3_public_endpoint="https://photos.example:9000/", s3_endpoint="store:8333")
    policy = Guard(client.app, settings).headers["content-security-policy"]
    assert policy == f"{ours}; connect-src 'self' https://photos.example:9000"


def test_counts_sizes_and_spans_are_written_as_people_write_them() -> None:
    assert (show_count(40_000, VI), show_count(40_000, EN)) == ("40.000", "40,000")
    assert [show_size(size, VI) for size in (0, 999, 1_000, 2_400_000, 120_000_000, 9_800_000_000)] == [
        "0 B", "999 B", "1 KB", "2,4 MB", "120 MB", "9,8 GB",
    ]  # fmt: skip
    assert show_size(999_600, EN) == "1.0 MB"
    assert [show_minutes(span, EN) for span in (0.5, 12.4, 59.6, 61, 130, 700, 3_000)] == [
        "less than a minute", "12 min", "60 min", "1 h", "2 h 10 min", "12 h", "2 days",
    ]  # fmt: skip


def test_an_origin_is_said_as_far_as_it_is_known() -> None:
    whole = Origin("Nguyễn Văn Thử", "Canon", "2026-03-14T09:12:33", 10.12345678, 106.5)
    assert show_origin(whole).place == "10.12346, 106.50000"
    assert say_origin(whole, VI) == "chụp lúc 14/03/2026 09:12, người chụp: Nguyễn Văn Thử"
    assert say_origin(Origin(taken_at="2026-03-14"), VI) == "chụp lúc 14/03/2026"
    assert say_origin(Origin(taken_at="hôm qua"), VI) == "chụp lúc hôm qua"
    assert say_origin(Origin(), VI) == ""


@given(st.dictionaries(st.sampled_from(FileState), st.integers(1, 50_000)), st.integers(0, 5_000))
def test_the_bar_is_full_and_shows_every_state_that_there_is(counts: dict[FileState, int], tenths: int) -> None:
    now = utc_now()
    account = BatchAccount(
        BatchFacts(1, "đợt", "lan", now), {state: counts.get(state, 0) for state in FileState}, 0, 0, (), now
    )
    shown = show_batch(BatchStanding(account, tenths / 10), VI, now)
    assert [state.state for state in shown.states] == [state for state in STATES if state in counts]
    assert all(state.width >= 6 for state in shown.states)
    assert sum(state.width for state in shown.states) == pytest.approx(BAR_UNITS if counts else 0, abs=0.1)
    assert all(state.share != "0%" for state in shown.states)
    assert bool(shown.poll_s) == any(state in counts for state in (*TO_READ, FileState.ANNOUNCED))


def test_every_state_of_a_file_has_its_place_in_the_bar() -> None:
    assert set(STATES) == set(FileState)
    assert len(STATES) == len(FileState)
