from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from api.keys import hash_of, load_keys
from api.keys import main as make_key
from ocr_service.errors import UsageError
from ocr_service.settings import Settings

ORIGIN = "http://127.0.0.1:8000"
KEYS = {name: f"{name}-secret" for name in ("collector", "verifier", "portal", "metrics", "admin")}
READ = "/api/v1/records"
CHANGE = "/api/v1/queue/next"


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.toml"
    entries = [f'[[key]]\nname = "{n}"\nroles = ["{n}"]\nsha256 = "{hash_of(s)}"\n' for n, s in KEYS.items()]
    path.write_text("".join(entries), "utf-8")
    return path


@pytest.fixture
def public(tmp_path: Path, keys_file: Path) -> TestClient:
    """The service as the network sees it."""
    app = create_app(Settings(data_dir=tmp_path / "public", host="0.0.0.0", api_keys_file=keys_file))
    return TestClient(app, base_url="https://bia.example", client=("203.0.113.9", 4711))


def here(app: FastAPI, base_url: str = ORIGIN, client: str = "127.0.0.1", **headers: str) -> TestClient:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return TestClient(app, base_url=base_url, client=(client, 50_000), headers=sent)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "[", "a b", "127.0.0.2"]
)
def test_a_foreign_name_that_points_here_is_refused(app: FastAPI, host: str) -> None:
    answer = here(app).get(READ, headers={"Host": host})
    assert answer.status_code == 421


@pytest.mark.parametrize(
    "base_url", ["http://127.0.0.1:8000", "http://localhost:9", "http://[::1]:8000", "http://LOCALHOST"]
)
def test_this_machines_own_names_are_served(app: FastAPI, base_url: str) -> None:
    assert here(app, base_url).get(READ).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": "http://127.0.0.1:8000.evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, 403),
        ({"Origin": ORIGIN}, 204),
        ({"Sec-Fetch-Site": "same-origin"}, 204),
    ],
)
def test_only_our_own_pages_change_anything(app: FastAPI, headers: dict[str, str], status: int) -> None:
    assert here(app).post(CHANGE, headers=headers).status_code == status
    assert here(app).get(READ, headers=headers).status_code == 200


@pytest.mark.parametrize("header", ["X_Forwarded_For", "Forwarded", "X_Real_IP"])
def test_whoever_comes_through_a_proxy_is_not_the_person_here(app: FastAPI, header: str) -> None:
    assert here(app, Origin=ORIGIN, **{header: "127.0.0.1"}).get(READ).status_code == 401


def test_whoever_connects_from_elsewhere_is_not_the_person_here(app: FastAPI) -> None:
    assert here(app, client="192.0.2.1").get(READ).status_code == 401


def test_a_public_address_without_keys_does_not_start(tmp_path: Path) -> None:
    for host in ("0.0.0.0", "::", "192.168.1.5", "bia.example"):
        with pytest.raises(UsageError, match="needs API keys"):
            create_app(Settings(data_dir=tmp_path, host=host))


@pytest.mark.parametrize(
    "text", ["[[key]]\n", "nonsense", '[[key]]\nname="a"\nroles=["king"]\nsha256="00"\n', "key = 3"]
)
def test_a_key_file_that_does_not_fit_does_not_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.toml").write_text(text)
    with pytest.raises(UsageError):
        load_keys(tmp_path / "keys.toml")


def test_without_a_key_only_health_answers(public: TestClient) -> None:
    assert public.get("/healthz").status_code == 200
    paths = ["/", "/readyz", "/api/v1/openapi.json", "/static/x", "/nowhere", *(READ, "/api/v1/photos/1/image")]
    assert {path: public.get(path).status_code for path in paths} == dict.fromkeys(paths, 401)


def ways(secret: str) -> list[dict[str, str]]:
    basic = base64.b64encode(f"anybody:{secret}".encode()).decode()
    return [{"X-API-Key": secret}, {"Authorization": f"Bearer {secret}"}, {"Authorization": f"Basic {basic}"}]


def test_a_key_opens_in_every_way_it_may_be_sent(public: TestClient) -> None:
    for headers in ways(KEYS["portal"]):
        assert public.get(READ, headers=headers).status_code == 200
    for headers in (*ways("wrong"), {"Authorization": "Basic %%%"}, {"Authorization": "Digest x"}):
        answer = public.get(READ, headers=headers)
        assert answer.status_code == 401
        assert "www-authenticate" in answer.headers


