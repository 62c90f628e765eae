"""How many photos the store hands out and takes back as drafts in a second, with few and with two million of them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.services import PostgreSQL
from bench.synthetic import fill
from ocr_service import intake
from ocr_service.database import Database, open_database
from ocr_service.fields import parse_lines
from ocr_service.records import Line, PhotoType, Reading, ReadingStatus

FEW, MANY = 10_000, 2_000_000
CHUNK = 256
"""The largest number of photos that one message names."""
_ROUNDS = 16
_SAMPLES = Path(__file__).parents[1] / "datasets" / "samples"


@dataclass(slots=True)
class _Course:
    """A database of some size and the seconds that each step took on it."""

    database: Database
    rows: int
    seconds: dict[str, float] = field(default_factory=dict)
    cpu_s: float = 0.0
    finished: int = 0

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        started, on_cpu = time.perf_counter(), time.process_time()
        yield
        self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - started
        self.cpu_s += time.process_time() - on_cpu

    @property
    def rows_per_s(self) -> float:
        return self.finished / (self.seconds["claim"] + self.seconds["finish"])

    @property
    def cpu_us_per_row(self) -> float:
        return self.cpu_s / self.finished * 1e6

    @property
    def grouped_per_s(self) -> float:
        return self.finished / self.seconds["group"]


def run(console: Console, *, few: int = FEW, many: int = MANY, rounds: int = _ROUNDS) -> Mapping[str, float]:
    """Claim, begin and finish chunks of 256 photos in one process, on few and on many rows by turns.

    Each photo gets a reading of a sample stone (about 4 KB) and its draft; half of the rows wait, half are done.
    ``rows_per_s`` is claimed and finished with the many, by one process; ``grouped_per_s`` of them told which others
    show the same grave, which follows in transactions of its own. ``ratio_2m_to_10k`` is the rate with the many divided
    by the rate with the few: 1.0 is flat, less is slower with more rows. ``cpu_us_per_row`` is this process's CPU time,
    which other work on the machine changes little. These are those of the embedded SQLite, which is part of the
    process; ``…_postgresql`` are those of PostgreSQL, where that is installed.
    """
    table = Table(
        "database", "rows", "claimed and finished/s", "CPU µs a row", "ms a claim", "ms a finish", "grouped/s"
    )
    figures: dict[str, float] = {}
    with TemporaryDirectory(prefix="headstone-queue-") as folder:
        urls = [f"sqlite:///{folder}/{name}.sqlite3" for name in ("few", "many")]
        figures |= _figures(table, "SQLite", urls, (few, many), rounds)
    if PostgreSQL.missing() is None:
        with PostgreSQL() as server:
            urls = [server.create_database(name) for name in ("few", "many")]
            on_server = _figures(table, "PostgreSQL", urls, (few, many), rounds)
        figures |= {f"{name}_postgresql": value for name, value in on_server.items()}
    console.print(table)
    return figures


def _figures(table: Table, name: str, urls: Sequence[str], sizes: Sequence[int], rounds: int) -> dict[str, float]:
    samples = cycle(_sample_readings())
    with ExitStack() as stack:
        courses = []
        for url, rows in zip(urls, sizes, strict=True):
            courses.append(_Course(open_database(url), rows))
            stack.callback(courses[-1].database.close)
            fill(courses[-1].database, rows, waiting=rows // 2)
        for round_ in range(-1, rounds):  # the first one warms up
            for course in courses:
                if round_ == 0:
                    course.seconds, course.cpu_s, course.finished = {}, 0.0, 0
                _hand_out_and_take_back(course, list(islice(samples, CHUNK)))
        few, many = courses
        figures = {
            "rows_per_s": round(many.rows_per_s),
            "ratio_2m_to_10k": round(many.rows_per_s / few.rows_per_s, 3),
            "cpu_us_per_row": round(many.cpu_us_per_row),
        }
        for course in courses:
            steps = [f"{course.seconds[step] / rounds * 1000:.1f}" for step in ("claim", "finish")]
            cpu = f"{course.cpu_us_per_row:,.0f}"
            _group(course)
            row = (f"{course.rows:,}", f"{course.rows_per_s:,.0f}", cpu, *steps, f"{course.grouped_per_s:,.0f}")
            table.add_row(name, *row)
    return {**figures, "grouped_per_s": round(many.grouped_per_s)}


def _hand_out_and_take_back(course: _Course, readings: Sequence[Reading]) -> None:
    database = course.database
    with course.timed("claim"), database.writing() as session:
        claims = intake.claim_photos(session, "bench", limit=CHUNK, lease_s=600, max_attempts=3)
        claims = intake.begin_many(session, claims, lease_s=600)
    done = [
        (claim, replace(reading, photo=claim.filename, sha256=claim.sha256))
        for claim, reading in zip(claims, readings, strict=True)
    ]
    with course.timed("finish"), database.writing() as session:
        kept = intake.finish_many(session, done)
    if not all(kept):
        raise RuntimeError("claims were lost although nobody else is there")
    course.finished += len(kept)


def _group(course: _Course) -> None:
    told = 0
    while told < course.finished:
        with course.timed("group"), course.database.writing() as session:
            told += intake.group_shots(session)


def _sample_readings() -> list[Reading]:
    labels = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(_SAMPLES.glob("*.json"))]
    return [_reading_of(label["lines"]) for label in labels if "lines" in label]


def _reading_of(texts: Sequence[str]) -> Reading:
    """What the reader gives for a stone of these lines: as long, if not as true."""
    lines = tuple(_line(text, at) for at, text in enumerate(texts))
    quad: Any = ((175.8, 95.7), (1071.5, 81.5), (1081.4, 922.2), (234.8, 1004.8))
    return Reading(
        photo="",
        sha256="",
        status=ReadingStatus.READ,
        photo_type=PhotoType.HEADSTONE,
        size_px=(1400, 1050),
        stone_quads=(quad,),
        lines=lines,
        record=parse_lines(lines).record,
        timings_ms=dict.fromkeys(("decode", "detect", "recognise", "orient", "stone", "quality", "parse"), 44.5),
        bundle="headstone-vi@bench",
        engine="onnxruntime/cpu",
    )


def _line(text: str, at: int) -> Line:
    y_px = 306.6 + 80.3 * at
    quad = ((477.7, y_px), (807.1, y_px - 15.7), (811.4, y_px + 78.1), (482.2, y_px + 93.8))
    return Line(text, 0.9985, quad, char_confidences=(0.997,) * len(text))
