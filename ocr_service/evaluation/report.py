"""Scores as tables for people and as one object for machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from ocr_service.evaluation.run import EngineScore

FIELD_ORDER = (
    "unknown",
    "name",
    "birth",
    "enlist",
    "death",
    "hometown_commune",
    "hometown_district",
    "hometown_province",
    "rank",
    "position",
    "unit",
)


def lines_table(scores: Sequence[EngineScore], title: str = "Lines") -> Table:
    """Return one row a reader: errors of lines and time."""
    table = Table(title=title)
    table.add_column("reader")
    for heading in ("CER", "CER, no marks", "exact", "missed", "false", "detected", "AUROC", "ECE", "s/photo", "CPU s"):
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


def fields_table(scores: Sequence[EngineScore]) -> Table | None:
    """Return one row a field, right of all (wrong) for each reader; None where the truth states no facts."""
    installed = [score for score in scores if score.not_installed is None]
    names = [name for name in FIELD_ORDER if any(name in score.fields for score in installed)]
    if not names:
        return None
    table = Table(title="Fields: right / all (wrong, of these certain)")
    table.add_column("field")
    for score in installed:
        table.add_column(score.engine, justify="right")
    for name in names:
        cells = []
        for score in installed:
            field = score.fields.get(name)
            cells.append("–" if field is None else f"{field.right}/{field.total} ({field.wrong}, {field.sure_wrong})")
        table.add_row(name, *cells)
    return table


def tables(scores: Sequence[EngineScore], title: str = "Lines") -> list[Table]:
    """Return every table that the scores fill."""
    fields = fields_table(scores)
    return [lines_table(scores, title), *([fields] if fields is not None else [])]


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
        "fields": {
            name: {"right": f.right, "blank": f.blank, "wrong": f.wrong, "sure_wrong": f.sure_wrong}
            for name, f in score.fields.items()
        },
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
