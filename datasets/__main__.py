"""``python -m datasets``: the sample pack, training lines as files, the validation set."""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from pathlib import Path

import cv2

from datasets.lines import LineSource
from datasets.manifest import dump_lines
from datasets.pack import SAMPLES_DIR, contact_sheet, write_pack
from datasets.validation import write_validation


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m datasets", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    samples = commands.add_parser("samples", help="render the sample pack and contact sheets of stones and lines")
    samples.add_argument("--folder", type=Path, default=SAMPLES_DIR, help="where the photographs go")
    samples.add_argument("--out", type=Path, default=Path("out"), help="where the contact sheets go")
    lines = commands.add_parser("lines", help="write training crops with a label file in PaddleOCR's format")
    lines.add_argument("folder", type=Path)
    lines.add_argument("--count", type=int, default=1000)
    lines.add_argument("--seed", type=int, default=1)
    lines.add_argument("--held-out", action="store_true", help="fonts and surfaces that training never sees")
    validation = commands.add_parser("validation", help="write the held-out validation set")
    validation.add_argument("folder", type=Path)
    validation.add_argument("--lines", type=int, default=1000)
    validation.add_argument("--stones", type=int, default=40)
    return parser


def main() -> None:
    """Run one of the commands."""
    arguments = _parser().parse_args()
    if arguments.command == "samples":
        count = write_pack(arguments.folder, arguments.out / "samples.png")
        crops = [crop for crop, _ in islice(iter(LineSource(1)), 240)]
        cv2.imwrite(str(arguments.out / "lines.png"), contact_sheet(crops, row_height_px=48, width_px=1600))
        sys.stdout.write(f"{count} photographs in {arguments.folder}, contact sheets in {arguments.out}\n")
    elif arguments.command == "lines":
        source = iter(LineSource(arguments.seed, held_out=arguments.held_out))
        sys.stdout.write(f"{dump_lines(source, arguments.count, arguments.folder)}\n")
    else:
        write_validation(arguments.folder, arguments.lines, arguments.stones)
        sys.stdout.write(f"{arguments.folder}\n")


if __name__ == "__main__":
    main()
