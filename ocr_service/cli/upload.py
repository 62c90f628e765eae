"""``headstone upload``: a collector's folder of photos to the service, over whatever line there is."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ocr_service.cli.output import OutputFormat
from ocr_service.errors import UsageError

messages = Console(stderr=True)

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def upload(
    folder: Annotated[Path, typer.Argument(help="Folder of photos; its subfolders are searched.", metavar="DIR")],
    server: Annotated[
        str, typer.Option(envvar="HEADSTONE_SERVER", help="Address of the service: https://headstone.example.vn")
    ],
    cemetery: Annotated[str | None, typer.Option(help="Cemetery the photos are from.")] = None,
    province: Annotated[str | None, typer.Option(help="Province of the cemetery.")] = None,
    commune: Annotated[str | None, typer.Option(help="Commune of the cemetery.")] = None,
    collector: Annotated[str | None, typer.Option(help="Who took the photos.")] = None,
    device: Annotated[str | None, typer.Option(help="Camera or phone; EXIF says it where this does not.")] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="CSV or XLSX list of files with plot, cemetery, date …; checked before anything is sent."),
    ] = None,
    only_listed: Annotated[
        bool, typer.Option("--only-listed", help="Send only files that the manifest lists.")
    ] = False,
    parallel: Annotated[int, typer.Option(min=1, max=32, help="Files sent at once.")] = 4,
    limit: Annotated[
        str | None, typer.Option(help="Bytes a second for all photos together, as 200k or 1.5M.", show_default="none")
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Name of the batch.", show_default="the cemetery, the folder")
    ] = None,
    batch_key: Annotated[
        str | None,
        typer.Option(help="Name that finds the batch again from another machine.", show_default="from the folder"),
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Number of a batch that is there already.")] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(
            help="File that holds the API key, which never goes on a command line.", show_default="HEADSTONE_API_KEY"
        ),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Send the key without TLS (http://), where nobody can listen.")
    ] = False,
    give_up_after: Annotated[
        str | None,
        typer.Option(help="End when nothing went through for so long, as 30m, 12h or 2d.", show_default="never"),
    ] = None,
    tar: Annotated[
        bool, typer.Option("--tar", help="Send archives of some hundred files; for a service on the same network.")
    ] = False,
    withdraw_missing: Annotated[
        bool,
        typer.Option("--withdraw-missing", help="Tell the service that files it waits for, gone from DIR, won't come."),
    ] = False,
    journal: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the journal, the receipt and the list of problems.", show_default="the user's state folder"
        ),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the list of problems here too (CSV).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    output: Annotated[OutputFormat, typer.Option("--output", "-o", help="What to print.")] = OutputFormat.AUTO,
) -> None:
    """Hand a folder of photos in, as often as the line breaks: what the server has is never sent again.

    Run it again at any time, after an interruption, a power cut or with new photos in the folder: it goes on where it
    was. Files that cannot be taken are listed with their reasons and the others go on. At the end the server's receipt
    is held against the folder and kept beside the journal.

    Example: `headstone upload /media/card --server https://headstone.example.vn --cemetery "NTLS xã Tân Phú"
    --manifest plots.xlsx --limit 200k`
    """
    from ocr_service.cli.upload_display import carry_out, show_plan
    from ocr_service.upload import Task, plan_upload
    from ocr_service.upload.bandwidth import parse_rate
    from ocr_service.upload.columns import FileFacts

    if batch_key and batch:
        raise UsageError("--batch-key and --batch both say which batch it is; give one of them")
    if only_listed and manifest is None:
        raise UsageError("--only-listed needs a list: give --manifest")
    task = Task(
        folder=folder,
        server=server,
        api_key=_api_key(key_file),
        facts=FileFacts(
            cemetery=_text("cemetery", cemetery),
            province=_text("province", province),
            commune=_text("commune", commune),
            collector=_text("collector", collector),
            device=_text("device", device),
        ),
        label=_text("label", label),
        key=_batch_key(batch_key),
        batch_id=batch,
        manifest=manifest,
        only_listed=only_listed,
        state_dir=journal,
        threads=parallel,
        bytes_per_s=None if limit is None else parse_rate(limit),
        give_up_after_s=None if give_up_after is None else _seconds(give_up_after),
        as_tar=tar,
        withdraw_missing=withdraw_missing,
        allow_plain_http=insecure,
    )
    plan = plan_upload(task, now=datetime.now())
    if dry_run:
        show_plan(plan, output)
        return
    raise typer.Exit(carry_out(plan, output, report))


def _api_key(key_file: Path | None) -> str | None:
    """The key of a file or of the environment; None where there is none, as on one's own machine."""
    if key_file is not None:
        try:
            key = key_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"the key file {key_file} cannot be read: {error}") from error
    else:
        key = os.environ.get("HEADSTONE_API_KEY", "").strip()
        if not key:
            return None
    if not (key.isascii() and key.isprintable() and " " not in key and key):
        where = f"the key file {key_file}" if key_file else "HEADSTONE_API_KEY"
        raise UsageError(f"{where} does not hold an API key; it is one word, as python -m api.keys made it")
    return key


def _batch_key(key: str | None) -> str | None:
    if key is not None and not re.fullmatch(r"[\x21-\x7e]{1,64}", key):
        raise UsageError("--batch-key takes up to 64 letters, digits and signs without marks and spaces")
    return key


def _text(name: str, value: str | None) -> str | None:
    from ocr_service.upload.columns import text_value

    try:
        return text_value(value) or None if value is not None else None
    except ValueError as error:
        raise UsageError(f"--{name} {error}") from error


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise UsageError(f"--give-up-after {text!r} is no time; write it as 30m, 12h or 2d")
    return float(match[1]) * _SECONDS[match[2]]
