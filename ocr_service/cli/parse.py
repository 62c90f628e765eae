"""``headstone parse``: inscription text in, facts out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TextIO

import typer
from rich.table import Table
from rich.text import Text

from ocr_service.cli.output import OutputFormat, console
from ocr_service.errors import UsageError
from ocr_service.fields import Inscription, context_from_json, parse_text


def _objects(stream: TextIO) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except ValueError as error:
            raise UsageError(
                f'line {number} is not JSON ({error}); write {{"text": "line\\nline"}}, one a line'
            ) from error
        if not isinstance(item, dict) or not isinstance(item.get("text"), str):
            raise UsageError(f'line {number} has no "text"; write {{"text": "line\\nline", "ctx": {{…}}}}, one a line')
        if not isinstance(item.get("ctx", {}), dict):
            raise UsageError(
                f'line {number}: "ctx" must be an object, for example {{"cemetery_province": "Đồng Tháp"}}'
            )
        yield item


def _to_json(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def _show(inscription: Inscription) -> None:
    table = Table("field", "value", "as cut", "flags", show_edge=False, pad_edge=False)
    for name, field in inscription.record.items():
        if field.value in (None, "", [], {}) and not field.raw:
            continue
        value = field.value if isinstance(field.value, str) else _to_json(field.value)
        table.add_row(Text(name), Text(value), Text(field.raw or ""), Text(" ".join(field.flags)))
    console().print(table)


def parse(
    text: Annotated[
        str | None,
        typer.Argument(help="The inscription; `/` or a line break between lines. Without it: standard input."),
    ] = None,
    jsonl: Annotated[
        bool,
        typer.Option(
            "--jsonl", help='Read {"text": …, "ctx": {…}} objects, one a line; write one flat object for each.'
        ),
    ] = False,
    output: Annotated[
        OutputFormat, typer.Option("--output", "-o", help="What to print for a single text.")
    ] = OutputFormat.AUTO,
) -> None:
    """Take the facts from the text of an inscription: name, dates, hometown, unit and the rest.

    Examples: `headstone parse "LIỆT SĨ / ĐẶNG VĂN MẪU / HS: 12-5-68"` ·
    `headstone parse --jsonl < inscriptions.jsonl > facts.jsonl`
    """
    if jsonl:
        for item in _objects(sys.stdin):
            facts = parse_text(item["text"], context_from_json(item.get("ctx", {}))).flat()
            sys.stdout.write(_to_json(facts) + "\n")
        return
    if text is None:
        text = sys.stdin.read()
    inscription = parse_text(text.replace(" / ", "\n"))
    if output.resolve() is OutputFormat.TABLE:
        _show(inscription)
    else:
        sys.stdout.write(_to_json(inscription.flat()) + "\n")
