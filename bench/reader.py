"""How well and how fast photos are read: ours and every installed peer on the sample pack, in one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from bench.worker_cost import worker_cost
from ocr_service.evaluation import USUAL_PEERS, EngineScore, evaluate, load_truth, tables
from ocr_service.settings import load_settings

SAMPLES = Path(__file__).parent.parent / "datasets" / "samples"
SIZED_PHOTOS = 6
"""How many photos are read at 2 and at 12 megapixels as well."""


def run(console: Console) -> Mapping[str, float]:
    """Measure all readers on the sample pack, print the tables, and return the figures."""
    cost = worker_cost(sorted(SAMPLES.glob("*.jpg"))[:SIZED_PHOTOS])
    scores = evaluate(load_truth(SAMPLES), USUAL_PEERS, load_settings())
    for table in tables(scores, title="Readers on the sample pack, one after the other"):
        console.print(table)
    return figures(scores) | cost


def figures(scores: Sequence[EngineScore]) -> dict[str, float]:
    """Return seconds, CPU seconds, CER and exact lines; a peer's are prefixed with its name.

    ``cpu_ratio_to_rapidocr`` is our CPU time a photo over that of RapidOCR's default on the same photos.
    """
    found: dict[str, float] = {}
    installed = {score.engine: score for score in scores if score.not_installed is None}
    for engine, score in installed.items():
        prefix = "" if engine == "ours" else f"{engine}_"
        found[f"{prefix}seconds_per_photo"] = round(score.seconds_per_photo, 4)
        found[f"{prefix}cpu_seconds_per_photo"] = round(score.cpu_seconds_per_photo, 4)
        found[f"{prefix}cer"] = round(score.errors.cer, 5)
        found[f"{prefix}exact_lines"] = round(score.errors.exact_share, 5)
    if "ours" in installed:
        found["photos"] = len(installed["ours"].photos)
        found["field_right"] = sum(field.right for field in installed["ours"].fields.values())
        found["field_total"] = sum(field.total for field in installed["ours"].fields.values())
    if {"ours", "rapidocr"} <= installed.keys():
        theirs = installed["rapidocr"].cpu_seconds_per_photo
        found["cpu_ratio_to_rapidocr"] = round(installed["ours"].cpu_seconds_per_photo / max(theirs, 1e-9), 4)
    return found
