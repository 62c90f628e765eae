"""Verified records as the search list and the record page show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from api.i18n import Texts
from api.pages.drafts import Note, notes_of
from api.pages.form import FORM_FIELDS
from api.pages.values import WITHOUT_WORDS, meaning_of, show_for_people
from ocr_service.database.values import RecordField, RecordView
from ocr_service.redaction import PublishedField, PublishedRecord

_FURTHER = ("name_status", "name_variants", "honorific", "header", "lunar", "burial", "award", "redact")


@dataclass(frozen=True, slots=True)
class ListedRecord:
    """A record in the list of found ones."""

    id: int
    photo_id: int
    name: str
    birth: str
    death: str
    hometown: str
    today: str
    place: str


@dataclass(frozen=True, slots=True)
class ShownFact:
    """One fact of a record: as cut and in its normal form; ``by`` is who corrected it."""

    label: str
    cut: str
    value: str
    meaning: str
    notes: tuple[Note, ...]
    by: str


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """A record's facts in the order of the form, then whatever else was read."""

    title: str
    facts: tuple[ShownFact, ...]


def show_listed(record: PublishedRecord, texts: Texts) -> ListedRecord:
    """A row of the list."""
    place = (record.place.plot, record.place.cemetery)
    loc = _value(record.fields, "loc", texts)
    hometown = record.fields.get("hometown")
    return ListedRecord(
        id=record.id,
        photo_id=record.photo_id,
        name=title_of_fields(record.fields, texts),
        birth=_value(record.fields, "birth", texts),
        death=_value(record.fields, "death", texts),
        hometown=_value(record.fields, "hometown", texts),
        today=meaning_of("hometown", hometown.value, texts) if hometown is not None else "",
        place=", ".join(part for part in (loc, *place) if part),
    )


def show_record(view: RecordView, texts: Texts) -> ShownRecord:
    """Everything that a record says."""
    facts = (_fact(name, view.fields[name], texts) for name in FORM_FIELDS + _FURTHER if name in view.fields)
    return ShownRecord(title_of_fields(view.fields, texts), tuple(fact for fact in facts if fact.cut or fact.value))


def title_of_fields(fields: Mapping[str, RecordField] | Mapping[str, PublishedField], texts: Texts) -> str:
    """A record in one line: its name, else what kind of grave it is."""
    for name in ("name", "aliases", "kind"):
        if shown := _value(fields, name, texts):
            return shown
    return texts("verify.nameless")


def _value(fields: Mapping[str, RecordField] | Mapping[str, PublishedField], name: str, texts: Texts) -> str:
    field = fields.get(name)
    return "" if field is None else show_for_people(name, field.value, texts) or field.raw or ""


def _fact(name: str, field: RecordField, texts: Texts) -> ShownFact:
    value = show_for_people(name, field.value, texts)
    return ShownFact(
        label=texts(f"field.{name}"),
        cut="" if name in WITHOUT_WORDS else field.raw or "",
        value=value,
        meaning=meaning_of(name, field.value, texts),
        notes=notes_of(field.flags, texts),
        by=field.decided_by or "",
    )
