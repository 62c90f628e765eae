"""What a person says about fields, applied to a record; nothing here is written anywhere."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ocr_service.database.values import RecordField
from ocr_service.errors import UsageError
from ocr_service.fields import parse_text
from ocr_service.fields.persons import read_person
from ocr_service.records import Context, Field
from ocr_service.verification.field_values import CORRECTABLE_FIELDS, expected_of, from_words

MAX_TEXT_CHARS = 2000

# what the parser says about a field in a field of its own; it must not outlive what it was said about
_COMPANIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "name": ("name_status", "name_variants", "gender_hint"),
        "death": ("death_calendar", "death_candidates", "lunar"),
        "rank": ("rank_candidates",),
        "age": ("age_counting",),
    }
)
_ALL_FLAGS = "flags"


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person says about one field.

    ``raw`` alone: this is cut on the stone, normalise it. ``value`` alone: the cut text stays, its meaning is this.
    Both: both. Neither: the stone does not say; an honest blank.
    """

    raw: str | None = None
    value: Any = None


def corrected(
    before: Mapping[str, RecordField], values: Mapping[str, Correction], context: Context, reviewer: str
) -> dict[str, RecordField]:
    """The fields as they stand after a person's word on some of them. Raises ``UsageError`` for one without sense."""
    unknown = sorted(set(values) - CORRECTABLE_FIELDS)
    if unknown:
        raise UsageError(f"there is no field '{unknown[0]}'; fields are {', '.join(sorted(CORRECTABLE_FIELDS))}")
    for name, correction in values.items():
        expected = expected_of(name, correction.value)
        if expected is not None:
            raise UsageError(f"the value of {name} does not fit; expected is {expected}")
    if "kind" in values and values["kind"].value is None:
        raise UsageError("the value of kind cannot be left out; every stone is of some kind")
    after = dict(before)
    for name, correction in values.items():
        old = before.get(name, RecordField(None, None))
        new = _apply(name, old, correction, context)
        if (new.raw, new.value) != (old.raw, old.value):
            after[name] = dataclasses.replace(new, decided_by=reviewer)
            after |= _companions(name, new, before, set(values), context, reviewer)
            if name == "name":
                after |= _renamed(old, new, after, set(values))
            if name == "persons" and "names" in before:
                names = [person["name"] for person in new.value or () if person["name"]]
                after["names"] = dataclasses.replace(before["names"], value=names, decided_by=reviewer)
    return _with_all_flags(before, after)


def normalised(name: str, raw: str, context: Context = Context()) -> tuple[Any, tuple[str, ...]]:  # noqa: B008
    """Normal form of a text as cut, and what was unusual.

    Words that have none stay words where the field takes words; anywhere else the value is None, never a guess.
    """
    if name == "persons":
        rows = [read_person(row, context.cemetery_province) for row in raw.splitlines() if row.strip()]
        return [{"name": None, **row} for row in rows], ()
    parsed = _parsed(name, raw, context).get(name, Field(None))
    if parsed.value is not None and expected_of(name, parsed.value) is None:
        return parsed.value, parsed.flags
    value = from_words(name, raw)
    return value, () if value is not None else tuple(dict.fromkeys((*parsed.flags, "not_normalised")))


def clean(text: str | None) -> str | None:
    """NFC, without control characters, spaces collapsed within lines; empty is None."""
    if text is None:
        return None
    lines = unicodedata.normalize("NFC", text[:MAX_TEXT_CHARS]).splitlines()
    kept = "\n".join(" ".join("".join(c for c in line if c.isprintable() or c.isspace()).split()) for line in lines)
    return kept.strip() or None


def _companions(
    name: str,
    new: RecordField,
    before: Mapping[str, RecordField],
    given: AbstractSet[str],
    context: Context,
    reviewer: str,
) -> dict[str, RecordField]:
    """What follows from a corrected field, unless the person says something of it too."""
    parsed = _parsed(name, new.raw, context) if new.raw and name in _COMPANIONS else {}
    follow = {}
    for companion in set(_COMPANIONS.get(name, ())) - given:
        field = parsed.get(companion)
        if companion in before or field is not None:
            raw, value = (field.raw, field.value) if field is not None else (None, None)
            follow[companion] = RecordField(raw, value, confidence=1.0, lines=new.lines, decided_by=reviewer)
    return follow


def _renamed(
    old: RecordField, new: RecordField, fields: Mapping[str, RecordField], given: AbstractSet[str]
) -> dict[str, RecordField]:
    """Other fields that repeat the name, with the corrected one in the place of the misread one."""
    changed = {}
    for name in {"persons", "names", "aliases"} & set(fields) - given:
        field = fields[name]
        raw = field.raw.replace(old.raw, new.raw or "").strip() if field.raw and old.raw else field.raw
        value = field.value
        if name != "aliases" and isinstance(value, list) and old.value:
            value = [_with_name(entry, old.value, new.value) for entry in value]
        if (raw, value) != (field.raw, field.value):
            changed[name] = dataclasses.replace(field, raw=raw or None, value=value)
    return changed


def _with_name(entry: Any, old: Any, new: Any) -> Any:
    if isinstance(entry, Mapping) and entry.get("name") == old:
        return {key: part for key, part in entry.items() if key != "name_raw"} | {"name": new}
    return new if entry == old else entry


def _with_all_flags(before: Mapping[str, RecordField], after: dict[str, RecordField]) -> dict[str, RecordField]:
    """The record's list of all flags, without those of fields that were corrected since."""
    listed = before.get(_ALL_FLAGS)
    if listed is None or not isinstance(listed.value, list):
        return after
    changed = [name for name in after if after[name] != before.get(name)]
    gone = {flag for name in changed if name in before for flag in before[name].flags}
    stand = {flag for field in after.values() for flag in field.flags}
    value = sorted((set(listed.value) - gone) | stand)
    return after if value == listed.value else {**after, _ALL_FLAGS: dataclasses.replace(listed, value=value)}


def _apply(name: str, old: RecordField, correction: Correction, context: Context) -> RecordField:
    raw = clean(correction.raw)
    if raw is None and correction.value is None:
        return dataclasses.replace(old, raw=None, value=None, confidence=1.0, flags=())
    if raw is None:
        return dataclasses.replace(old, value=correction.value, confidence=1.0, flags=())
    if correction.value is not None:
        return dataclasses.replace(old, raw=raw, value=correction.value, confidence=1.0, flags=())
    if raw == old.raw:
        return old
    value, flags = normalised(name, raw, context)
    return dataclasses.replace(old, raw=raw, value=value, confidence=1.0, flags=flags)


def _parsed(name: str, raw: str, context: Context) -> Mapping[str, Field]:
    return parse_text(raw, dataclasses.replace(context, field=name)).record
