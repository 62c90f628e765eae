"""``headstone parse``: inscription text in, facts out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.table import Table
from rich.text import Text

from ocr_service.cli.output import OutputFormat, console, emit
from ocr_service.errors import UsageError
from ocr_service.fields import Inscription, context_from_json, parse_text
from ocr_service.fields.decodes import DecodeTable, read_decodes


def _objects(stream: BinaryIO) -> Iterator[Mapping[str, Any]]:
    for number, data in enumerate(stream, 1):
        try:
            line = data.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            item = json.loads(line) if line else None
        except UnicodeDecodeError as error:
            raise UsageError(f"line {number} is not UTF-8; save the file as UTF-8") from error
        except ValueError as error:
            raise UsageError(
                f'line {number} is not JSON ({error}); write {{"text": "line\\nline"}}, one a line'
            ) from error
        if not line:
            continue
        if not isinstance(item, dict) or not isinstance(item.get("text"), str):
            raise UsageError(f'line {number} has no "text"; write {{"text": "line\\nline", "ctx": {{…}}}}, one a line')
        if not isinstance(item.get("ctx", {}), dict):
            raise UsageError(
                f'line {number}: "ctx" must be an object, for example {{"cemetery_province": "Đồng Tháp"}}'
            )
        yield item


def _well_formed(text: str) -> str:
    """Return ``text`` with halves of surrogate pairs, which JSON can spell but UTF-8 cannot, as U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


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
    decodes: Annotated[
        Path | None,
        typer.Option(
            help="Decoded unit codes: a CSV file with the columns code, from, to, place, meaning, source.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    output: Annotated[
        OutputFormat, typer.Option("--output", "-o", help="What to print for a single text.")
    ] = OutputFormat.AUTO,
) -> None:
    """Take the facts from the text of an inscription: name, dates, hometown, unit and the rest.

    Examples: `headstone parse "LIỆT SĨ / ĐẶNG VĂN MẪU / HS: 12-5-68"` ·
    `headstone parse --jsonl < inscriptions.jsonl > facts.jsonl`
    """
    table = read_decodes(decodes) if decodes else DecodeTable()
    if jsonl:
        for item in _objects(sys.stdin.buffer):
            facts = parse_text(_well_formed(item["text"]), context_from_json(item.get("ctx", {})), table).flat()
            emit(_to_json(facts) + "\n")
        return
    if text is None:
        text = sys.stdin.buffer.read().decode("utf-8-sig", "replace")
    inscription = parse_text(text.replace(" / ", "\n"), decodes=table)
    if output.resolve() is OutputFormat.TABLE:
        _show(inscription)
    else:
        emit(_to_json(inscription.flat()) + "\n")
