"""Several photos of one grave, over the API and on the pages."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ocr_service import intake
from ocr_service.fields import parse_lines
from ocr_service.records import Line, Reading, ReadingStatus

PLACE = ((0.0, 0.0), (9.0, 0.0), (9.0, 1.0), (0.0, 1.0))
STONE = ("NGUYỄN VĂN MẪU", "SINH NĂM: 1948", "HY SINH: 12-5-1968")
HOMETOWN = "QUÊ QUÁN: BẾN TRE"


@pytest.fixture
def grave(app: FastAPI) -> tuple[int, int]:
    """Drafts of the best shot and of another, which reads another year and the rank as well."""
    with app.state.database.writing() as session:
        batch_id = intake.open_batch(session, "hàng 3", "thu")
        best = store(app, session, batch_id, "tốt.jpg", (*STONE, HOMETOWN), 0.99)
        other = store(app, session, batch_id, "mờ.jpg", (STONE[0], "SINH NĂM: 1943", STONE[2], "HẠ SĨ"), 0.97)
    return best, other


def store(app: FastAPI, session: Any, batch_id: int, name: str, texts: tuple[str, ...], sure: float) -> int:
    photo = intake.receive(
        session, app.state.store, b"\xff\xd8\xff\xe0" + name.encode(), filename=name, received_by="thu",
        batch_id=batch_id,
    )  # fmt: skip
    lines = tuple(Line(text, sure, PLACE) for text in texts)
    reading = Reading(
        name, photo.sha256 or "", ReadingStatus.READ, size_px=(10, 10), lines=lines,
        record=parse_lines(lines).record, bundle="invented@1",
    )  # fmt: skip
    draft_id = intake.store_reading(session, reading)
    assert draft_id is not None
    return draft_id


def decide(client: TestClient, draft_id: int, verdict: str, version: int = 1, **more: object) -> Any:
    body = {"verdict": verdict, "expected_version": version, **more}
    return client.post(f"/api/v1/drafts/{draft_id}/decisions", json=body)


def shown(client: TestClient, record_id: int) -> Any:
    page = client.get(f"/verify/{record_id}").text
    return json.loads(page.split('id="verify-data">')[1].split("</script>")[0])["draft"]


def queue(client: TestClient) -> list[int]:
    return [draft["id"] for draft in client.get("/api/v1/queue").json()["items"]]


def test_the_queue_gives_the_best_shot_with_what_the_other_one_proposes(
    client: TestClient, grave: tuple[int, int]
) -> None:
    (draft,) = client.get("/api/v1/queue").json()["items"]
    assert draft["id"] == grave[0]
    assert draft["other_shots"] == [
        {"photo_id": 2, "filename": "mờ.jpg", "record_id": grave[1], "state": "draft", "version": 1}
    ]
    assert {name: one[0]["raw"] for name, one in draft["proposals"].items()} == {"birth": "1943", "rank": "HẠ SĨ"}
    assert draft["fields"].get("rank") is None


def test_accepting_the_best_ends_the_other_and_detaching_brings_it_back(
    client: TestClient, grave: tuple[int, int]
) -> None:
    best, other = grave
    assert decide(client, best, "accept", shots=[other]).status_code == 200
    ended = client.get(f"/api/v1/drafts/{other}").json()
    assert (ended["state"], ended["version"], ended["photo"]["state"]) == ("further_shot", 2, "further_shot")
    assert [record["id"] for record in client.get("/api/v1/records").json()["items"]] == [best]
    assert client.get(f"/api/v1/records/{other}").status_code == 404
    assert decide(client, other, "accept", 2).status_code == 409
    assert decide(client, other, "detach", 1).status_code == 409
    assert decide(client, other, "detach", 2).json()["state"] == "draft"
    assert queue(client) == [other]


def test_a_shot_that_nobody_saw_asks_whether_it_is_the_same_grave(client: TestClient, grave: tuple[int, int]) -> None:
    best, other = grave
    decide(client, best, "accept", shots=[])
    assert queue(client) == [other]
    assert decide(client, other, "accept").status_code == 409
    assert shown(client, other)["shots"]["asks"]
    assert decide(client, other, "same_grave").json()["state"] == "further_shot"
    page = client.get(f"/records/{other}").text
    assert f'href="/records/{best}"' in page
    assert "ảnh khác cùng mộ" in page
    assert "Nội dung máy đọc, chưa ai xác nhận" in page


def test_the_page_offers_what_the_other_shot_reads_and_shows_nothing_contested_as_certain(
    client: TestClient, grave: tuple[int, int]
) -> None:
    draft = shown(client, grave[0])
    assert [(shot["file_name"], shot["waits"]) for shot in draft["shots"]["shots"]] == [("mờ.jpg", True)]
    birth, rank = draft["fields"]["birth"], draft["fields"]["rank"]
    assert (birth["cut"], birth["level"]) == ("1948", "weak")
    assert (rank["cut"], rank["level"]) == ("", "none")
    assert [(one["text"], one["file_name"]) for one in rank["proposals"]] == [("HẠ SĨ", "mờ.jpg")]


def test_a_browser_without_scripts_detaches_and_accepts_by_the_form(client: TestClient, grave: tuple[int, int]) -> None:
    best, other = grave
    page = client.get(f"/verify/{best}").text
    assert re.search(rf'name="shots" value="{other}"', page)
    form = {"record": str(best), "version": "1", "detach": f"{other}.1"}
    answer = client.post("/verify", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/verify/{best}")
    assert queue(client) == [best, other]
    client.post("/verify", data={"record": str(best), "version": "1", "verdict": "accept"}, follow_redirects=False)
    assert queue(client) == [other]
    assert client.post("/verify", data={**form, "detach": "x"}).status_code == 422


def test_a_detachment_sent_again_because_its_answer_was_lost_is_answered_as_before(
    client: TestClient, grave: tuple[int, int]
) -> None:
    made = {"record": grave[1], "version": 1, "verdict": "detach"}
    first, again = (client.post("/verify/decisions", json=made) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()


def test_an_undone_detachment_leads_back_to_the_best_shot(client: TestClient, grave: tuple[int, int]) -> None:
    client.post("/verify/decisions", json={"record": grave[1], "version": 1, "verdict": "detach"})
    assert client.post("/verify/undo").json()["draft"]["id"] == grave[0]
    assert queue(client) == [grave[0]]
