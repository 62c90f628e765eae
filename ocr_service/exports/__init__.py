"""What leaves the house in one go: records as files for others, verified lines as crops to learn from."""

from __future__ import annotations

from ocr_service.exports.lines import Exported, export_lines
from ocr_service.exports.records import RECORD_COLUMNS, records_as_csv, records_as_jsonl
from ocr_service.exports.truth import LeftOut

__all__ = ["RECORD_COLUMNS", "Exported", "LeftOut", "export_lines", "records_as_csv", "records_as_jsonl"]
