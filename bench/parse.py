"""How fast inscriptions are parsed on one core, and how many come back as they were worded."""

from __future__ import annotations

import time
from collections.abc import Mapping
from random import Random

from rich.console import Console
from rich.table import Table

from datasets.inscriptions import sample_inscription
from ocr_service.fields import parse_text

COUNT = 5000
SEED = 20260401
_ROUNDS = 3


def run(console: Console) -> Mapping[str, float]:
    """Parse fresh inscriptions of all kinds; the figures are those of the best of three rounds, in CPU time."""
    rng = Random(SEED)
    texts = ["\n".join(sample_inscription(rng).lines) for _ in range(COUNT)]
    started = time.perf_counter()
    parse_text(texts[0])
    first_ms = (time.perf_counter() - started) * 1000
    rounds = [_cpu_seconds(texts) for _ in range(_ROUNDS)]
    figures = {
        "inscriptions_per_minute": round(COUNT / min(rounds) * 60),
        "inscriptions_per_minute_cold": round(COUNT / rounds[0] * 60),
        "first_inscription_ms": round(first_ms, 1),
        "lines_per_inscription": round(sum(text.count("\n") + 1 for text in texts) / COUNT, 2),
    }
    table = Table(title=f"Parsing {COUNT} fresh inscriptions on one core")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), f"{value:,}")
    console.print(table)
    return figures


def _cpu_seconds(texts: list[str]) -> float:
    started = time.process_time()
    for text in texts:
        parse_text(text)
    return time.process_time() - started
