"""Label files in PaddleOCR's format: one line a crop, its path relative to the file, a tab, its text.

Others can train on what this project renders, and this project on what others have labelled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2

from datasets.textures import Image


@dataclass(frozen=True, slots=True)
class Label:
    """One crop's path, relative to the label file, and its text."""

    path: PurePosixPath
    text: str


def format_label(label: Label) -> str:
    """One line of a label file, without its end; raises ValueError where tabs or line breaks would tear it."""
    line = f"{label.path}\t{label.text}"
    if line.count("\t") != 1 or len(line.splitlines()) != 1:
        raise ValueError(f"A label holds no tabs or line breaks: {line!r}. Clean the text or rename the file.")
    return line


def parse_label(line: str) -> Label:
    """The label that ``format_label`` wrote; raises ValueError if there is no tab."""
    path, tab, text = line.rstrip("\r\n").partition("\t")
    if not tab:
        raise ValueError(f"A label line is PATH<tab>TEXT, this one has no tab: {line!r}")
    return Label(PurePosixPath(path), text)


def write_manifest(path: Path, labels: Iterable[Label]) -> None:
    """Write a label file (UTF-8, one line a crop)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(format_label(label) + "\n" for label in labels), encoding="utf-8")


def read_manifest(path: Path) -> list[Label]:
    """Read a label file; empty lines are passed over."""
    # Only \n ends a line: a text may hold other characters that splitlines would break at.
    return [parse_label(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def dump_lines(lines: Iterator[tuple[Image, str]], count: int, folder: Path, name: str = "rec_gt.txt") -> Path:
    """Write ``count`` crops as PNG below ``folder/crops`` and their label file; returns the label file's path."""
    crops = folder / "crops"
    crops.mkdir(parents=True, exist_ok=True)
    labels = []
    for index in range(count):
        crop, text = next(lines)
        label = Label(PurePosixPath("crops") / f"{index:06d}.png", text)
        cv2.imwrite(str(folder / label.path), crop)
        labels.append(label)
    write_manifest(folder / name, labels)
    return folder / name
