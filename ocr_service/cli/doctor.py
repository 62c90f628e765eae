"""``headstone doctor``: what the service depends on, and what to fix."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from ocr_service.cli.options import BundleOption, DeviceOption, EngineOption, ProfileOption
from ocr_service.cli.output import console, emit
from ocr_service.settings import load_settings


def doctor(
    data: Annotated[
        Path | None,
        typer.Option(help="Data folder of the embedded store.", show_default="HEADSTONE_DATA_DIR, headstone-data"),
    ] = None,
    bundle: BundleOption = None,
    profile: ProfileOption = None,
    engine: EngineOption = None,
    device: DeviceOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a finding, for programs.")] = False,
) -> None:
    """Check the installation as it is set up here: everything that it depends on, and what to fix.

    Reads one sample photo with the chosen reader, and puts one small object into the store. Exit code 1 where something
    is broken; warnings do not count.

    Example: `headstone doctor --data records/`
    """
    from ocr_service.operations.doctor import examine
    from ocr_service.operations.findings import Health

    settings = load_settings(data_dir=data, bundle=bundle, profile=profile, engine=engine, device=device)
    findings = list(examine(settings))
    if as_json:
        for finding in findings:
            emit(json.dumps(dataclasses.asdict(finding), ensure_ascii=False) + "\n")
    else:
        styles = {Health.OK: "green", Health.WARNING: "yellow", Health.BROKEN: "bold red"}
        table = Table(show_edge=False, header_style="bold", pad_edge=False)
        for column in ("check", "", "seen", "what to do"):
            table.add_column(column, overflow="fold")
        for finding in findings:
            table.add_row(
                Text(finding.check), Text(finding.health, styles[finding.health]), Text(finding.seen), Text(finding.fix)
            )
        console().print(table)
    raise typer.Exit(int(any(finding.health is Health.BROKEN for finding in findings)))
