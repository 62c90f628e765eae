from __future__ import annotations

from functools import cache
from pathlib import Path

from rich.console import Console

from bench.ablation import PARTS, RAW, Seeing, table
from models.metrics import LineErrors, line_errors
from ocr_service.evaluation import EngineScore, PhotoScore
from ocr_service.reading import Reader, load_reader, read_photo

SAMPLE = Path(__file__).parents[2] / "datasets" / "samples" / "02_black_white.jpg"


@cache
def reader() -> Reader:
    return load_reader()


def texts(*parts: str) -> list[str]:
    return [line.text for line in Seeing(reader(), frozenset(parts)).read(SAMPLE).lines]


def test_with_all_parts_a_photo_is_read_as_the_product_reads_it() -> None:
    assert sorted(texts(*PARTS)) == sorted(
        line.text for line in read_photo(SAMPLE.read_bytes(), SAMPLE.name, reader()).lines
    )


def test_without_any_part_a_clear_stone_is_still_read() -> None:
    assert line_errors(texts(*PARTS), texts()).cer < 0.3


def test_the_table_compares_with_the_raw_photo() -> None:
    def score(errors: int, cpu_seconds: float) -> EngineScore:
        counted = LineErrors(lines=10, exact_lines=5, chars=100, char_errors=errors)
        return EngineScore("row", errors=counted, photos=(PhotoScore("a.jpg", counted, (), 1.0, cpu_seconds),))

    console = Console(width=140, record=True)
    console.print(table({RAW: score(20, 0.2), "+ more light": score(15, 0.3)}, "2 photos"))
    shown = console.export_text()
    assert "0.75" in shown
    assert "1.50" in shown
    assert "15.0%" in shown
