"""Runs benchmarks, prints their tables and keeps their figures.

A benchmark is a function that takes a console to print to and returns its figures; registering one is a line in
``BENCHES``. Figures are merged under the bench's name into ``bench/latest.json``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console

LATEST = Path(__file__).parent / "latest.json"

Bench = Callable[[Console], Mapping[str, float]]

BENCHES: Mapping[str, str] = {  # name → module:function, imported only when it runs
    "reader": "bench.reader:run",
    "parse": "bench.parse:run",
    "faces": "bench.faces:run",
    "ablation": "bench.ablation:run",
    "quality": "bench.quality:run",
    "kinds": "bench.kinds:run",
    "graves": "bench.graves:run",
    "fuzz": "bench.fuzz:run",
    "intake": "bench.intake:run",
    "queue": "bench.queue:run",
    "growth": "bench.growth:run",
    "soak": "bench.soak:run",
}


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks that were asked for and keep what they found; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the product.")
    parser.add_argument("--only", metavar="NAME", choices=sorted(BENCHES), help=f"one of {', '.join(sorted(BENCHES))}")
    only = parser.parse_args(arguments).only
    console = Console(width=None if sys.stdout.isatty() else 140)
    for name in [only] if only else BENCHES:
        figures = _load(BENCHES[name])(console)
        keep_figures(LATEST, name, figures)
        console.print(f"{name}: {json.dumps(dict(figures), ensure_ascii=False)}", soft_wrap=True)
    return 0


def keep_figures(latest: Path, name: str, figures: Mapping[str, float]) -> None:
    """Merge ``figures`` under ``name`` into the JSON file ``latest``; other benches' figures stay."""
    kept = json.loads(latest.read_text(encoding="utf-8")) if latest.is_file() else {}
    kept[name] = dict(figures)
    latest.write_text(json.dumps(kept, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def _load(target: str) -> Bench:
    module, _, function = target.partition(":")
    bench: Bench = getattr(importlib.import_module(module), function)
    return bench


if __name__ == "__main__":
    sys.exit(main())
