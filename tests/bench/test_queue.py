from __future__ import annotations

from rich.console import Console

from bench import queue
from bench.services import PostgreSQL


def test_chunks_are_claimed_finished_and_grouped_on_every_database_that_is_there() -> None:
    figures = queue.run(Console(quiet=True), few=1200, many=1600, rounds=1)
    names = {"rows_per_s", "ratio_2m_to_10k", "cpu_us_per_row", "grouped_per_s"}
    if PostgreSQL.missing() is None:
        names |= {f"{name}_postgresql" for name in names}
    assert set(figures) == names
    assert min(figures.values()) > 0
