"""``headstone export-lines``: what people have verified, as lines that a reader can learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ocr_service.cli.output import emit
from ocr_service.cli.read import stop_on_interrupt
from ocr_service.errors import UsageError
from ocr_service.settings import load_settings

messages = Console(stderr=True)


def export_lines(
    out: Annotated[Path, typer.Argument(help="Folder for the crops and their labels.", metavar="OUT")],
    data: Annotated[
        Path | None,
        typer.Option(help="Data folder with the verified records.", show_default="HEADSTONE_DATA_DIR, headstone-data"),
    ] = None,
) -> None:
    """Export verified lines for training: each as a crop, cut as the reader cuts it, with the text that stands there.

    A line is exported where verified fields vouch for all of its words, with the corrections that were made; all others
    are left out and counted. Photos with data of living people are left out whole. Run it again at any time: OUT then
    holds what is verified now. The crops show real graves: keep them where the photos are kept.

    Example: `headstone export-lines verified/ --data records/`, then `python -m models.training.train --verified
    verified/labels.txt …`
    """
    from ocr_service.database import open_database
    from ocr_service.database.types import utc_now
    from ocr_service.exports import export_lines
    from ocr_service.storage import open_store

    settings = load_settings(data_dir=data)
    if not settings.data_dir.is_dir():
        raise UsageError(f"{settings.data_dir} does not exist; name the data folder with --data")
    database = open_database(settings.resolved_database_url)
    try:
        with stop_on_interrupt() as stop, database.reading() as session:
            done = export_lines(
                session,
                open_store(settings),
                out,
                source=settings.data_dir,
                by=settings.reviewer,
                now=utc_now(),
                is_stopped=stop.is_set,
            )
    finally:
        database.close()
    if not done.finished:
        messages.print("interrupted: what was cut is kept; the same command goes on from there", style="yellow")
        raise typer.Exit(130)
    emit(f"{done.lines} lines of {done.photos} photos exported: {done.labels}\n")
    emit(f"{sum(done.left_out.values())} lines left out\n")
    for reason, count in sorted(done.left_out.items(), key=lambda entry: -entry[1]):
        emit(f"{count:>8}  {reason.value}\n")
    for name in done.broken:
        messages.print(f"not there or not readable: {name}", style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1 if done.broken else 0)
