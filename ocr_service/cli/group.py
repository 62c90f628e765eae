"""``headstone group``: readings of photos in, graves out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ocr_service.cli.output import OutputFormat, console, emit
from ocr_service.contract import field_to_json, quad_to_json, reading_from_json
from ocr_service.errors import UsageError
from ocr_service.records import Context, Reading

if TYPE_CHECKING:
    from ocr_service.fields.decodes import DecodeTable


def group(
    readings: Annotated[
        Path,
        typer.Argument(help="What `headstone read --jsonl` wrote.", metavar="READINGS", exists=True, dir_okay=False),
    ],
    cemetery: Annotated[str | None, typer.Option(help="Cemetery the photos are from, as given to `read`.")] = None,
    province: Annotated[str | None, typer.Option(help="Province of the cemetery, as given to `read`.")] = None,
    output: Annotated[OutputFormat, typer.Option("--output", "-o", help="What to print.")] = OutputFormat.AUTO,
) -> None:
    """Tell which photos show one grave: same text, taken one after the other (in the order of their names).

    Each grave has a best shot; the others stay attached, and a line that was read in several shots counts by its surest
    reading. Stones that say nothing of their own, as those of the unknown, are never joined by their text.

    Example: `headstone group out.jsonl -o json > graves.jsonl`
    """
    from ocr_service.fields.decodes import DecodeTable, read_decodes
    from ocr_service.reading.shots import group_shots
    from ocr_service.settings import load_settings

    context = Context(cemetery=cemetery, cemetery_province=province)
    settings = load_settings()
    codes = read_decodes(settings.decodes) if settings.decodes else DecodeTable()
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
        if wanted is OutputFormat.JSON:
            emit(json.dumps(grave_to_json(shots, context, codes), ensure_ascii=False) + "\n")
        else:
            emit(_row(shots))


def grave_to_json(shots: Sequence[Reading], context: Context, decodes: DecodeTable) -> dict[str, Any]:
    """One grave of the contract; the best shot comes first."""
    from ocr_service.reading.shots import merge_lines, merge_records

    merged = merge_lines([shot.lines for shot in shots])
    record = merge_records(shots, [one.line for one in merged], context, decodes)
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
