"""docs/upload.md names what there is."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from ocr_service.cli.upload import upload
from ocr_service.states import FileState
from ocr_service.upload.columns import Column, column_of

DOCUMENT = (Path(__file__).parents[3] / "docs" / "upload.md").read_text("utf-8")


@pytest.mark.parametrize("state", FileState)
def test_every_state_is_explained(state: FileState) -> None:
    assert f"`{state}`" in DOCUMENT


def test_every_option_is_named() -> None:
    app = typer.Typer(add_completion=False)
    app.command()(upload)
    options = {name for parameter in typer.main.get_command(app).params for name in parameter.opts}
    assert {"--limit", "--manifest"} <= options
    assert {name for name in options if name.startswith("--") and name not in DOCUMENT} <= {"--help", "--output"}


def test_every_column_of_the_table_is_understood_and_none_is_missing() -> None:
    table = DOCUMENT.split("| Cột |")[1].split("\n\n")[0].splitlines()[2:]
    named = set()
    for line in table:
        first, also = (cell.strip() for cell in line.strip("|").split("|")[:2])
        for heading in [part.strip(" `") for part in f"{first},{also}".split(",")]:
            column = column_of(heading) if heading else None
            assert column is not None or not heading, heading
            named.add(column)
    assert named - {None} == set(Column)
