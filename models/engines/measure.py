"""Compare the engines of a bundle on held-out lines: ``python -m models.engines.measure --engines torch paddleocr``.

Writes one line for each engine: processor time as a ratio to the default engine's, lines a second by the clock, and the
share of lines with the default engine's text. ``--readers`` hands lines in from that many threads, as photos read side
by side do; on a GPU raise it until the lines a second stop growing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import get_args

from datasets.validation import validation_lines
from models.bundle import load_bundle
from models.choices import DEFAULT_ENGINE, Device
from models.engines import ENGINES, load_engine
from models.engines.engine import Crop, TextRecogniser

_LINES_OF_A_PHOTO = 8


@dataclass(frozen=True, slots=True)
class Run:
    """What reading the lines with one engine took, and what it read."""

    cpu_s: float
    wall_s: float
    texts: tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, read the lines with every engine and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", help="folder or name@version; the newest that ships by default")
    parser.add_argument("--engines", nargs="*", default=[], choices=sorted(ENGINES), help="beside the default engine")
    parser.add_argument("--device", choices=get_args(Device), help="of the engines beside the default one")
    parser.add_argument("--lines", type=int, default=200)
    parser.add_argument("--readers", type=int, default=1, help="threads that hand lines in")
    chosen = parser.parse_args(arguments)
    bundle = load_bundle(chosen.bundle)
    crops = [crop for crop, _ in validation_lines(chosen.lines)]
    sys.stdout.write(f"{bundle.id}, {len(crops)} lines, {chosen.readers} readers\n")
    base_reader = load_engine(bundle).recogniser
    base = read_all(base_reader, crops, chosen.readers)
    sys.stdout.write(f"{DEFAULT_ENGINE:12} cpu 1.00  {len(crops) / base.wall_s:8.1f} lines/s\n")
    for name in chosen.engines:
        engine = load_engine(bundle, name, device=chosen.device)
        run = read_all(engine.recogniser, crops, chosen.readers)
        same = sum(ours == theirs for ours, theirs in zip(run.texts, base.texts, strict=True)) / len(crops)
        sys.stdout.write(
            f"{name:12} cpu {run.cpu_s / base.cpu_s:.2f}  {len(crops) / run.wall_s:8.1f} lines/s  same text {same:.3f}"
            f"  on {engine.device}\n"
        )


def read_all(reader: TextRecogniser, crops: Sequence[Crop], readers: int) -> Run:
    """Read ``crops`` a photo's worth at a time from ``readers`` threads, after a few lines to warm up."""
    reader.read_many(crops[:3])
    photos = [crops[start : start + _LINES_OF_A_PHOTO] for start in range(0, len(crops), _LINES_OF_A_PHOTO)]
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(readers) as threads:
        texts = [line.text for lines in threads.map(reader.read_many, photos) for line in lines]
    return Run(time.process_time() - cpu_s, time.perf_counter() - wall_s, tuple(texts))


if __name__ == "__main__":
    main()
