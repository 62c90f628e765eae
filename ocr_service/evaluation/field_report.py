"""Scores of fields as tables for people and as one object for machines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from ocr_service.certainty import NEVER, certain_from
from ocr_service.evaluation.facts import FieldScore, field_of
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
_NORMAL_95 = 1.96


def wilson_low(right: int, total: int) -> float:
    """Return the lower end of the 95 % interval of a share that was ``right`` of ``total``; 0 for none.

    Wilson 1927, "Probable inference, the law of succession, and statistical inference": honest for few counts, where
    nothing wrong of five does not mean that nothing ever is.
    """
    if not total:
        return 0.0
    share, square = right / total, _NORMAL_95**2 / total
    spread = _NORMAL_95 * math.sqrt(share * (1 - share) / total + square / (4 * total))
    return max(0.0, (share + square / 2 - spread) / (1 + square))


def fields_table(scores: Sequence[EngineScore]) -> Table | None:
    """Return one row a field, one column a reader; None where the truth states no facts."""
    installed = [score for score in scores if score.not_installed is None]
    names = _stated(*installed)
    if not names:
        return None
    table = Table(title="Fields: right / all (wrong + given where the stone has none)")
    table.add_column("field")
    for score in installed:
        table.add_column(score.engine, justify="right")
    for name in names:
        cells = []
        for score in installed:
            field = score.fields.get(name)
            cells.append("–" if field is None else f"{field.right}/{field.total} ({field.wrong} + {field.extra})")
        table.add_row(name, *cells)
    return table


def certain_table(score: EngineScore) -> Table | None:
    """Return what one reader's fields are worth; None where it knows no fields or the truth states none."""
    names = _stated(score)
    if score.field_ece is None or not names:
        return None
    table = Table(
        title=f"{score.engine}: fields, and how far to trust them",
        caption=f"certain: confidence at which 99.5 % were right when it was calibrated; ECE {score.field_ece:.3f}",
    )
    table.add_column("field")
    for heading in ("exact", "found", "precision", "certain from", "certain", "of these right", "95 %: at least"):
        table.add_column(heading, justify="right")
    for name in names:
        threshold = certain_from(field_of(name))
        table.add_row(name, *_row(score.fields[name], f"{threshold:.4f}" if threshold < NEVER else "never"))
    table.add_section()
    table.add_row("all", *_row(sum((score.fields[name] for name in names), FieldScore()), ""))
    return table


def fields_to_json(fields: Mapping[str, FieldScore]) -> dict[str, Any]:
    """Return each field's counts and what follows from them."""
    return {
        name: {
            "right": field.right,
            "blank": field.blank,
            "wrong": field.wrong,
            "extra": field.extra,
            "sure_right": field.sure_right,
            "sure_wrong": field.sure_wrong,
            "sure_extra": field.sure_extra,
            "certain_from": certain_from(field_of(name)),
            "exact_share": _share(field.right, field.total),
            "found_share": _share(field.found, field.total),
            "precision": _share(field.right, field.given),
            "certain_share": _share(field.sure_found, field.total),
            "certain_precision": _share(field.sure_right, field.sure),
        }
        for name, field in fields.items()
    }


def _stated(*scores: EngineScore) -> list[str]:
    return [name for name in FIELD_ORDER if any(name in score.fields for score in scores)]


def _row(field: FieldScore, threshold: str) -> tuple[str, ...]:
    return (
        _counted(field.right, field.total),
        _counted(field.found, field.total),
        _counted(field.right, field.given),
        threshold,
        _counted(field.sure_found, field.total),
        _counted(field.sure_right, field.sure),
        f"{wilson_low(field.sure_right, field.sure):.1%}" if field.sure else "–",
    )


def _counted(part: int, whole: int) -> str:
    return f"{part}/{whole} {part / whole:.0%}" if whole else "–"


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 5) if whole else None
