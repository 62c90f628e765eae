"""Record fields to and from the JSON that columns keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticSerializationError

from ocr_service.database.types import JsonText, json_text
from ocr_service.database.values import RecordField
from ocr_service.records import Field


def field_to_document(field: RecordField) -> dict[str, Any]:
    """One field with its three values."""
    return {
        "raw": field.raw,
        "value": field.value,
        "on_record": field.on_record,
        "confidence": round(field.confidence, 4),
        "lines": list(field.lines),
        "flags": list(field.flags),
        "decided_by": field.decided_by,
    }


def field_from_document(document: Mapping[str, Any]) -> RecordField:
    """The inverse of ``field_to_document``."""
    return RecordField(
        raw=document["raw"],
        value=document["value"],
        on_record=document["on_record"],
        confidence=float(document["confidence"]),
        lines=tuple(document["lines"]),
        flags=tuple(document["flags"]),
        decided_by=document["decided_by"],
    )


def fields_to_document(fields: Mapping[str, RecordField]) -> dict[str, Any]:
    """All fields of a record."""
    return {name: field_to_document(field) for name, field in fields.items()}


def fields_from_document(document: Mapping[str, Any]) -> dict[str, RecordField]:
    """The inverse of ``fields_to_document``."""
    return {name: field_from_document(field) for name, field in document.items()}


def proposed(record: Mapping[str, Field]) -> dict[str, RecordField]:
    """What the parser made of a reading, as the first state of a record."""
    return {
        name: RecordField(field.raw, field.value, None, round(field.confidence, 4), field.lines, field.flags)
        for name, field in record.items()
    }


def storable(document: Any) -> JsonText:
    """A reader's JSON value written down so that every database takes it, whatever stood in a file or its name.

    What none may hold becomes U+FFFD: NUL, and the halves of surrogate pairs that stand for bytes of a file name.
    """
    try:
        written = json_text(document)
    except PydanticSerializationError:
        return JsonText(json_text(_clean(document)))
    return JsonText(json_text(_clean(document)) if "\\u0000" in written else written)


def storable_text(text: str) -> str:
    """The same for a plain text."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, Mapping):
        return {_clean(name): _clean(part) for name, part in value.items()}
    return [_clean(part) for part in value] if isinstance(value, list | tuple) else value
