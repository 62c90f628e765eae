"""The verification form: which fields it has, in which order, and what a person's entries mean.

A field has two texts: as cut on the stone, which is what people compare with the photo and correct, and its normal
form, which follows from it and is corrected by hand only where the parser is wrong.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.i18n import Texts
from api.pages.dates import DateTextError, read_date
from api.pages.values import CODES, DATES, FieldTextError, read_value
from ocr_service.database.values import RecordField
from ocr_service.records import Context
from ocr_service.verification import Correction, normalised

# The order is that of most stones, so that eyes go down the photo and the form together.
MAIN_FIELDS = ("kind", "name", "birth", "enlist", "death", "hometown", "rank", "position", "unit", "loc")
MORE_FIELDS = ("aliases", "title", "death_place", "age", "war", "party", "unknown_wording", "persons")
FORM_FIELDS = MAIN_FIELDS + MORE_FIELDS

# Judged over the whole inscription; no words of the stone belong to them alone.
NOT_CUT = frozenset({"kind", "war"})
_EXAMPLES = {
    **dict.fromkeys(("birth", "enlist", "death"), "date"),
    **{name: name for name in ("hometown", "unit", "loc", "persons")},
}


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of the form. ``choices`` are pairs of code and text where the value is one of a list."""

    name: str
    label: str
    is_cut: bool
    example: str
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """What a person entered: None for what they left as it was, an empty text for a blank."""

    cut: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """What a text as cut means: its normal form and what was unusual about it."""

    value: Any
    flags: tuple[str, ...]


def field_spec(name: str, texts: Texts) -> FieldSpec:
    """How a field stands in the form."""
    example = texts(f"example.{_EXAMPLES[name]}") if name in _EXAMPLES else ""
    choices = tuple(texts.section(name).items()) if name in CODES else ()
    return FieldSpec(name, texts(f"field.{name}"), name not in NOT_CUT, example, choices)


def understand(name: str, cut: str, context: Context) -> Understood:
    """The normal form of a text as cut; None where it has none, and a flag says so.

    The parser comes first. A date that it leaves open may still be one that people write with question marks.
    """
    value, flags = normalised(name, cut, context)
    if value is None and name in DATES:
        with contextlib.suppress(DateTextError):
            value, flags = read_date(cut), ()
    return Understood(value, flags)


def corrections(
    fields: Mapping[str, RecordField], entries: Mapping[str, Entry], context: Context, texts: Texts
) -> dict[str, Correction]:
    """What a person's entries change in a record. Raises ``FieldTextError`` where one makes no sense."""
    changed = {}
    for name, entry in entries.items():
        if name not in FORM_FIELDS:
            raise FieldTextError(name, texts("error.no_field", field=name))
        held = fields.get(name, RecordField(None, None))
        correction = _correction(name, held, entry, context, texts)
        if correction is not None:
            changed[name] = correction
    return changed


def _tidy(name: str, cut: str) -> str:
    """Words without needless spaces; lines are kept apart where each is a person."""
    rows = cut.splitlines() if name == "persons" else [cut]
    return "\n".join(filter(None, (" ".join(row.split()) for row in rows)))


def _correction(name: str, held: RecordField, entry: Entry, context: Context, texts: Texts) -> Correction | None:
    """What one entry changes, None where it says what the record says already."""
    cut = None if entry.cut is None else _tidy(name, entry.cut)
    value = None if entry.value is None else read_value(name, entry.value, context, texts)
    if name == "kind" and value is None:
        raise FieldTextError(name, texts("error.kind_needed"))
    if cut == "" and value is None:
        return Correction() if (held.raw, held.value) != (None, None) else None
    if cut and cut != (held.raw or ""):
        if value is None and normalised(name, cut, context)[0] is None:
            value = understand(name, cut, context).value
        return Correction(raw=cut, value=value)
    if entry.value is None or value == held.value:
        return None
    if value is None and held.raw is not None:
        # a record cannot hold words of the stone whose meaning a person has taken away
        raise FieldTextError(name, texts("error.blank_meaning"))
    return Correction(value=value)
