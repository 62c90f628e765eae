"""What docs say of pictures is what the programs can say."""

from __future__ import annotations

import re
from pathlib import Path

from ocr_service.reading.outcome import Outcome
from preprocess.quality import QualityReason

DOCS = Path(__file__).parents[2] / "docs"


def codes(text: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", text))


def test_every_reason_against_a_photo_is_documented() -> None:
    contracts = (DOCS / "contracts.md").read_text(encoding="utf-8")
    row = next(row for row in contracts.splitlines() if row.startswith("| `quality`"))
    table = (DOCS / "pictures.md").read_text(encoding="utf-8").split("## Unknown")[0]
    assert codes(row) - {"quality"} == {str(reason) for reason in QualityReason} <= codes(table)


def test_every_outcome_is_documented() -> None:
    section = (DOCS / "pictures.md").read_text(encoding="utf-8").split("## Unknown")[1].split("\n## ")[0]
    rows = "".join(row.split("|")[1] for row in section.splitlines() if row.startswith("| `"))
    assert codes(rows) == {str(outcome) for outcome in Outcome}
