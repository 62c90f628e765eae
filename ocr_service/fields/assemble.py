"""Lines of an inscription become a record of fields.

Lines are cut at their labels, stretches that belong together are joined, each goes to the reader of its label or, where
there is none, to the first that knows its content; at the end the facts are weighed against each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ocr_service.fields import alternatives, kinds
from ocr_service.fields.decodes import DecodeTable, with_decodes
from ocr_service.fields.draft import Draft, Item
from ocr_service.fields.inscription import Inscription
from ocr_service.fields.joining import cut_and_join
from ocr_service.fields.labelled import FIELD_NAMES, HANDLERS
from ocr_service.fields.names import is_plausible_name
from ocr_service.fields.persons import is_person_row, read_person
from ocr_service.fields.text import clean
from ocr_service.fields.unlabelled import read_unlabelled
from ocr_service.fields.verdict import conclude
from ocr_service.records import Alternative, Context, Field, Line

_NOWHERE = ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0))
# Births and names first: the year of a lunar date and the sense of a lone year depend on them.
# What a label says goes before what content suggests; a unit's own line before one beside a post.
_ORDER = {"name": 0, "birth": 1, "age": 1, "unit": 2, "mailbox": 2, None: 4, "death": 5, "lunar": 6}
_TABLE_HEAD = re.compile(r"^\s*(?:stt|số tt|tt)\s*[|\t ]+\s*họ", re.I)
_UNDATED = frozenset({"rank", "position", "rank_position", "rank_position_unit"})
_BARE_YEAR = re.compile(r"^\s*(?:\d{1,2}[/.\-]){0,2}(?:19|20)\d\d\s*$")
_MAX_LINE = 600  # letters; no line of a stone is longer, and a run-on text must not cost more than its length


@dataclass(frozen=True, slots=True)
class Row:
    """A line that is not blank: its text cleaned, and its index among the lines given."""

    index: int
    text: str


def parse_text(  # the defaults are frozen values
    text: str,
    context: Context = Context(),  # noqa: B008
    decodes: DecodeTable = DecodeTable(),  # noqa: B008
) -> Inscription:
    """Record of an inscription given as text, one line of the stone on each line."""
    return parse_lines([Line(line, 1.0, _NOWHERE) for line in text.split("\n")] if text else [], context, decodes)


def parse_lines(  # the defaults are frozen values
    lines: Sequence[Line],
    context: Context = Context(),  # noqa: B008
    decodes: DecodeTable = DecodeTable(),  # noqa: B008
) -> Inscription:
    """Record of the inscription that ``lines`` (in reading order) spell.

    Where the reader saw several stones, the one with the most text is the record and the others are listed in its field
    ``other_stones``, each as its flat view. ``decodes`` tells what the code of a unit meant; none is known by default.
    """
    stones = sorted({line.stone for line in lines})
    if len(stones) <= 1:
        return _parse_stone(lines, list(range(len(lines))), context, decodes)
    parsed: list[tuple[int, Inscription]] = []
    for stone in stones:
        members = [i for i, line in enumerate(lines) if line.stone == stone]
        one = _parse_stone([lines[i] for i in members], members, context, decodes)
        parsed.append((sum(len(lines[i].text) for i in members), one))
    parsed.sort(key=lambda pair: -pair[0])
    others = [one.flat() for _, one in parsed[1:]]
    record = dict(parsed[0][1].record)
    record["other_stones"] = Field(others, None, 1.0)
    record["flags"] = Field(sorted({*parsed[0][1].flags, "several_stones"}), None, 1.0)
    return Inscription(record)


def _parse_stone(lines: Sequence[Line], places: Sequence[int], context: Context, decodes: DecodeTable) -> Inscription:
    lines, chosen = alternatives.choose(lines, context)
    rows = [
        Row(i, part)
        for i, line in enumerate(lines)
        for part in re.split(r"\s+\u00b7\s+", clean(line.text)[:_MAX_LINE])
        if part.strip()
    ]
    confidence = dict(enumerate(line.confidence for line in lines))
    others = {
        i: tuple(Alternative(clean(other.text), other.score) for other in line.alternatives)
        for i, line in enumerate(lines)
    }
    draft = Draft(context, [confidence[i] for i in range(len(lines))], other_readings=others)
    _note_signs(draft, lines, rows)
    evidence = kinds.weigh([row.text for row in rows])
    rest = [row for i, row in enumerate(rows) if i not in evidence.wording_lines or kinds.holds_more(row.text)]
    rest = _take_persons(draft, rest, evidence)
    items = cut_and_join(draft, [(row.index, row.text) for row in rest], lines)
    fallback = _field_of(context)
    for item in sorted(items, key=lambda item: _ORDER.get(item.field, 3)):
        _read(draft, item, fallback)
    if chosen:
        draft.flag("chosen_alternative")
    record = conclude(draft, evidence, [(row.index, row.text) for row in rows], len(lines))
    record = with_decodes(record, decodes)
    return Inscription({name: _at(field, places) for name, field in record.items()})


def _read(draft: Draft, item: Item, fallback: str | None) -> None:
    if item.field is not None:
        HANDLERS[item.field](draft, item)
    elif fallback is not None and not (fallback in _UNDATED and _BARE_YEAR.match(item.text)):
        HANDLERS[fallback](draft, Item(fallback, item.text, item.lines))
    else:
        read_unlabelled(draft, Item(None, item.text, item.lines, stated=False))


def _field_of(context: Context) -> str | None:
    """The reader for a text that is known to be one field; None for whole stones and for fields nobody reads."""
    name = context.field
    if name is None:
        return None
    name = FIELD_NAMES.get(name, name)
    return name if name in HANDLERS else None


def _note_signs(draft: Draft, lines: Sequence[Line], rows: Sequence[Row]) -> None:
    if any(len(line.text) > _MAX_LINE for line in lines):
        draft.flag("line_cut")
    if any("\u00a0" in line.text for line in lines):
        draft.flag("nbsp")
    if any(re.match(r"\s*'\s*[\d(]", row.text) for row in rows):
        draft.flag("excel_apostrophe")


def _take_persons(draft: Draft, rows: list[Row], evidence: kinds.KindEvidence) -> list[Row]:
    """Move the rows of a list into ``persons`` and return the other rows."""
    if not (evidence.listing or evidence.collective):
        return rows
    listing = evidence.listing
    if listing:
        rows = [row for row in rows if not _TABLE_HEAD.match(row.text)]
    taken = [row for row in rows if is_person_row(row.text, listing=listing) and not kinds.tells_kind(row.text)]
    if not taken:
        return rows
    persons = [_person(draft, row) for row in taken]
    item = Item("persons", "\n".join(row.text for row in taken), tuple(row.index for row in taken))
    draft.put("persons", persons, item)
    indices = {row.index for row in taken}
    return [row for row in rows if row.index not in indices]


def _person(draft: Draft, row: Row) -> dict[str, Any]:
    """One row of a list; a name on a line that the reader guessed stands only as cut."""
    person = read_person(row.text, draft.context.cemetery_province)
    raw = person.get("name_raw")
    if raw and draft.is_doubtful(Item("persons", row.text, (row.index,))) and not is_plausible_name(raw):
        draft.flag("illegible_name")
        person["name"] = None
        person.pop("aliases", None)
    return person


def _at(field: Field, places: Sequence[int]) -> Field:
    """The field with its line numbers among all lines of the reading."""
    lines = tuple(places[i] for i in field.lines if i < len(places))
    return field if lines == field.lines else Field(field.value, field.raw, field.confidence, lines, field.flags)
