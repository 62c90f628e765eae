"""The soak by itself: ``python -m bench.soak --photos 300``. Exit code 1 where a photo is unaccounted for."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console

from bench.soak.run import DEFAULT_PHOTOS, SETUPS, soak

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description="Kill everything, lose nothing.")
    parser.add_argument("--photos", type=int, default=DEFAULT_PHOTOS, help="of each run")
    parser.add_argument("--seed", type=int, default=1968)
    parser.add_argument("--only", choices=sorted(SETUPS), help="one of the two runs")
    chosen = parser.parse_args()
    results = soak(Console(), chosen.photos, chosen.seed, [chosen.only] if chosen.only else sorted(SETUPS))
    sys.exit(0 if all(result.is_complete for result in results) else 1)
