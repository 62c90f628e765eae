"""From which confidence a reading is shown as certain, and below which as weak: one home for every place that asks.

What is certain follows from a calibration: read values of held-out rendered stones, compared with what the stones say
(``python -m ocr_service.evaluation.calibrate_fields``, which writes ``certainty.toml`` beside this module). A field is
certain from the confidence, not below CERTAIN_FROM, from which on at least PRECISION of the values read there were
right.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PRECISION = 0.995
NEVER = 1.0
"""Confidences end below it: a field whose values were nowhere right often enough is never shown as certain."""

# Below it nothing is certain, and from it on what is not calibrated: lines, whose own confidence is the chance that
# they are exactly right, and fields that the renderings state too seldom. By judgement: a page of ten such values that
# are each right with 0.95 needs no correction in 60 % of cases (0.95 ** 10).
CERTAIN_FROM = 0.95
# Below it every fifth value or more is wrong, and a person who skims would let too many through: each is confirmed by
# itself.
WEAK_BELOW = 0.80

CALIBRATION_FILE = Path(__file__).with_name("certainty.toml")


@dataclass(frozen=True, slots=True)
class FieldCalibration:
    """The chance that a field is right has the log odds ``bias + slope * (log odds of its score by rule)``."""

    bias: float
    slope: float
    certain_from: float


def certain_from(field: str) -> float:
    """Return the confidence from which on a value of ``field`` is shown as certain."""
    fitted = field_calibrations().get(field)
    return CERTAIN_FROM if fitted is None else fitted.certain_from


@cache
def field_calibrations() -> Mapping[str, FieldCalibration]:
    """Return the calibration of every field that has one."""
    return load_calibrations(CALIBRATION_FILE)


def load_calibrations(path: Path) -> dict[str, FieldCalibration]:
    """Return the calibration of every field that the file at ``path`` has one for."""
    groups = tomllib.loads(path.read_text(encoding="utf-8"))["groups"].values()
    return {
        field: FieldCalibration(float(group["bias"]), float(group["slope"]), float(group["certain_from"]))
        for group in groups
        for field in group["fields"]
    }
