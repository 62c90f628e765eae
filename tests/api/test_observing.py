"""What the people who run the service see of it: readiness, figures, request ids, log lines."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from api.app import create_app
from api.keys import hash_of
from ocr_service import intake
from ocr_service.operations.logs import log_to_stderr
from ocr_service.settings import Settings
from ocr_service.states import Priority

SECRET = "very-secret-key"
JPEG = b"\xff\xd8\xff\xe0 photo"


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything that this process logs, as a collector of logs would see it."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    log_to_stderr(logging.INFO)
    yield stream
    structlog.reset_defaults()
    logging.basicConfig(force=True)


@pytest.fixture
def public(tmp_path: Path) -> Iterator[TestClient]:
    keys = tmp_path / "keys.toml"
    entries = [
        f'[[key]]\nname = "{role}"\nroles = ["{role}"]\nsha256 = "{hash_of(SECRET + role)}"\n'
        for role in ("portal", "metrics", "collector")
    ]
    keys.write_text("".join(entries), "utf-8")
    app = create_app(Settings(data_dir=tmp_path / "public", host="0.0.0.0", api_keys_file=keys))
    yield TestClient(app, base_url="https://bia.example", client=("203.0.113.9", 4711))
    app.state.database.close()


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def sample(client: TestClient, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(client.get("/metrics").text)
    found = [s for family in families for s in family.samples if s.name == name and labels.items() <= s.labels.items()]
    assert len(found) == 1, (name, labels)
    return float(found[0].value)


def test_the_backlog_is_what_the_database_says(client: TestClient, app: FastAPI) -> None:
    assert sample(client, "headstone_backlog_photos", state="received", priority="waiting") == 0
    database, store = app.state.database, app.state.store
    with database.writing() as session:
        for number in range(3):
            intake.receive(session, store, JPEG + bytes([number]), filename="a.jpg", received_by="thu")
        bulk, waiting = int(Priority.BULK), int(Priority.WAITING)
        session.execute(text(f"UPDATE photos SET priority = CASE id WHEN 1 THEN {waiting} ELSE {bulk} END"))
        session.execute(text("UPDATE photos SET state = 'failed' WHERE id = 3"))
        session.execute(text("UPDATE photos SET received_at = '2020-01-01 00:00:00.000000'"))
    app.state.backlog_collector._found_at = float("-inf")  # asked again within ten seconds it answers from memory
    assert sample(client, "headstone_backlog_photos", state="received", priority="waiting") == 1
    assert sample(client, "headstone_backlog_photos", state="received", priority="bulk") == 1
    assert sample(client, "headstone_backlog_photos", state="failed") == 1
    assert sample(client, "headstone_backlog_oldest_seconds", priority="bulk") > 86_400 * 365
    assert sample(client, "headstone_database_up") == 1


def test_a_database_that_is_gone_is_a_figure_and_no_error(client: TestClient, app: FastAPI) -> None:
    with app.state.database.writing() as session:
        session.execute(text("ALTER TABLE photos RENAME TO gone"))
    assert sample(client, "headstone_database_up") == 0


def test_requests_are_timed_by_route_and_not_by_path(client: TestClient) -> None:
    def counted() -> float:
        labels = {"method": "GET", "route": "/api/v1/photos/{photo_id}", "status": "404"}
        return REGISTRY.get_sample_value("headstone_http_request_seconds_count", labels) or 0.0

    before = counted()
    for number in (7, 8):
        client.get(f"/api/v1/photos/{number}")
    client.get("/nowhere/nguyen")
    client.request("BREW", "/nowhere")
    assert counted() == before + 2
    said = client.get("/metrics").text
    assert "nguyen" not in said
    assert "BREW" not in said


def test_a_request_id_is_kept_and_one_that_does_not_fit_replaced(client: TestClient) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "batch-7.a"}).headers["x-request-id"] == "batch-7.a"
    ids = {
        client.get("/healthz", headers={"X-Request-ID": bad}).headers["x-request-id"] for bad in ("", "a b", "x" * 65)
    }
    assert len(ids) == 3
    assert all(len(found) == 32 for found in ids)


def test_a_refused_request_has_an_id_and_a_line_too(public: TestClient, logged: io.StringIO) -> None:
    answer = public.get("/api/v1/photos/5", headers={"X-API-Key": "wrong"})
    line = lines_of(logged)[-1]
    assert (line["request_id"], line["status"], line["actor"]) == (answer.headers["x-request-id"], 401, None)


def test_a_line_says_who_asked_for_which_photo_and_how_it_went(public: TestClient, logged: io.StringIO) -> None:
    public.get("/api/v1/photos/5", headers={"X-API-Key": SECRET + "collector"})
    line = lines_of(logged)[-1]
    assert line.pop("ms") >= 0
    assert line.pop("timestamp")
    assert line.pop("request_id")
    assert line == {
        "event": "request", "level": "info", "method": "GET", "route": "/api/v1/photos/{photo_id}", "status": 404,
        "actor": "collector", "photo_id": 5,
    }  # fmt: skip


def test_no_key_and_no_name_reaches_the_log(public: TestClient, logged: io.StringIO) -> None:
    key = {"X-API-Key": SECRET + "collector"}
    name = "LIỆT SĨ NGUYỄN VĂN MẪU"
    public.post("/api/v1/photos", headers=key, files=[("files", (f"{name}.jpg", JPEG))])
    public.get("/api/v1/records", params={"q": name}, headers={"X-API-Key": SECRET + "portal"})
    public.get(f"/nowhere/{name}", headers=key)
    public.get("/api/v1/photos/99999999999999999999", headers=key | {"Cookie": name.encode().hex()})
    said = logged.getvalue()
    assert len(lines_of(logged)) == 4
    assert all(part not in said for part in (SECRET, "MẪU", "NGUY", "nguy", "%E1%BB", name.encode().hex()))


def test_an_error_inside_is_logged_without_what_was_asked_of_the_database(
    client: TestClient, app: FastAPI, logged: io.StringIO
) -> None:
    with app.state.database.writing() as session:
        session.execute(text("ALTER TABLE records RENAME COLUMN search_key TO gone"))
    answer = client.get("/api/v1/records", params={"q": "NGUYEN VAN MAU"})
    assert answer.status_code in (500, 503)
    said = logged.getvalue().lower()
    assert answer.headers["x-request-id"] in said
    assert "nguyen" not in said
    assert "mau" not in said


def test_an_error_of_the_database_names_no_values(app: FastAPI) -> None:
    with pytest.raises(IntegrityError) as error, app.state.database.writing() as session:
        session.execute(text("INSERT INTO arrivals (filename) VALUES (:name)"), {"name": "nguyen-van-mau.jpg"})
    assert "nguyen" not in str(error.value)


def test_what_libraries_log_has_the_same_form(logged: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("port %d is busy", 80)
    assert (
        lines_of(logged)[-1].items()
        >= {"event": "port 80 is busy", "level": "warning", "logger": "uvicorn.error"}.items()
    )


def test_whether_all_is_well_is_asked_without_a_line(client: TestClient, logged: io.StringIO) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert client.get(path).status_code == 200
    assert logged.getvalue() == ""


def test_an_older_schema_is_not_ready_and_staff_are_told(public: TestClient) -> None:
    database = public.app.state.database  # type: ignore[attr-defined]
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    told = public.get("/readyz", headers={"X-API-Key": SECRET + "metrics"})
    assert told.status_code == 503
    assert "database" in told.json()["detail"]
    portal = public.get("/readyz", headers={"X-API-Key": SECRET + "portal"})
    assert portal.status_code == 503
    assert "database" not in portal.json()["detail"]


def test_a_store_that_is_gone_is_not_ready(client: TestClient, settings: Settings) -> None:
    incoming = settings.objects_dir / ".incoming"
    incoming.rmdir()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "store" in answer.json()["detail"]
