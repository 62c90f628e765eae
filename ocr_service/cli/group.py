"""``headstone group``: readings of photos in, graves out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ocr_service.cli.output import OutputFormat, console, emit
from ocr_service.contract import field_to_json, quad_to_json, reading_from_json
from ocr_service.errors import UsageError
from ocr_service.records import Reading


def group(
    readings: Annotated[
        Path,
        typer.Argument(help="What `headstone read --jsonl` wrote.", metavar="READINGS", exists=True, dir_okay=False),
    ],
    output: Annotated[OutputFormat, typer.Option("--output", "-o", help="What to print.")] = OutputFormat.AUTO,
) -> None:
    """Tell which photos show one grave: same text, taken one after the other (in the order of their names).

    Each grave has a best shot; the others stay attached, and a line that was read in several shots counts by its surest
    reading. Stones that say nothing of their own, as those of the unknown, are never joined by their text.

    Example: `headstone group out.jsonl -o json > graves.jsonl`
    """
    from ocr_service.reading.shots import group_shots

    known = sorted(_load(readings), key=lambda reading: _natural(reading.photo))
    graves = [
        [known[at] for at in (grave.best, *(s for s in grave.shots if s != grave.best))] for grave in group_shots(known)
    ]
    wanted = output.resolve()
    if wanted is OutputFormat.TABLE:
        console().print(_table(graves))
        return
    if wanted is OutputFormat.PLAIN:
        emit("\t".join(("best", "name", "shots", "others")) + "\n")
    for shots in graves:
        emit(
            json.dumps(grave_to_json(shots), ensure_ascii=False) + "\n" if wanted is OutputFormat.JSON else _row(shots)
        )


def grave_to_json(shots: Sequence[Reading]) -> dict[str, Any]:
    """One grave of the contract; the best shot comes first."""
    from ocr_service.reading.shots import merge_lines, merge_records

    merged = merge_lines([shot.lines for shot in shots])
    record = merge_records(shots, [one.line for one in merged])
    return {
        "best": shots[0].photo,
        "photos": [shot.photo for shot in shots],
        "lines": [
            {
                "text": one.line.text,
                "confidence": round(one.line.confidence, 4),
                "photo": shots[one.shot].photo,
                "quad": quad_to_json(one.line.quad),
            }
            for one in merged
        ],
        "record": {name: field_to_json(field) for name, field in record.items()},
    }


def _load(path: Path) -> list[Reading]:
    found: dict[str, Reading] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            reading = reading_from_json(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{path} line {number} is not a reading; name a file that `headstone read` wrote"
            ) from error
        found[reading.photo] = reading
    return list(found.values())


def _natural(name: str) -> list[tuple[int, str]]:
    """Key that sorts names as cameras count: ``IMG_9`` before ``IMG_10``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _name(shots: Sequence[Reading]) -> str:
    field = shots[0].record.get("name")
    return str(field.value) if field is not None and field.value else ""


def _row(shots: Sequence[Reading]) -> str:
    others = " ".join(shot.photo for shot in shots[1:])
    return "\t".join((shots[0].photo, _name(shots), str(len(shots)), others)) + "\n"


def _table(graves: Sequence[Sequence[Reading]]) -> Table:
    table = Table("best shot", "name", "shots", "others", show_edge=False, header_style="bold", pad_edge=False)
    for shots in graves:
        others = Text("\n".join(shot.photo for shot in shots[1:]))
        table.add_row(Text(shots[0].photo), Text(_name(shots)), str(len(shots)), others)
    return table
