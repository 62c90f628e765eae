"""How sure a field is, in two steps: a score by rule, and the chance of being right that follows from it.

The score is the reader's confidence in the field's lines, lowered by everything that speaks against it; its factors are
set by judgement. For the fields that held-out renderings state often enough a logistic model makes a chance of it, with
what the reader's other readings of the lines say (``ocr_service.certainty`` tells where it was fitted). Neither ever
rises when a doubt is added.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ocr_service.certainty import FieldCalibration, field_calibrations
from ocr_service.records import Field, Line

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

_UNSURE = 0.0005  # no line is surer, or less sure, than that by this much: the line's own calibration has no finer data
_LEAST_LEFT = 0.01  # of a line's confidence, after all doubts
_NO_DISSENT = 0.0001  # the reader writes shares with four digits
SUREST = 0.9999
_WORD = re.compile(r"[^\W_]+")


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
    for flag in flags:
        sure *= _DOUBTS.get(flag, 1.0)
    if misread_label:
        sure *= 0.9
    if not stated:
        sure *= 0.9
    return round(max(0.0, min(1.0, sure)), 4)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a field and against it.

    ``line``: log odds of its least sure line; ``doubt``: logarithm of what the rules above left of that line's
    confidence; ``dissent``: logarithm of the probability of other readings of its lines in which its text is another.
    """

    line: float
    doubt: float
    dissent: float


def weigh(field: Field, lines: Sequence[Line]) -> Evidence:
    """Return the evidence on a field whose confidence is a score of ``field_confidence``, read from ``lines``."""
    own = [lines[index] for index in field.lines if index < len(lines)]
    least = min((line.confidence for line in own), default=0.5)
    least = min(max(least, _UNSURE), 1.0 - _UNSURE)
    doubt = math.log(max(field.confidence, _UNSURE * _LEAST_LEFT) / least)
    text = _words(field.raw or "")
    against = sum(
        other.score for line in own for other in line.alternatives if _differs(other.text, line.text, text, len(own))
    )
    return Evidence(
        math.log(least / (1.0 - least)), min(0.0, max(doubt, math.log(_LEAST_LEFT))), math.log(against + _NO_DISSENT)
    )


def chance(evidence: Evidence, fitted: FieldCalibration) -> float:
    """Return the chance that a field is right: a logistic model of its evidence, monotone in each part of it."""
    weights = fitted.weights
    odds = fitted.bias + sum(weight * getattr(evidence, name) for name, weight in weights.items())
    return round(min(1.0 / (1.0 + math.exp(-odds)), SUREST), 4)


def with_chances(record: Mapping[str, Field], lines: Sequence[Line]) -> dict[str, Field]:
    """Return a record whose scores have become chances, in the fields that were calibrated and were read from lines."""
    fitted = field_calibrations()
    return {
        name: replace(field, confidence=chance(weigh(field, lines), fitted[name]))
        if name in fitted and field.value is not None and field.lines
        else field
        for name, field in record.items()
    }


def _differs(other: str, line: str, text: str, line_count: int) -> bool:
    """Whether another reading of a line spells a field's ``text`` otherwise; signs and case do not count."""
    if line_count > 1:  # nobody kept which words of the field stand on which of its lines
        return _words(other) != _words(line)
    return f" {text} " not in f" {_words(other)} "


def _words(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))
