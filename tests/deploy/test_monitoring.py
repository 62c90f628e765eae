"""The dashboard and the alerts ask for metrics that exist, and every metric is counted somewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

from ocr_service import metrics
from ocr_service.database import open_database
from ocr_service.operations.backlog_metrics import BacklogCollector

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
OURS = re.compile(r"\bheadstone_[a-z_]+\b")
LABEL = re.compile(r"headstone_[a-z_]+\{([^}]*)\}|\bby \(([^)]*)\)")
COUNTED: dict[str, MetricWrapperBase] = {
    name: value for name, value in vars(metrics).items() if isinstance(value, Counter | Histogram)
}


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Names as Prometheus sees them, and their labels."""
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('metrics')}/a.sqlite3")
    found: dict[str, set[str]] = {}
    for family in BacklogCollector(database).collect():
        found[family.name] = {label for sample in family.samples for label in sample.labels}
    database.close()
    for metric in COUNTED.values():
        endings = ("_total",) if isinstance(metric, Counter) else ("_bucket", "_count", "_sum")
        found |= {metric._name + ending: set(metric._labelnames) | {"le"} for ending in endings}
    return found


def expressions() -> Iterator[str]:
    dashboard = json.loads((DEPLOY / "grafana" / "headstone.json").read_text("utf-8"))
    yield from (target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    alerts = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text("utf-8"))
    yield from (rule["expr"] for group in alerts["groups"] for rule in group["rules"])


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_what_is_asked_for_exists_with_these_labels(expression: str, known: dict[str, set[str]]) -> None:
    names = set(OURS.findall(expression))
    assert names <= set(known)
    labels = {
        re.split(r"[=!]", part.strip(), maxsplit=1)[0]
        for match in LABEL.finditer(expression)
        for part in (match[1] or match[2]).split(",")
    }
    assert labels <= {label for name in names for label in known[name]}


def test_every_metric_is_shown_or_watched(known: dict[str, set[str]]) -> None:
    asked = {name for expression in expressions() for name in OURS.findall(expression)}
    families = {name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in known}
    assert families <= {name.removesuffix("_bucket").removesuffix("_count") for name in asked}


def test_every_metric_is_counted_somewhere() -> None:
    packages = ("api", "ocr_service", "workers")
    code = "".join(path.read_text("utf-8") for package in packages for path in (ROOT / package).rglob("*.py"))
    assert {name for name in COUNTED if f"metrics.{name}." not in code} == set()


def test_every_alert_says_what_it_means_and_the_handbook_what_to_do() -> None:
    alerts: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text("utf-8"))
    handbook = (ROOT / "docs" / "operations.md").read_text("utf-8")
    for group in alerts["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"]["summary"]
            assert rule["labels"]["severity"] in {"page", "ticket"}
            assert rule["alert"] in handbook, rule["alert"]
