"""``headstone evaluate``: readers against photos with known truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ocr_service.cli.options import BundleOption, DeviceOption, ProfileOption
from ocr_service.cli.output import console, emit
from ocr_service.errors import StorageError
from ocr_service.settings import load_settings

messages = Console(stderr=True)


def evaluate(
    truth_dir: Annotated[Path, typer.Argument(help="Folder of photos with truth files.", metavar="TRUTH_DIR")],
    engine: Annotated[
        list[str] | None,
        typer.Option(
            "--engine",
            "-e",
            help="What to measure; repeat it for several. Ours: `ours`, `ours-fast` (the fast profile), `ours-torch`, "
            "`ours-paddleocr` (on these engines). Others: `rapidocr`, `asterocr`, `tesseract`.",
            show_default="ours and all others",
        ),
    ] = None,
    min_width: Annotated[int, typer.Option(min=0, help="Leave out photos that are narrower, in pixels.")] = 0,
    bundle: BundleOption = None,
    profile: ProfileOption = None,
    device: DeviceOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
    out: Annotated[Path | None, typer.Option(help="Also write the JSON object to this file.")] = None,
) -> None:
    """Measure how well photos are read: character errors, exact lines, fields, and seconds a photo.

    TRUTH_DIR holds photos with a JSON file of the same name beside each (`lines`, `truth`, `line_quads`), or one
    `transcriptions.json` for all. Character errors are counted with and without tone marks; truth lines are paired with
    read lines by least edit distance, an unread line costs its whole length, false lines are counted apart. All engines
    read the same photos in one run, so their ratios hold on any machine.

    Examples: `headstone evaluate datasets/samples` · `headstone evaluate photos/ -e ours -e ours-torch --json`
    """
    from ocr_service import evaluation
    from ocr_service.reading import check_reader

    photos = evaluation.load_truth(truth_dir, min_width)
    engines = engine or evaluation.USUAL_PEERS
    settings = load_settings(bundle=bundle, profile=profile, device=device)
    check_reader(settings.bundle, profile=settings.profile)  # before others are measured for minutes
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=messages, transient=True) as progress:
        bar = progress.add_task("reading", total=len(photos) * len(engines))
        scores = evaluation.evaluate(
            photos,
            engines,
            settings,
            on_photo=lambda name, photo: progress.update(bar, advance=1, description=f"{name} {photo}"),
        )
    result = json.dumps(evaluation.to_json(scores, truth_dir), ensure_ascii=False, indent=2)
    if out:
        try:
            out.write_text(result + "\n", encoding="utf-8")
        except OSError as error:
            raise StorageError(f"cannot write {out}: {error.strerror}") from error
    if as_json:
        emit(result + "\n")
        return
    for table in evaluation.tables(scores, title=f"{truth_dir} ({len(photos)} photos)"):
        console().print(table)
