"""Fit the chance that a field is right: ``python -m ocr_service.evaluation.calibrate_fields FOLDER``.

Renders held-out stones into FOLDER and reads them with a bundle (what is there already is used again), compares each
field with the truth, and fits to each group of fields the chance of being right that follows from the score by rule.
Writes ``ocr_service/certainty.toml`` and, if asked, reliability diagrams. What is logged and drawn, and the confidence
from which on a field is certain, were judged on stones that the fit had not seen.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from models.bundle import MANIFEST, load_bundle, sha256_of
from models.metrics import auroc, expected_calibration_error
from models.training.logistic import fit_logistic
from models.training.reliability import reliability, reliability_diagram
from ocr_service.certainty import CALIBRATION_FILE, CERTAIN_FROM, NEVER, PRECISION, FieldCalibration
from ocr_service.evaluation.calibration_stones import read_stones, write_stones
from ocr_service.evaluation.field_report import wilson_low
from ocr_service.evaluation.field_samples import GROUPS, FieldSample, samples_of
from ocr_service.fields.confidence import chance, left_by, log_odds
from ocr_service.reading import load_reader

STONES = 500
FOLDS = 5
# Fewer values than these without an error may be luck; such a group is never certain.
_LEAST_VALUES = 100
_NO_PENALTY = np.zeros(2)
log = logging.getLogger("calibrate_fields")


@dataclass(frozen=True, slots=True)
class Judged:
    """The values of one group with the chances given to them by fits to other stones."""

    samples: Sequence[FieldSample]
    chances: Sequence[float]

    @property
    def right(self) -> list[bool]:
        """Return which values were right."""
        return [sample.is_right for sample in self.samples]


def fit(samples: Sequence[FieldSample]) -> FieldCalibration:
    """Return a model of one group's values without doubts, with ``certain_from`` left at NEVER.

    Logistic regression, its targets drawn in from 0 and 1 by one value, so that it stays finite
    where all values are right: Platt 1999, "Probabilistic outputs for support vector machines". Never falls with the
    score.
    """
    plain = [sample for sample in samples if left_by(sample.field.flags) == 1.0]
    inputs = np.array([[1.0, log_odds(sample.field.confidence)] for sample in plain])
    right = np.array([sample.is_right for sample in plain])
    targets = np.where(right, (right.sum() + 1) / (right.sum() + 2), 1 / ((~right).sum() + 2))
    bias, slope = fit_logistic(inputs, targets, _NO_PENALTY).tolist()
    return FieldCalibration(bias, max(slope, 0.0), NEVER)


def judge(stones: Sequence[Sequence[FieldSample]], group: str) -> Judged:
    """Return the values of a group with chances by fits to stones of the other ``FOLDS - 1`` parts."""
    parts = [[s for stone in stones[part::FOLDS] for s in stone if s.group == group] for part in range(FOLDS)]
    samples, chances = list[FieldSample](), list[float]()
    for part in parts:
        fitted = fit([sample for other in parts if other is not part for sample in other])
        samples += part
        chances += [chance(sample.field, fitted) for sample in part]
    return Judged(samples, chances)


def certain_threshold(chances: Sequence[float], right: Sequence[bool]) -> float:
    """Return the lowest chance from which on at least PRECISION of the values were right; NEVER if there is none.

    Not below CERTAIN_FROM: many good values must not carry single bad ones along.
    """
    ranked = sorted(zip(chances, right, strict=True), reverse=True)
    ranked = [value for value in ranked if value[0] >= CERTAIN_FROM]
    lowest, wrong = NEVER, 0
    for count, (given, is_right) in enumerate(ranked, start=1):
        wrong += not is_right
        is_last_of_its_kind = count == len(ranked) or ranked[count][0] < given
        if is_last_of_its_kind and count >= _LEAST_VALUES and wrong <= (1 - PRECISION) * count:
            lowest = given
    return lowest


def to_toml(fitted: Mapping[str, FieldCalibration], about: str) -> str:
    """Return the content of ``certainty.toml``."""
    blocks = [f"# Written by `python -m ocr_service.evaluation.calibrate_fields`; not for hands.\n# {about}\n"]
    for group, model in fitted.items():
        names = ", ".join(f'"{name}"' for name in GROUPS[group])
        blocks.append(
            f"[groups.{group}]\nfields = [{names}]\nbias = {model.bias:.4f}\nslope = {model.slope:.4f}\n"
            f"certain_from = {model.certain_from:.4f}\n"
        )
    return "\n".join(blocks)


def describe(group: str, judged: Judged, certain_from: float) -> str:
    """Return one line of text: how well a group's chances hold, and what is certain."""
    right, before = judged.right, [sample.field.confidence for sample in judged.samples]
    sure = [is_right for given, is_right in zip(judged.chances, right, strict=True) if given >= certain_from]
    held = [
        f"{name} ECE {expected_calibration_error(given, right):.3f}, AUROC {auroc(given, right):.3f}"
        for name, given in (("by rule", before), ("calibrated", judged.chances))
    ]
    return (
        f"{group}: {len(right)} values, {sum(right)} right; {'; '.join(held)}; certain from {certain_from:.4f}: "
        f"{len(sure)} values, {sum(sure)} right (95 %: at least {wilson_low(sum(sure), len(sure)):.1%})"
    )


def draw(judged: Mapping[str, Judged], path: Path) -> None:
    """Write the reliability diagrams of all groups side by side as PNG."""
    pictures = [
        reliability_diagram(reliability(one.chances, one.right), f"{group} values") for group, one in judged.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", np.hstack(pictures))[1].tobytes())


def main() -> None:
    """Parse the command line; render, read, fit, judge and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where rendered stones and readings are kept")
    parser.add_argument("--stones", type=int, default=STONES, help="how many stones (default: %(default)s)")
    parser.add_argument("--bundle", help="model bundle: a folder, NAME or NAME@VERSION (default: as commands use it)")
    parser.add_argument("--out", type=Path, default=CALIBRATION_FILE, help="the calibration (default: the package's)")
    parser.add_argument("--diagram", type=Path, help="also draw reliability diagrams to this PNG")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    cv2.setNumThreads(1)
    bundle = load_bundle(arguments.bundle)
    # another calibration of the lines makes another file, also where the bundle keeps its version
    journal = arguments.folder / f"readings-{bundle.id}-{sha256_of(bundle.folder / MANIFEST)[:8]}.jsonl"
    write_stones(arguments.folder / "stones", arguments.stones)
    readings = read_stones(arguments.folder / "stones", arguments.stones, load_reader(arguments.bundle), journal)
    stones = [samples_of(true, reading.lines) for true, reading in readings]
    judged = {group: judge(stones, group) for group in GROUPS}
    fitted = {}
    for group, one in judged.items():
        certain_from = certain_threshold(one.chances, one.right)
        fitted[group] = replace(fit(one.samples), certain_from=certain_from)
        log.info(describe(group, one, certain_from))
    count = sum(len(one.samples) for one in judged.values())
    arguments.out.write_text(to_toml(fitted, f"{bundle.id}, {len(stones)} stones, {count} values."), encoding="utf-8")
    if arguments.diagram:
        draw(judged, arguments.diagram)


if __name__ == "__main__":
    main()
