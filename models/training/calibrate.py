"""Fit the chance that a line is exactly right: ``python -m models.training.calibrate BUNDLE``.

Reads held-out rendered crops, some without letters, with the bundle itself, as serving does, and fits a logistic model
on the features of ``models.recogniser.confidence_features``. The section ``[rec.calibration]`` of the manifest is
written anew from all lines; what is logged, and drawn in ``reliability.png``, was judged on lines not fitted to. Needs
no torch.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from models.bundle import MANIFEST, Calibration, load_bundle
from models.metrics import auroc, comparable, expected_calibration_error
from models.recogniser import LineRecogniser, confidence_features, decode, line_confidence, ranked
from models.training.lines import Line, calibration_lines
from models.training.reliability import draw_reliability, reliability

FEATURES = ("text", "margin", "worst", "length", "typical")
SECTION = "[rec.calibration]"
DIAGRAM = "reliability.png"
# Pulls weights towards zero by as much as one line would; keeps the fit finite where every line is right.
RIDGE = 1.0
FOLDS = 5
log = logging.getLogger("calibrate")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One held-out line: the features of its reading, and whether it was read exactly."""

    features: Mapping[str, float]
    is_exact: bool


def fit(verdicts: Sequence[Verdict]) -> Calibration:
    """Logistic regression by Newton's method (iteratively reweighted least squares) with a small ridge penalty."""
    inputs = np.array([[1.0, *(verdict.features[name] for name in FEATURES)] for verdict in verdicts])
    right = np.array([verdict.is_exact for verdict in verdicts], dtype=float)
    weights = np.zeros(inputs.shape[1])
    penalty = np.diag([0.0, *[RIDGE] * len(FEATURES)])
    for _ in range(50):
        chance = 1.0 / (1.0 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        gradient = inputs.T @ (right - chance) - penalty @ weights
        curvature = (inputs * (chance * (1 - chance) + 1e-9)[:, None]).T @ inputs + penalty
        move = np.linalg.solve(curvature, gradient)
        weights += move
        if np.abs(move).max() < 1e-8:
            break
    return Calibration(
        float(weights[0]), {name: float(weight) for name, weight in zip(FEATURES, weights[1:], strict=True)}
    )


def verdict_on(recogniser: LineRecogniser, line: Line) -> Verdict | None:
    """Read one held-out crop as serving reads it; None where nothing was read, as serving drops such lines."""
    crop, truth = line
    probabilities = recogniser.probabilities(crop)
    read = decode(probabilities, recogniser.charset, recogniser.spec)
    if not read.text:
        return None
    features = confidence_features(ranked(probabilities, recogniser.charset, recogniser.spec), read.char_confidences)
    return Verdict(features, comparable(read.text) == comparable(truth))


def judge(verdicts: Sequence[Verdict], given: Sequence[float]) -> tuple[float, float]:
    """Expected calibration error and AUROC of the confidences ``given`` to ``verdicts``."""
    right = [verdict.is_exact for verdict in verdicts]
    return expected_calibration_error(given, right), auroc(given, right)


def confidences(verdicts: Sequence[Verdict], calibration: Calibration | None) -> list[float]:
    """The confidence of each line by one calibration; without any, as an uncalibrated bundle gives it."""
    return [line_confidence(verdict.features, calibration) for verdict in verdicts]


def unseen_confidences(verdicts: Sequence[Verdict]) -> list[float]:
    """The confidence of each line by a fit to the other ``FOLDS - 1`` parts of the lines.

    Parts are runs of lines, so that lines of one stone do not stand on both sides.
    """
    bounds = [len(verdicts) * part // FOLDS for part in range(FOLDS + 1)]
    given: list[float] = []
    for start, end in pairwise(bounds):
        given += confidences(verdicts[start:end], fit([*verdicts[:start], *verdicts[end:]]))
    return given


def write_section(manifest: Path, calibration: Calibration) -> None:
    """Put the calibration at the end of a manifest, in place of an earlier one."""
    before = manifest.read_text(encoding="utf-8").split(SECTION)[0].rstrip()
    weights = ", ".join(f"{name} = {weight:.6g}" for name, weight in calibration.weights.items())
    section = f"\n\n{SECTION}\nbias = {calibration.bias:.6g}\nweights = {{ {weights} }}\n"
    manifest.write_text(before + section, encoding="utf-8")


def main() -> None:
    """Parse the command line, fit, judge and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, help="folder of the bundle")
    parser.add_argument("--lines", type=int, default=2000, help="held-out lines to read")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    recogniser = LineRecogniser(load_bundle(arguments.bundle).recogniser)
    crops = calibration_lines(arguments.lines)
    verdicts = [verdict for crop in crops if (verdict := verdict_on(recogniser, crop)) is not None]
    write_section(arguments.bundle / MANIFEST, fit(verdicts))
    log.info("%d lines, %.1f %% exact", len(verdicts), 100 * sum(v.is_exact for v in verdicts) / len(verdicts))
    log.info("uncalibrated: ECE %.4f, AUROC %.4f", *judge(verdicts, confidences(verdicts, None)))
    unseen = unseen_confidences(verdicts)
    log.info("calibrated, lines not fitted to: ECE %.4f, AUROC %.4f", *judge(verdicts, unseen))
    draw_reliability(reliability(unseen, [verdict.is_exact for verdict in verdicts]), arguments.bundle / DIAGRAM)


if __name__ == "__main__":
    main()
