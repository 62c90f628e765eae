"""How sure a field is: the reader's confidence in its lines, lowered by everything that speaks against it.

The result is meant as a chance of being right and never rises when a doubt is added. The factors are starting values
set by judgement; a calibration on held-out renderings may replace the map from this score to a chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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


def field_confidence(
    lines: Sequence[float],
    *,
    fit: float = 1.0,
    flags: Iterable[str] = (),
    misread_label: bool = False,
    stated: bool = True,
) -> float:
    """Chance between 0 and 1 that a field is right.

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
