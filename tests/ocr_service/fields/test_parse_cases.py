from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ocr_service.fields import context_from_json, parse_text

HERE = Path(__file__).parent


def _cases(name: str) -> list[tuple[str, dict[str, Any]]]:
    lines = (HERE / name).read_text("utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return [(raw.replace("\\n", "\n"), json.loads(expected)) for raw, expected in rows]


def differences(expected: Any, actual: Any, path: str = "") -> list[str]:
    """Where the listed keys differ; null equals a missing key, flags need only be among the actual ones."""
    if isinstance(expected, dict):
        actual = actual if isinstance(actual, dict) else {}
        return [d for key, value in expected.items() for d in differences(value, actual.get(key), f"{path}.{key}")]
    if isinstance(expected, list) and expected and isinstance(expected[0], dict):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return [f"{path}: {actual!r} is not {expected!r}"]
        return [d for i, value in enumerate(expected) for d in differences(value, actual[i], f"{path}[{i}]")]
    return [] if expected == actual else [f"{path}: {actual!r} is not {expected!r}"]


@pytest.mark.parametrize(("raw", "expected"), _cases("parse_cases.tsv"))
def test_every_case_of_the_field_parses_as_stated(raw: str, expected: dict[str, Any]) -> None:
    _check(raw, expected)


@pytest.mark.parametrize(("raw", "expected"), _cases("own_cases.tsv"))
def test_every_variant_parses_as_stated(raw: str, expected: dict[str, Any]) -> None:
    _check(raw, expected)


def _check(raw: str, expected: dict[str, Any]) -> None:
    expected = dict(expected)
    context = context_from_json(expected.pop("ctx", {}))
    flags = set(expected.pop("flags", []))
    flat = parse_text(raw, context).flat()
    assert differences(expected, flat) == []
    assert flags <= set(flat["flags"])
