"""What the parser makes of one inscription: a record of fields, and one flat view of it.

The record uses the field names of the data dictionary (``kind``, ``name``, ``birth``, ``hometown`` …); every value is
plain JSON data. Three values of a fact are never mixed: ``raw`` is as cut, ``value`` is normalised, and what an
official roster says is somebody else's table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ocr_service.records import Context, Field


@dataclass(frozen=True, slots=True)
class Inscription:
    """The facts of one inscription. ``record["flags"]`` holds every flag of every field, sorted."""

    record: Mapping[str, Field]

    @property
    def flags(self) -> tuple[str, ...]:
        """Every flag raised anywhere in the inscription, sorted."""
        field = self.record.get("flags")
        return tuple(field.value) if field is not None else ()

    def value(self, name: str) -> Any:
        """Normalised value of a field, None where the stone does not say."""
        field = self.record.get(name)
        return None if field is None else field.value

    def flat(self) -> dict[str, Any]:
        """One flat object: field name → normalised value, and ``name_raw`` as cut. A missing key means None."""
        flat = {name: field.value for name, field in self.record.items()}
        name = self.record.get("name")
        if name is not None:
            flat["name_raw"] = name.raw
        return flat


def context_from_json(mapping: Mapping[str, Any]) -> Context:
    """Context of an upload from JSON; keys that it does not know and values that are no text are ignored."""

    def text(*keys: str) -> str | None:
        return next((value for key in keys if isinstance(value := mapping.get(key), str) and value.strip()), None)

    return Context(
        cemetery=text("cemetery"),
        cemetery_province=text("cemetery_province", "province"),
        cemetery_commune=text("cemetery_commune", "commune"),
        plot=text("plot"),
        source=text("source", "src"),
        field=text("field"),
    )
