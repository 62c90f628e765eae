"""Read fields with their score by rule and whether they were right: what a calibration is fitted to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ocr_service.evaluation.facts import Verdict, compare_facts, field_of
from ocr_service.evaluation.truth import TruePhoto
from ocr_service.fields import parse_lines, parse_text
from ocr_service.records import Field, Line

# Fields that err alike, together: each alone is too seldom for 99.5 %. The kind of a grave and what renderings hardly
# state (plots, aliases, awards) are left to their score by rule.
GROUPS = {
    "name": ("name",),
    "date": ("birth", "enlist", "death"),
    "hometown": ("hometown",),
    "service": ("rank", "position", "unit"),
}
GROUP_OF = {field: group for group, fields in GROUPS.items() for field in fields}


@dataclass(frozen=True, slots=True)
class FieldSample:
    """One value that was read: its group, the field with its score by rule, and whether the stone says just that."""

    group: str
    field: Field
    is_right: bool


def samples_of(true: TruePhoto, lines: Sequence[Line]) -> list[FieldSample]:
    """Return what was read on one stone; a hometown is right where no level of it is wrong.

    Values that the stone does not state count as wrong. Deaths by the moon are left out: the truth of renderings holds
    only their year.
    """
    record = parse_lines(lines).record
    stated = parse_text("\n".join(true.lines)).record
    verdicts = defaultdict[str, list[Verdict]](list)
    for name, compared in compare_facts(true.facts, record, stated).items():
        if compared.verdict is not Verdict.BLANK and field_of(name) in GROUP_OF:
            verdicts[field_of(name)].append(compared.verdict)
    if "death" in stated and "lunar" in stated["death"].flags:
        verdicts.pop("death", None)
    return [
        FieldSample(
            GROUP_OF[field],
            record[field],
            all(verdict is Verdict.RIGHT for verdict in found),
        )
        for field, found in verdicts.items()
        if record[field].value  # not a code that was rightly left open
    ]
