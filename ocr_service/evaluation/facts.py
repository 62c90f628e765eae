"""Facts of a truth file against the fields of a record, field by field, as a reasonable person would compare them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ocr_service.certainty import certain_from
from ocr_service.fields import parse_text
from ocr_service.records import Field

PLACE_LEVELS = ("commune", "district", "province")
# fields as they are scored, and what truth files call them; a hometown counts as up to three fields, one a level
FACTS = {
    "name": "name",
    "birth": "birth_date",
    "enlist": "enlist_date",
    "death": "death_date",
    "rank": "rank",
    "position": "position",
    "unit": "unit",
}
# a word of the truth becomes the parser's own value where the parser is given it behind its plainest label
_LABELS = {"rank": "Cấp bậc", "position": "Chức vụ", "unit": "Đơn vị"}
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")


class Verdict(StrEnum):
    """How a field compares with the truth; ``EXTRA``: given where the stone says nothing of the kind."""

    RIGHT = "right"
    BLANK = "blank"
    WRONG = "wrong"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field of one record: how it compares, and the confidence it was given with (0 where it is blank)."""

    verdict: Verdict
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class FieldScore:
    """One field over many photos; counts, which add up with ``+``.

    ``right``, ``blank`` and ``wrong`` are the photos whose stone states the field, ``extra`` values that were given
    where it does not. ``sure_…`` are those of them that would be shown as certain: of all errors a sure wrong one hurts
    most.
    """

    right: int = 0
    blank: int = 0
    wrong: int = 0
    extra: int = 0
    sure_right: int = 0
    sure_wrong: int = 0
    sure_extra: int = 0

    def __add__(self, other: FieldScore) -> FieldScore:
        return FieldScore(
            self.right + other.right,
            self.blank + other.blank,
            self.wrong + other.wrong,
            self.extra + other.extra,
            self.sure_right + other.sure_right,
            self.sure_wrong + other.sure_wrong,
            self.sure_extra + other.sure_extra,
        )

    @property
    def total(self) -> int:
        """Return on how many stones the field stands."""
        return self.right + self.blank + self.wrong

    @property
    def found(self) -> int:
        """Return for how many of these a value was given, right or wrong."""
        return self.right + self.wrong

    @property
    def given(self) -> int:
        """Return how many values were given in all."""
        return self.found + self.extra

    @property
    def sure_found(self) -> int:
        """Return for how many stones on which the field stands a value was given as certain, right or wrong."""
        return self.sure_right + self.sure_wrong

    @property
    def sure(self) -> int:
        """Return how many values were given as certain in all."""
        return self.sure_found + self.sure_extra


def score_of(name: str, compared: Comparison) -> FieldScore:
    """Return the score of the scored field ``name`` in one photo."""
    counts = {compared.verdict.value: 1}
    if compared.verdict is not Verdict.BLANK and compared.confidence >= certain_from(field_of(name)):
        counts[f"sure_{compared.verdict.value}"] = 1
    return FieldScore(**counts)


def field_of(name: str) -> str:
    """Return the record's field that a scored field is taken from: ``hometown_district`` → ``hometown``."""
    return "hometown" if name.startswith("hometown_") else "kind" if name == "unknown" else name


def compare_facts(
    facts: Mapping[str, Any], record: Mapping[str, Field], stated: Mapping[str, Field] | None = None
) -> dict[str, Comparison]:
    """Return how each field that the stone states, or that the record gives without that, compares.

    ``facts`` are in the vocabulary of truth files. ``stated`` is the parser's record of the true lines: what a truth
    file leaves out and the lines nevertheless say (a birth from an age) is neither right nor extra. Without it nothing
    counts as extra.
    """
    compared = {name: _compare(name, facts.get(fact), record.get(name)) for name, fact in FACTS.items()}
    compared |= _compare_place(facts.get("hometown") or {}, record.get("hometown"))
    compared["unknown"] = _compare_unknown(bool(facts.get("unknown")), record.get("kind"))
    known = {} if stated is None else {name: _part(stated, name) for name in compared}
    return {
        name: seen
        for name, seen in compared.items()
        if seen is not None
        and (seen.verdict is not Verdict.EXTRA or (stated is not None and known[name] != _part(record, name)))
    }


