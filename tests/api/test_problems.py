from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from ocr_service.errors import BundleError, ConflictError, NotFoundError, StorageError, UsageError

SECRET = "postgresql://user:password@db/secret"


def failing(app: FastAPI, error: Exception) -> None:
    @app.get("/api/v1/fails")
    def fails() -> None:
        raise error


UNFORESEEN = [
    RuntimeError(SECRET),
    StorageError(SECRET),
    BundleError(SECRET),
    OperationalError(SECRET, {}, Exception(SECRET)),
]


@pytest.mark.parametrize("error", UNFORESEEN)
def test_an_unexpected_error_does_not_say_what_it_knows(app: FastAPI, client: TestClient, error: Exception) -> None:
    failing(app, error)
    answer = client.get("/api/v1/fails")
    assert answer.status_code >= 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "x-content-type-options" in answer.headers
    assert "password" not in answer.text
    assert answer.json()["instance"] == "/api/v1/fails"


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [(NotFoundError("a"), 404, "not-found"), (ConflictError("b"), 409, "conflict"), (UsageError("c"), 422, "invalid")],
)
def test_what_the_caller_can_mend_is_said(
    app: FastAPI, client: TestClient, error: Exception, status: int, kind: str
) -> None:
    failing(app, error)
    problem = client.get("/api/v1/fails").json()
    assert (problem["status"], problem["type"], problem["detail"]) == (
        status,
        f"urn:headstone:problem:{kind}",
        str(error),
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nowhere", 404),
        ("DELETE", "/api/v1/records", 405),
        ("GET", "/api/v1/records?limit=0", 422),
        ("GET", "/api/v1/records?birth_year=x", 422),
        ("GET", "/api/v1/photos?state=lost", 422),
        ("GET", "/api/v1/photos/0", 422),
        ("GET", "/api/v1/photos/99999999999999999999", 422),
        ("GET", "/api/v1/photos/x", 422),
        ("GET", "/static/../../pyproject.toml", 404),
    ],
)
def test_every_refusal_is_a_problem_document(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["type"].startswith("urn:headstone:problem:")


def test_what_was_wrong_is_named_and_not_repeated(client: TestClient) -> None:
    problem = client.get("/api/v1/records", params={"birth_year": "my-secret"}).json()
    assert problem["errors"][0]["pointer"] == "query/birth_year"
    assert "my-secret" not in str(problem["errors"])


def test_a_wrong_method_names_the_right_ones(client: TestClient) -> None:
    assert "GET" in client.delete("/api/v1/records").headers["allow"]


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/records", "/nowhere", "/api/v1/photos/1/image"])
def test_every_answer_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["cache-control"]


def test_ready_means_that_database_and_store_can_be_used(app: FastAPI, client: TestClient) -> None:
    assert client.get("/readyz").json() == {"status": "ok"}
    with app.state.database.writing() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
