"""``headstone backup`` and ``headstone restore``: database and photos, out and back in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ocr_service.settings import load_settings

messages = Console(stderr=True)

DataOption = Annotated[
    Path | None,
    typer.Option(help="Data folder of the embedded store.", show_default="HEADSTONE_DATA_DIR, headstone-data"),
]


def backup(
    target: Annotated[Path, typer.Argument(help="Folder of the backups; photos that it has are not copied again.")],
    data: DataOption = None,
    verify: Annotated[
        bool, typer.Option(help="Then restore the database into a scratch place, and read every photo of the backup.")
    ] = False,
) -> None:
    """Back up the database and the photos while the service runs.

    Exit code 1 where photos are missing or a drill found a difference; the backup holds everything else.

    Example: `headstone backup /mnt/backups --verify`
    """
    from ocr_service.operations.backup import back_up
    from ocr_service.operations.restore import drill
    from ocr_service.storage import open_store

    settings = load_settings(data_dir=data)
    made = back_up(settings.resolved_database_url, open_store(settings), target)
    manifest = made.manifest
    messages.print(
        f"{made.folder}: {manifest.facts.rows['photos']} photos, {manifest.facts.rows['records']} records, "
        f"{manifest.facts.audit_length} decisions, {manifest.objects} objects of {manifest.objects_bytes} bytes",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    problems: tuple[str, ...] = tuple(
        f"object {sha256} is missing or damaged in the store" for sha256 in manifest.missing
    )
    if verify:
        problems = drill(made.folder, settings.resolved_database_url).problems
        messages.print("drill: restored and compared" if not problems else "drill: not the same", highlight=False)
    _tell(problems)


def restore(
    source: Annotated[Path, typer.Argument(help="Folder of the backups, or one backup in it.")],
    data: DataOption = None,
) -> None:
    """Restore the newest backup, or the one named, into an empty database and a store.

    Database and store are those of the settings; the database must be new. Run it again where it was cut short.

    Example: `HEADSTONE_DATA_DIR=/srv/new headstone restore /mnt/backups`
    """
    from ocr_service.operations import restore as restoring
    from ocr_service.operations.backup import newest
    from ocr_service.operations.manifest import FILE_NAME
    from ocr_service.storage import open_store

    settings = load_settings(data_dir=data)
    folder = source if (source / FILE_NAME).exists() else newest(source)
    restored = restoring.restore(folder, settings.resolved_database_url, open_store(settings))
    rows = restored.manifest.facts.rows
    messages.print(
        f"restored {folder}: {rows['photos']} photos, {rows['records']} records, "
        f"{restored.manifest.facts.audit_length} decisions",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    _tell(restored.problems)


def _tell(problems: tuple[str, ...]) -> None:
    for problem in problems:
        messages.print(problem, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1 if problems else 0)
