"""Verified records as CSV for spreadsheet programs and as JSONL for programs, in pieces, whatever their number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from ocr_service.database import drafts
from ocr_service.records import Field
from ocr_service.redaction import PublishedField, PublishedRecord, publishable
from ocr_service.spreadsheet import csv_line, hometown_text

RECORD_COLUMNS = (
    "id", "state", "kind", "name", "birth", "enlist", "death", "hometown", "rank", "position", "unit", "cemetery",
    "province", "commune", "plot", "name_as_cut", "flags", "redacted", "verified_at", "version", "photo_id",
)  # fmt: skip
_FROM_FIELDS = ("kind", "name", "birth", "enlist", "death", "rank", "position", "unit")

_PAGE = 500


def records_as_csv(session: Session) -> Iterator[str]:
    """Lines of a CSV file (RFC 4180) of all verified records, header first, with the mark that spreadsheets need."""
    yield "\ufeff" + csv_line(RECORD_COLUMNS)
    for record in _published(session):
        row = _row(record)
        yield csv_line([row[column] for column in RECORD_COLUMNS])


def records_as_jsonl(session: Session) -> Iterator[str]:
    """One JSON object a line for each verified record: fields with their three values, and where they stand."""
    for record in _published(session):
        yield json.dumps(_document(record), ensure_ascii=False, separators=(",", ":")) + "\n"


def _published(session: Session) -> Iterator[PublishedRecord]:
    after_id = 0
    while found := drafts.search(session, after_id=after_id, limit=_PAGE):
        yield from (publishable(facts) for facts in found)
        after_id = found[-1].id
        session.expunge_all()  # two million rows need not stay in memory


def _row(record: PublishedRecord) -> dict[str, str]:
    fields = record.fields
    hometown = fields.get("hometown")
    flags = sorted({flag for field in fields.values() for flag in field.flags})
    return {name: _text(fields[name].value) if name in fields else "" for name in _FROM_FIELDS} | {
        "id": str(record.id),
        "state": str(record.state),
        "hometown": hometown_text(Field(hometown.value, hometown.raw)) if hometown else "",
        "cemetery": record.place.cemetery or "",
        "province": record.place.cemetery_province or "",
        "commune": record.place.cemetery_commune or "",
        "plot": record.place.plot or "",
        "name_as_cut": (fields["name"].raw or "") if "name" in fields else "",
        "flags": " ".join(flags),
        "redacted": "yes" if record.redacted else "no",
        "verified_at": record.verified_at.isoformat(timespec="seconds") if record.verified_at else "",
        "version": str(record.version),
        "photo_id": str(record.photo_id),
    }


def _document(record: PublishedRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "state": str(record.state),
        "version": record.version,
        "verified_at": record.verified_at.isoformat() if record.verified_at else None,
        "photo_id": record.photo_id,
        "grave_id": record.grave_id,
        "place": {
            "cemetery": record.place.cemetery,
            "province": record.place.cemetery_province,
            "commune": record.place.cemetery_commune,
            "plot": record.place.plot,
        },
        "fields": {name: _field(field) for name, field in record.fields.items()},
        "redacted": record.redacted,
    }


def _field(field: PublishedField) -> dict[str, Any]:
    return {"raw": field.raw, "value": field.value, "on_record": field.on_record, "flags": list(field.flags)}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return str(value.get("raw") or json.dumps(value, ensure_ascii=False))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)
