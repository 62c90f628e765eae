import json

import pytest
from rich.console import Console

from bench import __main__ as bench
from bench.reader import figures
from models.metrics import LineErrors
from ocr_service.evaluation import EngineScore, FieldScore, PhotoScore


def _score(engine, cpu_seconds, errors=LineErrors()):  # noqa: B008 - a frozen value
    return EngineScore(engine, errors=errors, photos=(PhotoScore("1.jpg", errors, (), 2.0, cpu_seconds),))


def test_figures_of_one_bench_leave_those_of_others(tmp_path):
    latest = tmp_path / "latest.json"
    bench.keep_figures(latest, "parse", {"inscriptions_per_minute": 5})
    bench.keep_figures(latest, "reader", {"cer": 0.5})
    bench.keep_figures(latest, "reader", {"cer": 0.25})
    assert json.loads(latest.read_text()) == {"parse": {"inscriptions_per_minute": 5}, "reader": {"cer": 0.25}}


def test_only_the_named_bench_runs(tmp_path, monkeypatch):
    ran = []

    def load(target):
        return lambda console: ran.append((target, isinstance(console, Console))) or {"figure": 1.0}

    monkeypatch.setattr(bench, "LATEST", tmp_path / "latest.json")
    monkeypatch.setattr(bench, "BENCHES", {"a": "x:a", "b": "x:b"})
    monkeypatch.setattr(bench, "_load", load)
    assert bench.main(["--only", "b"]) == 0
    assert ran == [("x:b", True)]
    assert bench.main([]) == 0
    assert [target for target, _ in ran] == ["x:b", "x:a", "x:b"]
    assert json.loads((tmp_path / "latest.json").read_text()) == {"a": {"figure": 1.0}, "b": {"figure": 1.0}}


def test_an_unknown_bench_is_answered_with_the_known_ones(capsys):
    with pytest.raises(SystemExit):
        bench.main(["--only", "nothing"])
    assert "reader" in capsys.readouterr().err


def test_every_registered_bench_exists():
    for target in bench.BENCHES.values():
        assert callable(bench._load(target))


def test_the_cpu_ratio_is_ours_over_theirs():
    errors = LineErrors(4, 3, 0, 0, 100, 5, 2)
    ours = _score("ours", 0.5, errors)
    found = figures([ours, _score("rapidocr", 2.0), EngineScore("tesseract", not_installed="not installed: x")])
    assert found["cpu_ratio_to_rapidocr"] == 0.25
    assert (found["cer"], found["exact_lines"], found["seconds_per_photo"]) == (0.05, 0.75, 2.0)
    assert "tesseract_cer" not in found and "rapidocr_cer" in found


def test_field_counts_are_summed():
    score = EngineScore("ours", fields={"name": FieldScore(right=2, wrong=1), "birth": FieldScore(right=1, blank=1)})
    found = figures([score])
    assert (found["field_right"], found["field_total"]) == (3, 5)
    assert "cpu_ratio_to_rapidocr" not in found
