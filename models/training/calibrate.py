"""Fit the chance that a line, and each of its characters, is right: ``python -m models.training.calibrate BUNDLE``.

Reads held-out rendered crops, some without letters, with the bundle itself, as serving does, and fits logistic models
on the features of ``models.recogniser.confidence_features`` and ``char_features``. The sections ``[rec.calibration]``
and ``[rec.char_calibration]`` of the manifest are written anew from all lines; what is logged, and drawn in
``reliability.png``, was judged on lines not fitted to. Needs no torch.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
from rapidfuzz.distance import Levenshtein

from models.bundle import MANIFEST, Calibration, load_bundle
from models.metrics import auroc, comparable, expected_calibration_error
from models.recogniser import (
    LineRecogniser,
    char_confidence,
    char_features,
    confidence_features,
    decode,
    line_confidence,
    ranked,
)
from models.training.lines import Line, calibration_lines
from models.training.logistic import fit_logistic
from models.training.reliability import draw_reliability, reliability

FEATURES = ("text", "margin", "worst", "length", "typical")
CHAR_FEATURES = ("odds", "others", "margin", "typical")
SECTIONS = "[rec.calibration]", "[rec.char_calibration]"
DIAGRAM = "reliability.png"
# Pulls weights towards zero by as much as one line would; keeps the fit finite where every line is right.
RIDGE = 1.0
FOLDS = 5
log = logging.getLogger("calibrate")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One held-out line, or one character of it: the features of its reading, and whether it was read right."""

    features: Mapping[str, float]
    is_right: bool


@dataclass(frozen=True, slots=True)
class LineVerdict:
    """One held-out line and its characters but for spaces."""

    line: Verdict
    chars: tuple[Verdict, ...]


Chance = Callable[[Mapping[str, float], Calibration | None], float]


def fit(verdicts: Sequence[Verdict], features: Sequence[str]) -> Calibration:
    """A logistic model with a small ridge penalty on its weights."""
    inputs = np.array([[1.0, *(verdict.features[name] for name in features)] for verdict in verdicts])
    right = np.array([verdict.is_right for verdict in verdicts], dtype=float)
    bias, *weights = fit_logistic(inputs, right, np.array([0.0, *[RIDGE] * len(features)])).tolist()
    return Calibration(bias, dict(zip(features, weights, strict=True)))


def verdict_on(recogniser: LineRecogniser, line: Line) -> LineVerdict | None:
    """Read one held-out crop as serving reads it; None where nothing was read, as serving drops such lines."""
    crop, truth = line
    probabilities = recogniser.probabilities(crop)
    read = decode(probabilities, recogniser.charset, recogniser.spec)
    if not read.text:
        return None
    hypotheses = ranked(probabilities, recogniser.charset, recogniser.spec)
    features = confidence_features(hypotheses, read.char_probabilities)
    wrong = {edit.src_pos for edit in Levenshtein.editops(read.text, truth) if edit.tag != "insert"}
    return LineVerdict(
        Verdict(features, comparable(read.text) == comparable(truth)),
        tuple(
            Verdict(char_features(probability, features), place not in wrong)
            for place, (char, probability) in enumerate(zip(read.text, read.char_probabilities, strict=True))
            if not char.isspace()
        ),
    )


def judge(verdicts: Sequence[Verdict], given: Sequence[float]) -> tuple[float, float]:
    """Expected calibration error and AUROC of the confidences ``given`` to ``verdicts``."""
    right = [verdict.is_right for verdict in verdicts]
    return expected_calibration_error(given, right), auroc(given, right)


def unseen_confidences(parts: Sequence[Sequence[Verdict]], features: Sequence[str], chance: Chance) -> list[float]:
    """The confidence of each verdict by a fit to the other parts."""
    given: list[float] = []
    for held_out, part in enumerate(parts):
        fitted = fit([verdict for at, other in enumerate(parts) if at != held_out for verdict in other], features)
        given += [chance(verdict.features, fitted) for verdict in part]
    return given


def in_folds(verdicts: Sequence[LineVerdict]) -> list[Sequence[LineVerdict]]:
    """Runs of lines, so that lines of one stone do not stand in two of them."""
    bounds = [len(verdicts) * part // FOLDS for part in range(FOLDS + 1)]
    return [verdicts[start:end] for start, end in pairwise(bounds)]


def write_sections(manifest: Path, line: Calibration, char: Calibration) -> None:
    """Put both calibrations at the end of a manifest, in place of earlier ones."""
    text = manifest.read_text(encoding="utf-8").split(SECTIONS[0])[0].rstrip() + "\n"
    for section, calibration in zip(SECTIONS, (line, char), strict=True):
        weights = ", ".join(f"{name} = {weight:.6g}" for name, weight in calibration.weights.items())
        text += f"\n{section}\nbias = {calibration.bias:.6g}\nweights = {{ {weights} }}\n"
    manifest.write_text(text, encoding="utf-8")


def main() -> None:
    """Parse the command line, fit, judge and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, help="folder of the bundle")
    parser.add_argument("--lines", type=int, default=2000, help="held-out lines to read")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    recogniser = LineRecogniser(load_bundle(arguments.bundle).recogniser)
    crops = calibration_lines(arguments.lines)
    folds = in_folds([verdict for crop in crops if (verdict := verdict_on(recogniser, crop)) is not None])
    line_folds = [[verdict.line for verdict in fold] for fold in folds]
    char_folds = [[char for verdict in fold for char in verdict.chars] for fold in folds]
    lines, chars = list(chain(*line_folds)), list(chain(*char_folds))
    write_sections(arguments.bundle / MANIFEST, fit(lines, FEATURES), fit(chars, CHAR_FEATURES))
    unseen = unseen_confidences(line_folds, FEATURES, line_confidence)
    for name, verdicts, chance, calibrated in (
        ("lines", lines, line_confidence, unseen),
        ("characters", chars, char_confidence, unseen_confidences(char_folds, CHAR_FEATURES, char_confidence)),
    ):
        log.info("%d %s, %.1f %% right", len(verdicts), name, 100 * sum(v.is_right for v in verdicts) / len(verdicts))
        log.info("uncalibrated: ECE %.4f, AUROC %.4f", *judge(verdicts, [chance(v.features, None) for v in verdicts]))
        log.info("calibrated, not fitted to: ECE %.4f, AUROC %.4f", *judge(verdicts, calibrated))
    draw_reliability(reliability(unseen, [verdict.is_right for verdict in lines]), arguments.bundle / DIAGRAM)


if __name__ == "__main__":
    main()
