"""``headstone demo``: the sample photos from files to verification pages."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from ocr_service.cli.options import BundleOption, DeviceOption, EngineOption, ProfileOption
from ocr_service.cli.output import OutputFormat, print_readings
from ocr_service.cli.read import default_workers, messages, read_all, summarise
from ocr_service.cli.serve import check_port, run_service
from ocr_service.records import Context
from ocr_service.settings import load_settings


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results and the demo's data.")] = Path("out/demo"),
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the verification pages afterwards.")] = True,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the pages on 127.0.0.1.")] = 8000,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes to read with.", show_default="one a core")
    ] = None,
    bundle: BundleOption = None,
    profile: ProfileOption = None,
    engine: EngineOption = None,
    device: DeviceOption = None,
) -> None:
    """Read the sample photos of the project, show the results, write them as JSONL and CSV, and serve the pages.

    The photos are rendered and the persons on them invented. Decisions made on the pages are kept between runs.
    """
    import datasets
    from ocr_service.data_folder import DataFolder
    from ocr_service.journal import Journal
    from ocr_service.spreadsheet import write_csv

    chosen = {"bundle": bundle, "profile": profile, "engine": engine, "device": device}
    settings = load_settings(**chosen)
    if serve:
        check_port("127.0.0.1", port)  # before the work, not after it
    samples = Path(datasets.__file__).parent / "samples"
    jsonl, csv, data = out / "results.jsonl", out / "results.csv", out / "data"
    with contextlib.suppress(FileNotFoundError):
        jsonl.unlink()  # a demo shows the reading, so it reads anew; the data folder keeps what people decided
    with Journal(jsonl) as journal, DataFolder(data) as folder:
        readings, interrupted = read_all(
            [samples], journal, folder, settings, workers=workers or default_workers(), context=Context()
        )
    write_csv(csv, readings)
    print_readings(readings, OutputFormat.TABLE)
    code = summarise(readings, interrupted)
    messages.print(f"results: {jsonl} and {csv}", highlight=False)
    if serve and not interrupted:
        run_service(data_dir=data, host="127.0.0.1", port=port, **chosen)
    raise typer.Exit(code)
