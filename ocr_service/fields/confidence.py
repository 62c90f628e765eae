"""How sure a field is, in two steps: a score by rule, and the chance of being right that follows from it.

The score is the reader's confidence in the field's lines, lowered by everything that speaks against it. Of the fields
that held-out renderings state often enough, a logistic model makes a chance of it (``ocr_service.certainty`` says where
it was fitted); what flags leave of it stays a judgement, because single flags are too rare to be measured. What the
reader's other readings of a line say of just this field, and how sure it is of just its letters, told right from wrong
no better on 348 stones with 1,529 values: the confidence of the line already rests on both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ocr_service.certainty import FieldCalibration, field_calibrations
from ocr_service.records import Field

# What a flag leaves of the confidence. A flag that only describes the wording costs nothing.
_DOUBTS = {
    "illegible_name": 0.3,
    "illegible_year": 0.4,
    "ambiguous_code": 0.7,
    "ambiguous_province": 0.7,
    "district_not_in_province": 0.6,
    "impossible_date": 0.5,
    "impossible_solar_date": 0.5,
    "lunar_mismatch": 0.6,
    "canchi_mismatch": 0.6,
    "mdy_order": 0.7,
    "dm_ambiguous": 0.6,
    "ocr_digit_fix": 0.8,
    "ocr_tone_fix": 0.75,
    "surname_fix": 0.8,
    "surname_unclear": 0.6,
    "spelling_fix": 0.6,
    "gazetteer_fix": 0.85,
    "name_tone_uncertain": 0.4,
    "abbrev_name": 0.8,
    "year_truncated": 0.8,
    "two_digit_year": 0.95,
    "approx": 0.9,
    "death_before_birth": 0.4,
    "death_before_enlist": 0.6,
    "implausible_age": 0.6,
    "chosen_alternative": 0.8,
    "completed_from_cemetery": 0.8,
    "unlabelled_date": 0.6,
}

_UNSURE = 0.0005  # nothing is surer than that: lines are calibrated on some thousand of them
_SUREST = 0.9999


def field_confidence(
    lines: Sequence[float],
    *,
    fit: float = 1.0,
    flags: Iterable[str] = (),
    misread_label: bool = False,
    stated: bool = True,
) -> float:
    """Score between 0 and 1 of how sure a field is.

    Args:
        lines: the reader's confidence in each line that the field was read from.
        fit: how well the value agrees with the gazetteer, the calendar or the syllables of Vietnamese, 0 to 1.
        flags: what was unusual.
        misread_label: the label was recognised in spite of wrong letters.
        stated: False where no label says what the text is.
    """
    sure = min(lines, default=0.5)
    sure *= 0.7 + 0.3 * max(0.0, min(1.0, fit))
    sure *= left_by(flags)
    if misread_label:
        sure *= 0.9
    if not stated:
        sure *= 0.9
    return round(max(0.0, min(1.0, sure)), 4)


def left_by(flags: Iterable[str]) -> float:
    """Return what flags leave of a confidence, 0 to 1."""
    return math.prod(_DOUBTS.get(flag, 1.0) for flag in flags)


def chance(field: Field, fitted: FieldCalibration) -> float:
    """Return the chance that a field is right whose confidence is a score."""
    doubt = left_by(field.flags)
    odds = fitted.bias + fitted.slope * log_odds(field.confidence / doubt)
    return round(min(doubt / (1.0 + math.exp(-odds)), _SUREST), 4)


def log_odds(score: float) -> float:
    """Return the logarithm of a score's odds, bounded where scores are no longer told apart."""
    bounded = min(max(score, _UNSURE), 1.0 - _UNSURE)
    return math.log(bounded / (1.0 - bounded))


def with_chances(record: Mapping[str, Field]) -> dict[str, Field]:
    """Return a record in which scores of values that were read have become chances, where a calibration is known."""
    fitted = field_calibrations()
    return {
        name: replace(field, confidence=chance(field, fitted[name]))
        if name in fitted and field.value is not None and field.lines
        else field
        for name, field in record.items()
    }
