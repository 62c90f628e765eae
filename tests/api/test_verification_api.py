from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ocr_service import intake
from ocr_service.records import Field, Reading, ReadingStatus

Add = Callable[..., int]


@pytest.fixture
def add_draft(app: FastAPI) -> Add:
    made = 0

    def add(name: str = "NGUYỄN VĂN MẪU", **fields: Field) -> int:
        nonlocal made
        made += 1
        record = {
            "name": Field(name.title(), name, 0.9, (0,)),
            "death": Field("1968-05-12", "12-5-1968", 0.8),
            **fields,
        }
        with app.state.database.writing() as session:
            data = b"\xff\xd8\xff\xe0" + bytes([made])
            received = intake.receive(session, app.state.store, data, filename="a.jpg", received_by="thu")
            assert received.sha256 is not None
            reading = Reading("a.jpg", received.sha256, ReadingStatus.READ, record=record, bundle="fake@1")
            draft_id = intake.store_reading(session, reading)
        assert draft_id is not None
        return draft_id

    return add


def decide(client: TestClient, draft_id: int, **body: object) -> tuple[int, dict[str, object]]:
    answer = client.post(f"/api/v1/drafts/{draft_id}/decisions", json={"expected_version": 1, **body})
    return answer.status_code, answer.json()


def test_a_draft_goes_from_the_queue_to_the_portal(client: TestClient, add_draft: Add) -> None:
    add_draft()
    assert [d["id"] for d in client.get("/api/v1/queue").json()["items"]] == [1]
    assert client.get("/api/v1/records").json() == {"items": [], "next_cursor": None}
    taken = client.post("/api/v1/queue/next").json()
    assert (taken["id"], taken["lease_owner"]) == (1, "lan")
    status, draft = decide(client, 1, verdict="correct", values={"name": {"raw": "NGUYỄN VĂN MẬU"}}, reason="dấu nặng")
    assert (status, draft["state"], draft["version"]) == (200, "corrected", 2)
    (found,) = client.get("/api/v1/records", params={"q": "mau nguyen", "death_year": 1968}).json()["items"]
    assert found["fields"]["name"]["raw"] == "NGUYỄN VĂN MẬU"
    record = client.get("/api/v1/records/1").json()
    assert record["history"][0]["fields"] == ["name", "name_status"]
    assert "lan" not in json.dumps(record)
    assert client.post("/api/v1/queue/next").status_code == 204


def test_the_slower_of_two_reviewers_gets_a_conflict(client: TestClient, add_draft: Add) -> None:
    add_draft()
    assert decide(client, 1, verdict="accept")[0] == 200
    status, problem = decide(client, 1, verdict="not_a_headstone")
    assert (status, problem["type"]) == (409, "urn:headstone:problem:conflict")


def test_a_draft_can_be_leased_by_its_id(client: TestClient, add_draft: Add) -> None:
    draft_id = add_draft()
    assert client.post(f"/api/v1/drafts/{draft_id}/lease").json()["lease_owner"] == "lan"
    assert client.post("/api/v1/drafts/9/lease").status_code == 404
    decide(client, draft_id, verdict="accept")
    assert client.post(f"/api/v1/drafts/{draft_id}/lease").status_code == 409


def test_an_undo_takes_the_record_from_the_portal(client: TestClient, add_draft: Add) -> None:
    add_draft()
    decide(client, 1, verdict="accept")
    assert client.get("/api/v1/records/1").status_code == 200
    undone = client.post("/api/v1/decisions/undo", json={"reason": "zu schnell"})
    assert (undone.status_code, undone.json()["state"]) == (200, "draft")
    assert client.get("/api/v1/records/1").status_code == 404
    assert client.post("/api/v1/decisions/undo").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"nonsense",
        b'{"verdict": "undo"}',
        b'{"verdict": "accept", "expected_version": 0}',
        b'{"verdict": "accept", "expected_version": 99999999999999999999}',
        b'{"verdict": "accept", "values": {"name": {"raw": "X"}}}',
        b'{"verdict": "correct"}',
        b'{"verdict": "correct", "values": {"nonsense": {"raw": "X"}}}',
        b'{"verdict": "correct", "values": {"name": {"rave": "X"}}}',
        b'{"verdict": "correct", "values": {"name": {"value": NaN}}}',
        b'{"verdict": "correct", "values": {"death": {"raw": "x", "value": "not a date"}}}',
        b'{"verdict": "correct", "values": {"rank": {"value": {"a": [1]}}}}',
        b'{"verdict": "correct", "values": {"name": {"value": "\\ud800"}}}',
        b'{"verdict": "correct", "values": {"name": {"raw": "\\ud800"}}}',
        b'{"verdict": "correct", "values": {"name": {"value": "a\\u0000b"}}}',
        b'{"verdict": "accept", "reason": "\\ud800"}',
        b'{"verdict": "accept", "surprise": 1}',
        b"[" * 100_000,
        b'{"verdict": "accept", "reason": "' + b"x" * 4_000_000 + b'"}',
        b"\xff\xfe\x00",
    ],
)
def test_a_decision_that_does_not_fit_changes_nothing(client: TestClient, add_draft: Add, body: bytes) -> None:
    add_draft()
    if body.startswith(b'{"verdict"') and b"expected_version" not in body:
        body = body[:-1] + b', "expected_version": 1}'
    answer = client.post("/api/v1/drafts/1/decisions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in ((413,) if len(body) > 4_000_000 else (400, 422)), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.get("/api/v1/audit").json()["items"] == []


def test_the_audit_log_says_who_when_what_and_why(client: TestClient, add_draft: Add) -> None:
    add_draft()
    add_draft()
    decide(client, 1, verdict="correct", values={"death": {"raw": None}}, reason="mờ")
    decide(client, 2, verdict="accept")
    rows = client.get("/api/v1/audit", params={"limit": 2}).json()
    assert [(row["record_id"], row["field"]) for row in rows["items"]] == [(2, "state"), (1, "death")]
    older = client.get("/api/v1/audit", params={"cursor": rows["next_cursor"]}).json()["items"]
    assert [(row["reviewer"], row["reason"], row["after"]) for row in older] == [("lan", "mờ", "corrected")]
    only = client.get("/api/v1/audit", params={"record_id": 2}).json()["items"]
    assert [row["record_id"] for row in only] == [2]
    assert client.get("/api/v1/audit/chain").json() == {
        "length": 3,
        "intact": True,
        "broken_at": None,
        "problem": None,
    }


def test_records_are_paged_by_id(client: TestClient, add_draft: Add) -> None:
    for _ in range(5):
        decide(client, add_draft(), verdict="accept")
    ids, cursor = [], None
    while True:
        page = client.get("/api/v1/records", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        ids += [record["id"] for record in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert ids == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("cursor", ["x", "aWQ6", "aWQ6LTE", "aWQ6MSBPUiAx", "é", "a" * 65])
def test_an_invented_cursor_is_a_problem(client: TestClient, cursor: str) -> None:
    assert client.get("/api/v1/records", params={"cursor": cursor}).status_code == 422


def test_all_records_come_as_files(client: TestClient, add_draft: Add) -> None:
    for name in ("NGUYỄN VĂN MẪU", "TRẦN THỊ THỬ"):
        decide(client, add_draft(name), verdict="accept")
    add_draft("BẢN NHÁP")
    answer = client.get("/api/v1/exports/records.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["name"] for row in rows] == ["Nguyễn Văn Mẫu", "Trần Thị Thử"]
    assert "records.csv" in answer.headers["content-disposition"]
    lines = client.get("/api/v1/exports/records.jsonl").text.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [1, 2]
