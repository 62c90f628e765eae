"""Facts of a truth file against the fields of a record, field by field, as a reasonable person would compare them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ocr_service.certainty import CERTAIN_FROM
from ocr_service.fields import parse_text
from ocr_service.records import Field

_PLACE_LEVELS = ("commune", "district", "province")
_DATES = {"birth_date": "birth", "enlist_date": "enlist", "death_date": "death"}
# a word of the truth becomes the parser's own value where the parser is given it behind its plainest label
_LABELS = {"rank": "Cấp bậc", "position": "Chức vụ", "unit": "Đơn vị"}


class Verdict(StrEnum):
    """How a field compares with the truth."""

    RIGHT = "right"
    BLANK = "blank"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class FieldScore:
    """One field over many photos. ``sure_wrong`` are those among ``wrong`` that would be shown as certain, the
    error that hurts most."""

    right: int = 0
    blank: int = 0
    wrong: int = 0
    sure_wrong: int = 0

    @property
    def total(self) -> int:
        """Return how many photos have the field."""
        return self.right + self.blank + self.wrong

    def with_verdict(self, verdict: Verdict, confidence: float) -> FieldScore:
        """Return the score after one more photo."""
        is_wrong = verdict is Verdict.WRONG
        return FieldScore(
            self.right + (verdict is Verdict.RIGHT),
            self.blank + (verdict is Verdict.BLANK),
            self.wrong + is_wrong,
            self.sure_wrong + (is_wrong and confidence >= CERTAIN_FROM),
        )


def compare_facts(facts: Mapping[str, Any], record: Mapping[str, Field]) -> dict[str, tuple[Verdict, float]]:
    """Return for every fact that the stone states how the record's field compares, with the field's confidence.

    ``facts`` in the vocabulary of truth files; a hometown counts as up to three fields, one a level.
    """
    verdicts: dict[str, tuple[Verdict, float]] = {}
    for fact, wanted in facts.items():
        if fact == "hometown" and wanted:
            given = record.get("hometown")
            place = given.value if given is not None and isinstance(given.value, Mapping) else {}
            for level in _PLACE_LEVELS:
                if wanted.get(level):
                    verdicts[f"hometown_{level}"] = _verdict(_folded(wanted[level]), _folded(place.get(level)), given)
        elif fact == "unknown" and wanted:
            kind = record.get("kind")
            verdicts["unknown"] = _verdict("unknown", None if kind is None else kind.value, kind)
        elif fact in _DATES and wanted:
            date = record.get(_DATES[fact])
            verdicts[_DATES[fact]] = _verdict(wanted, None if date is None else date.value, date)
        elif fact == "name" and wanted:
            name = record.get("name")
            verdicts["name"] = _verdict(_folded(wanted), _folded(None if name is None else name.value), name)
        elif fact in _LABELS and wanted:
            verdicts[fact] = _compare_parsed(fact, wanted, record.get(fact))
    return verdicts


def _compare_parsed(fact: str, wanted: str, given: Field | None) -> tuple[Verdict, float]:
    expected = parse_text(f"{_LABELS[fact]}: {wanted}").value(fact)
    if given is None or not given.value:
        # a code that the parser leaves open for both sides (TS: trung sĩ or thượng sĩ) is read right if its text is
        left_open = not expected and given is not None and _ends_with(given.raw, wanted)
        return (Verdict.RIGHT if left_open else Verdict.BLANK), 0.0
    if expected:
        return _verdict(_without_raw(expected), _without_raw(given.value), given)
    return (Verdict.RIGHT if _ends_with(given.raw, wanted) else Verdict.WRONG), given.confidence


def _verdict(wanted: Any, given: Any, field: Field | None) -> tuple[Verdict, float]:
    if given in (None, "", {}):
        return Verdict.BLANK, 0.0
    return (Verdict.RIGHT if wanted == given else Verdict.WRONG), 0.0 if field is None else field.confidence


def _without_raw(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    meaning = {key: part for key, part in value.items() if key not in {"raw", "decode"} and part}
    return meaning or _folded(value.get("raw"))


def _ends_with(raw: str | None, wanted: str) -> bool:
    return _folded(raw).endswith(_folded(wanted))


def _folded(text: Any) -> str:
    return " ".join(unicodedata.normalize("NFC", str(text)).casefold().split()) if text else ""
