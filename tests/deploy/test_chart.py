"""The Helm chart names only values that it has, and asks the database only what the schema can answer.

It is rendered by Helm and held against the Kubernetes schemas by hand; what can be told without Helm is told here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import text

from ocr_service.database import open_database
from ocr_service.states import Priority

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "headstone"
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
TEMPLATES = {path.name: path.read_text("utf-8") for path in sorted((CHART / "templates").iterdir())}


def has(path: str) -> bool:
    value: Any = VALUES
    for step in path.split("."):
        if not isinstance(value, dict) or step not in value:
            return False
        value = value[step]
    return True


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_value_that_is_asked_for_has_a_default(name: str) -> None:
    asked = set(re.findall(r"\.Values\.([A-Za-z0-9_.]+)", TEMPLATES[name]))
    assert {path for path in asked if not has(path)} == set()


def test_every_kind_of_worker_has_what_the_template_asks_for() -> None:
    asked = set(re.findall(r"\$worker\.([A-Za-z]+)", TEMPLATES["workers.yaml"])) - {"gpu", "processes", "maxMemoryMb"}
    for worker in VALUES["workers"].values():
        assert asked <= set(worker)
    assert {"gpu", "processes", "maxMemoryMb"} <= set(VALUES["workers"]["gpu"])


@pytest.mark.parametrize("name", [name for name, content in TEMPLATES.items() if "containers:" in content])
def test_each_pod_is_without_rights_and_limited(name: str) -> None:
    content = TEMPLATES[name]
    pods = content.count("containers:")
    for part in ('include "headstone.pod"', 'include "headstone.container"', "resources:"):
        assert content.count(part) == pods
    helpers = TEMPLATES["_helpers.tpl"]
    for promise in ("runAsNonRoot: true", "readOnlyRootFilesystem: true", "drop: [ALL]", "type: RuntimeDefault"):
        assert promise in helpers


@pytest.mark.parametrize("waiting_only", [False, True])
def test_workers_are_scaled_by_a_query_that_uses_the_index_of_what_waits(tmp_path: Path, waiting_only: bool) -> None:
    template = TEMPLATES["workers.yaml"]
    written = template[template.index("SELECT count(*)") : template.index("targetQueryValue")]
    if not waiting_only:
        written = re.sub(r"\{\{- if eq .*?\{\{ end \}\}", "", written, flags=re.DOTALL)
    query = " ".join(re.sub(r"\{\{.*?\}\}", lambda found: "9" if "mul" in found[0] else "", written).split())
    assert (f"priority = {int(Priority.WAITING)}" in query) == waiting_only
    database = open_database(f"sqlite:///{tmp_path}/a.sqlite3")
    with database.reading() as session:
        assert session.scalar(text(query)) == 0
        plan = " ".join(row[3] for row in session.execute(text(f"EXPLAIN QUERY PLAN {query}")))
    database.close()
    assert "SCAN photos" not in plan.replace("SCAN photos USING", "")
