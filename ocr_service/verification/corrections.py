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
from ocr_service.records import Context, Field

MAX_TEXT_CHARS = 2000

DATE_FIELDS = frozenset({"birth", "enlist", "death"})
KINDS = frozenset({"named", "partial", "unknown", "collective", "symbolic", "relocated", "memorial_list", "other"})
# what the parser says about a field in a field of its own; it must not outlive what it was said about
_COMPANIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "name": ("name_status",),
        "death": ("death_calendar", "death_candidates", "lunar"),
        "rank": ("rank_candidates",),
        "age": ("age_counting",),
    }
)
_ALL_FLAGS = "flags"
CORRECTABLE_FIELDS = DATE_FIELDS | {
    "kind",
    "unknown_wording",
    "header",
    "name",
    "name_status",
    "aliases",
    "name_variants",
    "honorific",
    "title",
    "age",
    "war",
    "death_place",
    "hometown",
    "rank",
    "position",
    "unit",
    "party",
    "loc",
    "burial",
    "award",
    "persons",
    "redact",
}


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
    unknown = sorted(set(values) - CORRECTABLE_FIELDS - (set(before) - {_ALL_FLAGS}))
    if unknown:
        raise UsageError(f"there is no field '{unknown[0]}'; fields are {', '.join(sorted(CORRECTABLE_FIELDS))}")
    kind = values.get("kind")
    if kind is not None and kind.value not in KINDS:
        raise UsageError(f"the value of kind is one of {', '.join(sorted(KINDS))}")
    after = dict(before)
    for name, correction in values.items():
        old = before.get(name, RecordField(None, None))
        new = _apply(name, old, correction, context)
        if (new.raw, new.value) != (old.raw, old.value):
            after[name] = dataclasses.replace(new, decided_by=reviewer)
            after |= _companions(name, new, before, set(values), context, reviewer)
    return _with_all_flags(before, after)


def normalised(name: str, raw: str, context: Context = Context()) -> tuple[Any, tuple[str, ...]]:  # noqa: B008
    """Normal form of a text as cut, and what was unusual; a date that cannot be told is None, never a guess."""
    parsed = _parsed(name, raw, context).get(name)
    if parsed is not None and parsed.value is not None:
        return parsed.value, parsed.flags
    if name in DATE_FIELDS:
        return None, ("not_normalised",)
    return raw, ()


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
