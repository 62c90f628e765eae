"""Scores as tables for people and as one object for machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from ocr_service.evaluation.detection import DetectionScore
from ocr_service.evaluation.field_report import certain_table, fields_table, fields_to_json
from ocr_service.evaluation.run import EngineScore


def lines_table(scores: Sequence[EngineScore], title: str = "Lines") -> Table:
    """Return one row a reader: errors of lines and time."""
    table = Table(title=title)
    table.add_column("reader")
    for heading in (
        "CER",
        "CER, no marks",
        "exact",
        "missed",
        "false",
        "quads missed / false",
        "AUROC",
        "ECE",
        "s/photo",
        "CPU s",
    ):
        table.add_column(heading, justify="right")
    for score in scores:
        if score.not_installed is not None:
            table.add_row(score.engine, score.not_installed, *[""] * 9)
            continue
        errors = score.errors
        table.add_row(
            score.engine if score.bundle is None else f"{score.engine}: {score.bundle} {score.runtime}",
            f"{errors.cer:.1%}",
            f"{errors.bare_cer:.1%}",
            f"{errors.exact_lines}/{errors.lines} {errors.exact_share:.0%}",
            str(errors.missed_lines),
            str(errors.false_lines),
            _detected(score.detection),
            "–" if score.auroc is None else f"{score.auroc:.2f}",
            "–" if score.ece is None else f"{score.ece:.3f}",
            f"{score.seconds_per_photo:.2f}",
            f"{score.cpu_seconds_per_photo:.2f}",
        )
    return table


def tables(scores: Sequence[EngineScore], title: str = "Lines") -> list[Table]:
    """Return every table that the scores fill."""
    found = [lines_table(scores, title), fields_table(scores)]
    found.extend(certain_table(score) for score in scores)
    return [table for table in found if table is not None]


def _detected(score: DetectionScore) -> str:
    return f"{score.missed} / {score.false} of {score.lines}" if score.lines else "–"


def to_json(scores: Sequence[EngineScore], folder: Path, *, details: bool = True) -> dict[str, Any]:
    """Return one JSON object; ``details`` adds each photo with its lines as [truth, read] pairs."""
    return {
        "truth": str(folder),
        "photos": max((len(score.photos) for score in scores), default=0),
        "engines": {score.engine: _engine_to_json(score, details) for score in scores},
    }


def _engine_to_json(score: EngineScore, details: bool) -> dict[str, Any]:
    if score.not_installed is not None:
        return {"not_installed": score.not_installed}
    errors = score.errors
    made_of = {} if score.bundle is None else {"bundle": score.bundle, "runtime": score.runtime}
    found: dict[str, Any] = made_of | {
        "cer": round(errors.cer, 5),
        "cer_without_marks": round(errors.bare_cer, 5),
        "exact_lines": errors.exact_lines,
        "lines": errors.lines,
        "exact_share": round(errors.exact_share, 5),
        "missed_lines": errors.missed_lines,
        "false_lines": errors.false_lines,
        "quads_total": score.detection.lines,
        "quads_found": score.detection.found,
        "quads_missed": score.detection.missed,
        "quads_false": score.detection.false,
        "auroc": score.auroc,
        "ece": score.ece,
        "rejected": score.rejected,
        "seconds_per_photo": round(score.seconds_per_photo, 4),
        "cpu_seconds_per_photo": round(score.cpu_seconds_per_photo, 4),
        "fields": fields_to_json(score.fields),
        "field_ece": score.field_ece,
    }
    if details:
        found["details"] = [
            {
                "photo": photo.photo,
                "rejected": photo.rejected,
                "char_errors": photo.errors.char_errors,
                "chars": photo.errors.chars,
                "seconds": round(photo.seconds, 4),
                "lines": [list(pair) for pair in photo.lines],
            }
            for photo in score.photos
        ]
    return found
