from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/api/v1/openapi.json").json()
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_every_route_is_described(document: dict[str, Any]) -> None:
    described = {tag["name"] for tag in document["tags"]}
    for method, path, operation in operations(document):
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        assert set(operation["tags"]) <= described, (method, path)


def test_every_route_says_what_it_answers(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        answers = operation["responses"]
        good = [answers[status] for status in answers if status in ("200", "202")]
        assert good, (method, path)
        assert all("content" in answer for answer in good), (method, path)
        expected = {"421", "500", "503"} | (set() if path == "/healthz" else {"401", "403"})
        if operation.get("parameters") or "requestBody" in operation:
            expected |= {"422"}
        if "requestBody" in operation:
            expected |= {"413"}
        if "{" in path:
            expected |= {"404"}
        assert expected <= set(answers), (method, path)


def test_every_error_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                schema = answer["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, (method, path, status)


def test_every_route_but_health_needs_credentials(document: dict[str, Any]) -> None:
    schemes = set(document["components"]["securitySchemes"])
    assert schemes == {"bearer", "apiKey", "basic"}
    for _, path, operation in operations(document):
        named = {name for requirement in operation.get("security", []) for name in requirement}
        assert named == (set() if path == "/healthz" else schemes), path


def test_every_reference_leads_somewhere_and_every_schema_is_described(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas, reference
    assert all(schema.get("description") or schema.get("enum") for schema in schemas.values())
    assert "HTTPValidationError" not in schemas


def test_what_is_answered_has_the_documented_shape(document: dict[str, Any], client: TestClient) -> None:
    for path in (
        "/api/v1/records",
        "/api/v1/photos",
        "/api/v1/queue",
        "/api/v1/audit",
        "/api/v1/audit/chain",
        "/healthz",
    ):
        schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        properties = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"]
        assert set(client.get(path).json()) == set(properties), path
