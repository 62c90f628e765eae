"""Inscription lines → facts, as cut and normalised, with honest confidences. Pure: no I/O but its own data files."""

from __future__ import annotations

from ocr_service.fields.assemble import parse_lines, parse_text
from ocr_service.fields.inscription import Inscription, context_from_json

__all__ = ["Inscription", "context_from_json", "parse_lines", "parse_text"]