def _compare(name: str, wanted: str | None, given: Field | None) -> Comparison | None:
    if not wanted:
        return None if given is None or not given.value else Comparison(Verdict.EXTRA, given.confidence)
    if name in _LABELS:
        return _compare_parsed(name, wanted, given)
    if given is None or not given.value:
        return Comparison(Verdict.BLANK)
    is_right = spelling(wanted) == spelling(given.value) if name == "name" else wanted == given.value
    return Comparison(Verdict.RIGHT if is_right else Verdict.WRONG, given.confidence)


def _compare_parsed(name: str, wanted: str, given: Field | None) -> Comparison:
    expected = parse_text(f"{_LABELS[name]}: {wanted}").value(name)
    if given is None or not given.value:
        # a code that the parser leaves open for both sides (TS: trung sĩ or thượng sĩ) is read right if its text is
        left_open = not expected and given is not None and _ends_with(given.raw, wanted)
        return Comparison(Verdict.RIGHT if left_open else Verdict.BLANK)
    is_right = _without_raw(expected) == _without_raw(given.value) if expected else _ends_with(given.raw, wanted)
    return Comparison(Verdict.RIGHT if is_right else Verdict.WRONG, given.confidence)


def _compare_place(wanted: Mapping[str, Any], given: Field | None) -> dict[str, Comparison | None]:
    place = given.value if given is not None and isinstance(given.value, Mapping) else {}
    sure = 0.0 if given is None else given.confidence
    # a district or province of the truth may be short as cut (ĐT); a commune has no short forms and stays as it is
    cut = ", ".join(wanted[level] for level in PLACE_LEVELS if wanted.get(level))
    in_full = parse_text(f"Quê quán: {cut}").value("hometown") if cut else None
    compared: dict[str, Comparison | None] = {}
    for level in PLACE_LEVELS:
        said, fact = _place_spelling(place.get(level)), _place_spelling(wanted.get(level))
        accepted = {fact, _place_spelling((in_full or {}).get(level)) if level != "commune" else fact}
        if not fact:
            verdict = Verdict.EXTRA if said else None
        else:
            verdict = Verdict.BLANK if not said else Verdict.RIGHT if said in accepted else Verdict.WRONG
        name = f"hometown_{level}"
        compared[name] = None if verdict is None else Comparison(verdict, 0.0 if verdict is Verdict.BLANK else sure)
    return compared


def _compare_unknown(wanted: bool, kind: Field | None) -> Comparison | None:
    said = kind is not None and kind.value == "unknown"
    if not wanted:
        return Comparison(Verdict.EXTRA, kind.confidence) if said and kind is not None else None
    if kind is None or not kind.value:
        return Comparison(Verdict.BLANK)
    return Comparison(Verdict.RIGHT if said else Verdict.WRONG, kind.confidence)


def _part(record: Mapping[str, Field], name: str) -> Any:
    """Return the value behind a scored field, in the form in which two records are compared."""
    field = record.get(field_of(name))
    value = None if field is None else field.value
    if name.startswith("hometown_"):
        return spelling(value.get(name.removeprefix("hometown_"))) if isinstance(value, Mapping) else ""
    return spelling(value) if name == "name" else _without_raw(value)


def _without_raw(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    meaning = {key: part for key, part in value.items() if key not in {"raw", "decode"} and part}
    return spelling(meaning or value.get("raw"))  # case is no part of a unit's name


def _ends_with(raw: str | None, wanted: str) -> bool:
    return spelling(raw).endswith(spelling(wanted))


def spelling(text: Any) -> str:
    """Return a text as names are compared: case and spaces aside, and wherever a syllable's tone is written.

    ``HOÀ`` and ``Hòa`` are one word in the older and the newer orthography.
    """
    return " ".join(map(_tone_last, unicodedata.normalize("NFC", str(text)).casefold().split())) if text else ""


def _place_spelling(text: Any) -> str:
    """Return a text as places are compared: ``Mỹ Quí`` is ``Mỹ Quý``, while a person keeps the letter of the name."""
    return spelling(text).replace("y", "i")


def _tone_last(word: str) -> str:
    letters = unicodedata.normalize("NFD", word)
    tones = "".join(sorted(letter for letter in letters if letter in _TONES))
    return unicodedata.normalize("NFC", "".join(letter for letter in letters if letter not in _TONES)) + tones
