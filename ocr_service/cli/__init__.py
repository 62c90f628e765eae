"""The ``headstone`` command. Each subcommand is a module; heavy imports wait until a command needs them.

Exit codes, the same for every command:

    0    everything was done
    1    done, but some photos could not be read or sent (the reasons are in the results), or a check found a problem
    2    the command was not understood or cannot be carried out as it stands
    3    a model bundle or engine is missing or damaged
    4    results could not be written (disk full, no permission)
    130  interrupted; what was finished is kept, the same command goes on from there
"""

from __future__ import annotations

import sys
from io import TextIOWrapper

import typer
from rich.console import Console

from ocr_service.cli import backup, demo, doctor, evaluate, export_lines, group, migrate, parse, read, serve, upload
from ocr_service.errors import BundleError, EngineError, HeadstoneError, StorageError

EXIT_CODES = """Exit codes: 0 done · 1 some photos could not be read or sent, or a check found a problem · 2 wrong usage
· 3 model bundle or engine missing · 4 results could not be written
· 130 interrupted (what was finished is kept; run the same command to go on)."""

app = typer.Typer(
    name="headstone",
    help="Read photos of Vietnamese martyrs' headstones into verified, searchable records.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.command("read")(read.read)
app.command("group")(group.group)
app.command("parse")(parse.parse)
app.command("serve")(serve.serve)
app.command("upload")(upload.upload)
app.command("doctor")(doctor.doctor)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("migrate")(migrate.migrate)
app.command("evaluate")(evaluate.evaluate)
app.command("export-lines")(export_lines.export_lines)
app.command("demo")(demo.demo)


def exit_code(error: HeadstoneError) -> int:
    """Return the exit code that stands for an error."""
    if isinstance(error, BundleError | EngineError):
        return 3
    return 4 if isinstance(error, StorageError) else 2


def main() -> None:
    """Run the command line; errors raised on purpose end as one line on standard error and an exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # Vietnamese text must survive whatever locale a server has
    try:
        app()
    except HeadstoneError as error:
        Console(stderr=True).print(f"headstone: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(exit_code(error))
