from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from models.bundle import Calibration
from models.training.calibrate import FEATURES, Verdict, confidences, fit, judge, unseen_confidences, write_section

MANIFEST = '[rec]\nkind = "ppocr"\nmodel = "rec"\n'


def verdicts(count: int, seed: int) -> list[Verdict]:
    """Lines whose chance to be right is a logistic function of ``text`` and ``worst``."""
    dice, found = random.Random(seed), []
    for _ in range(count):
        features = {
            "text": -dice.expovariate(0.7),
            "margin": dice.uniform(0, 10),
            "worst": -dice.expovariate(2.0),
            "length": 2.0,
            "typical": 0.0,
        }
        chance = 1 / (1 + math.exp(-(3.0 + 1.5 * features["text"] + 2.0 * features["worst"])))
        found.append(Verdict(features, dice.random() < chance))
    return found


def test_a_fit_finds_the_weights_that_made_the_data() -> None:
    fitted = fit(verdicts(6000, 1))
    assert fitted.weights["text"] == pytest.approx(1.5, abs=0.2)
    assert fitted.weights["worst"] == pytest.approx(2.0, abs=0.3)
    assert fitted.weights["margin"] == pytest.approx(0.0, abs=0.1)


def test_a_fit_makes_confidences_mean_what_they_say_on_other_lines() -> None:
    fitted, others = fit(verdicts(3000, 1)), verdicts(3000, 2)
    assert judge(others, confidences(others, fitted))[0] < 0.04 < judge(others, confidences(others, None))[0]


def test_lines_are_judged_by_fits_that_did_not_see_them() -> None:
    noise = [Verdict({name: random.Random(n).uniform(-5, 0) for name in FEATURES}, n % 2 == 0) for n in range(40)]
    seen = judge(noise, confidences(noise, fit(noise)))[1]
    unseen = judge(noise, unseen_confidences(noise))[1]
    assert unseen < seen


def test_a_fit_is_finite_where_every_line_is_right() -> None:
    fitted = fit([Verdict(dict.fromkeys(FEATURES, -1.0), True)] * 50)
    assert all(math.isfinite(weight) for weight in (fitted.bias, *fitted.weights.values()))


def test_a_second_calibration_replaces_the_first_in_the_manifest(tmp_path: Path) -> None:
    path = tmp_path / "bundle.toml"
    path.write_text(MANIFEST, encoding="utf-8")
    weights = dict.fromkeys(FEATURES, 0.5)
    write_section(path, Calibration(1.0, weights))
    write_section(path, Calibration(-2.0, weights))
    text = path.read_text(encoding="utf-8")
    assert text.startswith(MANIFEST.rstrip())
    assert text.count("[rec.calibration]") == 1
    assert "bias = -2" in text
