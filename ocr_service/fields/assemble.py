"""Lines of an inscription become a record of fields."""

from __future__ import annotations

from collections.abc import Sequence

from ocr_service.fields.inscription import Inscription
from ocr_service.records import Context, Field, Line

_NOWHERE = ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0))


def parse_lines(lines: Sequence[Line], context: Context = Context()) -> Inscription:  # noqa: B008 - frozen value
    """Record of the inscription that ``lines`` (in reading order) spell."""
    raw = "\n".join(line.text for line in lines)
    return Inscription({"kind": Field("other", raw), "flags": Field([])})


def parse_text(text: str, context: Context = Context()) -> Inscription:  # noqa: B008 - frozen value
    """Record of an inscription given as text, one line of the stone on each line."""
    return parse_lines([Line(line, 1.0, _NOWHERE) for line in text.split("\n")], context)
