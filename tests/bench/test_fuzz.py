from __future__ import annotations

from rich.console import Console

from bench import fuzz


def test_a_few_damaged_files_become_readings_or_refusals_and_are_all_counted() -> None:
    figures = fuzz.run(Console(quiet=True), files=12)
    assert figures["files"] == 12
    assert figures["read"] + figures["refused"] == 12
    assert figures["crashed"] == figures["raised"] == 0


def test_a_number_always_gives_the_same_damaged_file() -> None:
    originals = [bytes(range(256)) * 4, b"\xff\xd8" + bytes(500)]
    assert [fuzz.mutated(originals, n) for n in range(30)] == [fuzz.mutated(originals, n) for n in range(30)]
    assert len({fuzz.mutated(originals, n) for n in range(30)}) > 25
