"""What of a record may leave the house: what a verifier saw and could correct, and nothing about living people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ocr_service.database.search_keys import leaves
from ocr_service.database.values import RecordFacts, RecordField
from ocr_service.records import Context
from ocr_service.states import RecordState, Verdict

REDACTED = "█"
_PERSONAL_FLAG = "living_person_pii"
_REDACT_FIELD = "redact"
# a unit's decode is military data
_NEVER_SERVED_KEYS = frozenset({"decode", "redact"})

# The fields that stand beside the photo when a person verifies, where each can be corrected; the tests hold the form
# to this list. Whatever else a parser made of a stone, nobody has vouched for.
SEEN_FIELDS = frozenset(
    {
        *("kind", "name", "birth", "enlist", "death", "hometown", "rank", "position", "unit", "loc", "aliases"),
        *("title", "death_place", "age", "war", "party", "unknown_wording", "persons"),
    }
)
# They follow from the words of a seen field by rule alone, and are made again when it is corrected.
DERIVED_FIELDS = frozenset({"name_status", "death_calendar"})
# No words of the stone are shown for these; the parser keeps the whole inscription or somebody else's words there.
_WITHOUT_WORDS = DERIVED_FIELDS | {"kind", "war"}
LISTING_KINDS = frozenset({"collective", "memorial_list"})
_PERSON_KEYS = ("name", "birth", "death")  # what a list of persons shows of each


@dataclass(frozen=True, slots=True)
class PublishedField:
    """One served fact in its three values."""

    raw: str | None
    value: Any
    on_record: Any
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PublishedRecord:
    """A verified record as anybody may see it. ``redacted`` says that something was left out."""

    id: int
    state: RecordState
    version: int
    verified_at: datetime | None
    photo_id: int
    grave_id: int | None
    place: Context
    fields: Mapping[str, PublishedField]
    redacted: bool


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One verdict in a record's life as anybody may see it: which facts changed, not from what, and not by whom."""

    version: int
    at: datetime
    verdict: Verdict
    fields: tuple[str, ...]


def publishable(record: RecordFacts) -> PublishedRecord:
    """The public side of a verified record."""
    fields, redacted = public_fields(record.fields)
    return PublishedRecord(
        id=record.id,
        state=record.state,
        version=record.version,
        verified_at=record.decided_at,
        photo_id=record.photo_id,
        grave_id=record.grave_id,
        place=record.place,
        fields=fields,
        redacted=redacted,
    )


def public_fields(fields: Mapping[str, RecordField]) -> tuple[dict[str, PublishedField], bool]:
    """The fields that a verifier vouched for, without data of living people, and whether such data were left out.

    A field that is flagged as personal goes as a whole; texts that the ``redact`` field lists are struck out wherever
    they stand in the others, for a parser may have put them into a second field as well.
    """
    personal = [name for name, field in fields.items() if _PERSONAL_FLAG in field.flags]
    spans = _pattern(text for name in {_REDACT_FIELD, *personal} & set(fields) for text in _texts(fields[name]))
    kind = fields["kind"].value if "kind" in fields else None
    open_fields = (
        SEEN_FIELDS | DERIVED_FIELDS if kind in LISTING_KINDS else (SEEN_FIELDS | DERIVED_FIELDS) - {"persons"}
    )
    served = {
        name: _published(name, field, spans)
        for name, field in fields.items()
        if name in open_fields and name not in personal
    }
    return served, spans is not None


def has_personal_data(fields: Mapping[str, RecordField]) -> bool:
    """Whether a record's photo shows something that must not be published."""
    return public_fields(fields)[1]


def _published(name: str, field: RecordField, spans: re.Pattern[str] | None) -> PublishedField:
    raw = None if name in _WITHOUT_WORDS else field.raw
    value = field.value
    if name == "persons":
        value = [{key: person[key] for key in _PERSON_KEYS if key in person} for person in value or ()]
    return PublishedField(_struck(raw, spans), _struck(value, spans), field.on_record, field.flags)


def _texts(field: RecordField) -> Iterator[str]:
    if field.raw:
        yield from field.raw.splitlines()
    yield from leaves(field.value)


def _pattern(texts: Iterator[str]) -> re.Pattern[str] | None:
    # shorter texts are codes ("DT"), and striking them out would maim names
    spans = sorted({" ".join(text.split()) for text in texts if len(text.strip()) >= 4}, key=len, reverse=True)
    if not spans:
        return None
    return re.compile("|".join(r"\s+".join(map(re.escape, span.split())) for span in spans), re.IGNORECASE)


def _struck(value: Any, spans: re.Pattern[str] | None) -> Any:
    if isinstance(value, str):
        return spans.sub(REDACTED, value) if spans else value
    if isinstance(value, Mapping):
        return {key: _struck(item, spans) for key, item in value.items() if key not in _NEVER_SERVED_KEYS}
    if isinstance(value, list | tuple):
        return [_struck(item, spans) for item in value]
    return value