def test_a_browser_that_wants_a_page_is_asked_for_a_key(public: TestClient) -> None:
    answer = public.get("/", headers={"Accept": "text/html"})
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_a_key_that_the_browser_attaches_by_itself_needs_our_own_page(public: TestClient) -> None:
    *programs, browser = ways(KEYS["verifier"])
    assert [public.post(CHANGE, headers=headers).status_code for headers in programs] == [204, 204]
    assert public.post(CHANGE, headers=browser).status_code == 403
    assert public.post(CHANGE, headers=browser | {"Origin": "https://evil.example"}).status_code == 403
    assert public.post(CHANGE, headers=browser | {"Origin": "https://bia.example"}).status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/v1/records", {"portal", "verifier"}),
        ("GET", "/api/v1/records/1", {"portal", "verifier"}),
        ("GET", "/api/v1/exports/records.csv", {"portal", "verifier"}),
        ("POST", "/api/v1/batches", {"collector"}),
        ("GET", "/api/v1/batches", {"collector", "verifier"}),
        ("GET", "/api/v1/batches/1", {"collector", "verifier"}),
        ("POST", "/api/v1/batches/1/files", {"collector"}),
        ("PUT", "/api/v1/batches/1/files/1", {"collector"}),
        ("POST", "/api/v1/batches/1/files/complete", {"collector"}),
        ("POST", "/api/v1/batches/1/files/withdraw", {"collector"}),
        ("POST", "/api/v1/batches/1/tar", {"collector"}),
        ("GET", "/api/v1/batches/1/files", {"collector", "verifier"}),
        ("GET", "/api/v1/batches/1/receipt", {"collector", "verifier"}),
        ("POST", "/api/v1/batches/1/retry", {"collector", "verifier"}),
        ("POST", "/api/v1/photos", {"collector"}),
        ("GET", "/api/v1/photos", {"collector", "verifier"}),
        ("GET", "/api/v1/photos/1", {"collector", "verifier"}),
        ("POST", "/api/v1/photos/1/retry", {"collector", "verifier"}),
        ("GET", "/api/v1/photos/1/image", {"collector", "verifier", "portal"}),
        ("GET", "/api/v1/photos/1/lines/0/crop", {"collector", "verifier"}),
        ("GET", "/api/v1/queue", {"verifier"}),
        ("POST", "/api/v1/queue/next", {"verifier"}),
        ("GET", "/api/v1/drafts/1", {"verifier"}),
        ("POST", "/api/v1/drafts/1/lease", {"verifier"}),
        ("POST", "/api/v1/drafts/1/decisions", {"verifier"}),
        ("POST", "/api/v1/decisions/undo", {"verifier"}),
        ("GET", "/api/v1/audit", {"verifier"}),
        ("GET", "/api/v1/audit/chain", {"verifier"}),
        ("GET", "/readyz", {"collector", "verifier", "portal", "metrics"}),
        ("GET", "/metrics", {"metrics"}),
    ],
)
def test_each_role_may_do_its_own_work_only(public: TestClient, method: str, path: str, allowed: set[str]) -> None:
    body: dict[str, Any] = {"json": {"verdict": "accept", "expected_version": 1}} if path.endswith("decisions") else {}
    may = {
        name
        for name, secret in KEYS.items()
        if public.request(method, path, headers={"X-API-Key": secret}, **body).status_code != 403
    }
    assert may == allowed | {"admin"}


def test_every_route_of_the_api_is_in_the_table_above(public: TestClient) -> None:
    document = public.get("/api/v1/openapi.json", headers={"X-API-Key": KEYS["admin"]}).json()
    marks = test_each_role_may_do_its_own_work_only.pytestmark[0]  # type: ignore[attr-defined]
    listed = {(method, path.replace("/1", "/{}").replace("/0/", "/{}/")) for method, path, _ in marks.args[1]}
    found = {
        (method.upper(), "/".join("{}" if step.startswith("{") else step for step in path.split("/")))
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert found - listed == {("GET", "/healthz"), ("GET", "/api/v1/exports/records.jsonl")}


def test_a_portal_sees_pictures_of_verified_records_only(public: TestClient) -> None:
    staff, portal = {"X-API-Key": KEYS["collector"]}, {"X-API-Key": KEYS["portal"]}
    public.post("/api/v1/photos", headers=staff, files=[("files", ("a.jpg", b"\xff\xd8\xff\xe0 x"))])
    assert public.get("/api/v1/photos/1/image", headers=portal).status_code == 404
    assert public.get("/api/v1/photos/1/image", headers=staff).status_code == 422


def test_a_key_is_shown_once_and_kept_as_a_hash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make_key(["--name", 'Cổng "A"', "--role", "portal", "--role", "verifier"]) == 0
    said = capsys.readouterr()
    secret = said.err.split()[-1]
    (tmp_path / "keys.toml").write_text(said.out, "utf-8")
    key = load_keys(tmp_path / "keys.toml").find(secret)
    assert key is not None
    assert (key.name, {str(role) for role in key.roles}) == ('Cổng "A"', {"portal", "verifier"})
    assert secret not in said.out
    assert hashlib.sha256(secret.encode()).hexdigest() in said.out
