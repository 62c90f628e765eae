"""How fast inscriptions are parsed on one core, and how many come back as they were worded, misread ones included."""

from __future__ import annotations

import time
from collections.abc import Mapping
from random import Random

from rich.console import Console
from rich.table import Table

from bench.round_trip import NOISY_FIELDS, noisy_verdicts, wrong_fields
from datasets.inscriptions import sample_inscription
from ocr_service.fields import parse_text

COUNT = 5000
NOISY_COUNT = 3000
# Apart from the seeds that rules were written on, which are below 1000.
SEED, NOISY_SEED = 20260401, 20260402
_ROUNDS = 3
_MEASURES = (
    ("equal", "text alone, equal"),
    ("proposed", "equal or proposed"),
    ("found", "found in its place"),
    ("joint", "with other readings, equal"),
    ("within_reach", "equal or among them"),
)


def run(console: Console) -> Mapping[str, float]:
    """Parse fresh inscriptions of all kinds; the speed is that of the best of three rounds, in CPU time.

    ``round_trip_share`` is the share whose every stated field comes back from its own text. ``noisy_…_share`` are those
    of name, death and province under 3 % of character noise (``bench.misreadings``): of the noisy text alone
    ``…_share`` equal to the truth, ``…_proposed_share`` equal or proposed beside what is cut, ``…_found_share`` equal
    or the right stretch of text; ``…_joint_share`` equal where the reader's other readings of each line are there as
    often and as sure as the shipped reader has them (``bench.rivals``), ``…_within_reach_share`` equal or among them.
    """
    rng = Random(SEED)
    inscriptions = [sample_inscription(rng) for _ in range(COUNT)]
    texts = ["\n".join(inscription.lines) for inscription in inscriptions]
    started = time.perf_counter()
    parse_text(texts[0])
    first_ms = (time.perf_counter() - started) * 1000
    rounds = [_cpu_seconds(texts) for _ in range(_ROUNDS)]
    whole = sum(not wrong_fields(*pair) for pair in zip(inscriptions, map(parse_text, texts), strict=True))
    figures = {
        "inscriptions_per_minute": round(COUNT / min(rounds) * 60),
        "inscriptions_per_minute_cold": round(COUNT / rounds[0] * 60),
        "first_inscription_ms": round(first_ms, 1),
        "lines_per_inscription": round(sum(text.count("\n") + 1 for text in texts) / COUNT, 2),
        "round_trip_share": round(whole / COUNT, 4),
        **_noisy_figures(),
    }
    table = Table(title=f"Parsing {COUNT} fresh inscriptions on one core")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in figures.items():
        if not name.startswith("noisy"):
            table.add_row(name.replace("_", " "), f"{value:,}")
    console.print(table)
    console.print(_noisy_table(figures))
    return figures


def _noisy_table(figures: Mapping[str, float]) -> Table:
    table = Table(title=f"{NOISY_COUNT} inscriptions with 3 % of character noise")
    for heading in ("field", *(heading for _, heading in _MEASURES)):
        table.add_column(heading, justify="left" if heading == "field" else "right")
    for field in NOISY_FIELDS:
        table.add_row(field, *(f"{figures[_key(field, measure)]:.1%}" for measure, _ in _MEASURES))
    return table


def _key(field: str, measure: str) -> str:
    return f"noisy_{field}_share" if measure == "equal" else f"noisy_{field}_{measure}_share"


def _noisy_figures() -> dict[str, float]:
    figures: dict[str, float] = {}
    for field, verdicts in noisy_verdicts(NOISY_SEED, NOISY_COUNT).items():
        for measure, _ in _MEASURES:
            hits = sum(getattr(verdict, measure) for verdict in verdicts)
            figures[_key(field, measure)] = round(hits / len(verdicts), 4)
    return figures


def _cpu_seconds(texts: list[str]) -> float:
    started = time.process_time()
    for text in texts:
        parse_text(text)
    return time.process_time() - started
