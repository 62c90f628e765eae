from __future__ import annotations

import math
import random
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.bundle import Calibration, load_bundle
from models.recogniser import LineRecogniser, line_confidence
from models.training.calibrate import (
    CHAR_FEATURES,
    FEATURES,
    Verdict,
    fit,
    judge,
    unseen_confidences,
    verdict_on,
    write_sections,
)

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
    fitted = fit(verdicts(6000, 1), FEATURES)
    assert fitted.weights["text"] == pytest.approx(1.5, abs=0.2)
    assert fitted.weights["worst"] == pytest.approx(2.0, abs=0.3)
    assert fitted.weights["margin"] == pytest.approx(0.0, abs=0.1)


def test_a_fit_makes_confidences_mean_what_they_say_on_other_lines() -> None:
    fitted, others = fit(verdicts(3000, 1), FEATURES), verdicts(3000, 2)
    before, after = ([line_confidence(other.features, by) for other in others] for by in (None, fitted))
    assert judge(others, after)[0] < 0.04 < judge(others, before)[0]


def test_lines_are_judged_by_fits_that_did_not_see_them() -> None:
    noise = [Verdict({name: random.Random(n).uniform(-5, 0) for name in FEATURES}, n % 2 == 0) for n in range(40)]
    fitted = fit(noise, FEATURES)
    seen = judge(noise, [line_confidence(verdict.features, fitted) for verdict in noise])[1]
    unseen = judge(
        noise, unseen_confidences([noise[at : at + 8] for at in range(0, 40, 8)], FEATURES, line_confidence)
    )[1]
    assert unseen < seen


def test_a_fit_is_finite_where_every_line_is_right() -> None:
    fitted = fit([Verdict(dict.fromkeys(FEATURES, -1.0), True)] * 50, FEATURES)
    assert all(math.isfinite(weight) for weight in (fitted.bias, *fitted.weights.values()))


def test_a_second_calibration_replaces_the_first_in_the_manifest(tmp_path: Path) -> None:
    path = tmp_path / "bundle.toml"
    path.write_text(MANIFEST, encoding="utf-8")
    line, char = dict.fromkeys(FEATURES, 0.5), dict.fromkeys(CHAR_FEATURES, 0.25)
    write_sections(path, Calibration(1.0, line), Calibration(3.0, char))
    write_sections(path, Calibration(-2.0, line), Calibration(4.0, char))
    text = path.read_text(encoding="utf-8")
    assert text.startswith(MANIFEST.rstrip())
    rec = tomllib.loads(text)["rec"]
    assert rec["calibration"] == {"bias": -2.0, "weights": line}
    assert rec["char_calibration"] == {"bias": 4.0, "weights": char}


def test_the_characters_that_differ_from_the_truth_are_the_wrong_ones() -> None:
    recogniser = LineRecogniser(load_bundle().recogniser)
    crop = np.full((48, 200, 3), 255, np.uint8)
    cv2.putText(crop, "1968", (12, 38), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (0, 0, 0), 3, cv2.LINE_AA)
    right, wrong = verdict_on(recogniser, (crop, "1968")), verdict_on(recogniser, (crop, "1988"))
    assert right is not None
    assert wrong is not None
    assert right.line.is_right
    assert not wrong.line.is_right
    assert [char.is_right for char in right.chars] == [True] * 4
    assert [char.is_right for char in wrong.chars] == [True, True, False, True]
