"""``headstone read``: photos in, readings out."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ocr_service.cli.options import BundleOption, DeviceOption, EngineOption, ProfileOption
from ocr_service.cli.output import OutputFormat, print_readings
from ocr_service.records import Context, Reading, ReadingStatus
from ocr_service.settings import Settings, load_settings

if TYPE_CHECKING:
    from ocr_service.data_folder import DataFolder
    from ocr_service.journal import Journal

messages = Console(stderr=True)


@contextlib.contextmanager
def stop_on_interrupt(what_follows: str = "finishing the photos in work") -> Iterator[threading.Event]:
    """Hand out an event that the first Ctrl-C or SIGTERM sets; a second one ends the process at once."""
    stop = threading.Event()

    def handle(number: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)
        messages.print(f"\n{what_follows}; press Ctrl-C again to stop at once", style="yellow")

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def read_all(
    paths: list[Path],
    journal: Journal | None,
    folder: DataFolder | None,
    settings: Settings,
    *,
    workers: int,
    context: Context,
) -> tuple[list[Reading], bool]:
    """Read all photos below ``paths``; each goes to the journal and the data folder as soon as it is finished.

    Returns the readings in the order of the photos, and whether the run was interrupted.
    """
    from ocr_service import batch
    from ocr_service.reading import check_reader

    bundle_id = check_reader(settings.bundle, profile=settings.profile, engine=settings.engine)
    files = batch.find_photos(paths)
    path_of = {file.name: file.path for file in files}
    plan = batch.plan(files, journal.readings if journal else {}, bundle_id)
    results: dict[str, Reading] = {}

    def keep(reading: Reading) -> None:
        results[reading.photo] = reading
        if journal and journal.readings.get(reading.photo) != reading:
            journal.append(reading)
        if folder:
            folder.add(reading, path_of[reading.photo], context)

    for reading in plan.done:
        keep(reading)
    if plan.done:
        messages.print(f"{len(plan.done)} of {len(files)} photos were read before and are left as they are")
    columns = (
        TextColumn("reading"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with (
        stop_on_interrupt() as stop,
        Progress(*columns, console=messages) as progress,
    ):
        bar = progress.add_task("reading", total=len(plan.todo))
        for reading in batch.read_files(
            plan.todo, settings, bundle_id=bundle_id, workers=workers, context=context, stop=stop
        ):
            keep(reading)
            progress.advance(bar)
        interrupted = stop.is_set() and len(results) < len(files)
    return [results[file.name] for file in files if file.name in results], interrupted


def summarise(readings: list[Reading], interrupted: bool) -> int:
    """Print one closing line for people and return the exit code."""
    from ocr_service.reading.outcome import needs_rephotograph

    rejected = sum(reading.status is ReadingStatus.REJECTED for reading in readings)
    messages.print(f"{len(readings) - rejected} photos read, {rejected} rejected", highlight=False)
    if again := sum(map(needs_rephotograph, readings)):
        messages.print(f"{again} to be photographed again: text was lost (flag needs_rephotograph)", style="yellow")
    if interrupted:
        messages.print("interrupted: what was finished is kept; the same command goes on from there", style="yellow")
        return 130
    return 1 if rejected else 0


def default_workers() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0))


def read(
    paths: Annotated[
        list[Path], typer.Argument(help="Photos, or folders that are searched for photos.", metavar="PATH…")
    ],
    jsonl: Annotated[
        Path | None,
        typer.Option(
            help="Write one JSON object a photo. A run that finds the file goes on where the last one stopped."
        ),
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write a table for spreadsheet programs.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Put photos and readings into this data folder; `headstone serve --data` shows them for verification."
        ),
    ] = None,
    output: Annotated[OutputFormat, typer.Option("--output", "-o", help="What to print.")] = OutputFormat.AUTO,
    bundle: BundleOption = None,
    profile: ProfileOption = None,
    engine: EngineOption = None,
    device: DeviceOption = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes to read with.", show_default="one a core")
    ] = None,
    cemetery: Annotated[str | None, typer.Option(help="Cemetery the photos are from.")] = None,
    province: Annotated[
        str | None, typer.Option(help="Province of the cemetery; helps with abbreviated place names.")
    ] = None,
) -> None:
    """Read photos of headstones: find the text, recognise it, and take name, dates, hometown and unit from it.

    Every photo ends as a reading or as a rejection with its reason. Results are written as soon as a photo is finished;
    stop the command at any time and run it again to go on.

    Examples: `headstone read photos/ --jsonl out.jsonl --csv out.csv` · `headstone read one.jpg -o json`
    """
    from ocr_service.data_folder import DataFolder
    from ocr_service.journal import Journal
    from ocr_service.spreadsheet import write_csv

    settings = load_settings(bundle=bundle, profile=profile, engine=engine, device=device)
    context = Context(cemetery=cemetery, cemetery_province=province)
    if data and not jsonl:
        jsonl = data / "readings.jsonl"  # what is finished must outlive a kill, so a data folder keeps a journal too
    with contextlib.ExitStack() as stack:
        journal = stack.enter_context(Journal(jsonl)) if jsonl else None
        folder = stack.enter_context(DataFolder(data)) if data else None
        readings, interrupted = read_all(
            paths, journal, folder, settings, workers=workers or default_workers(), context=context
        )
    if csv:
        write_csv(csv, readings)
    print_readings(readings, output.resolve())
    raise typer.Exit(summarise(readings, interrupted))
