"""The course of a run as a table, and the curves drawn from it."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import cv2
import numpy as np

COURSE = "course.csv"
CURVES = "curves.png"


@dataclass(frozen=True, slots=True)
class Moment:
    """One validation: where the run stood and what it scored; shares between 0 and 1."""

    elapsed_s: float
    step: int
    lines: int
    lines_a_second: float
    loss: float
    rate: float
    cer: float
    bare_cer: float
    exact_share: float


def record(folder: Path, moment: Moment) -> None:
    """Append a moment to the table and draw the curves again."""
    path = folder / COURSE
    is_new = not path.is_file()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Moment)])
        if is_new:
            writer.writeheader()
        writer.writerow(asdict(moment))
    cv2.imwrite(str(folder / CURVES), draw_curves(read_course(folder)))


def read_course(folder: Path) -> list[Moment]:
    """Every moment that a run has recorded, oldest first."""
    with (folder / COURSE).open(newline="", encoding="utf-8") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return [Moment(**{**row, "step": int(row["step"]), "lines": int(row["lines"])}) for row in rows]  # type: ignore[arg-type]


def draw_curves(course: list[Moment], width_px: int = 900, height_px: int = 420) -> np.ndarray:
    """Character errors (red), with marks ignored (blue), and training loss (grey) over time, each in its own scale."""
    canvas = np.full((height_px, width_px, 3), 255, np.uint8)
    left, right, top, bottom = 60, width_px - 20, 40, height_px - 40
    cv2.rectangle(canvas, (left, top), (right, bottom), (200, 200, 200), 1)
    last_s = max(course[-1].elapsed_s, 1.0)
    error_top = max(max(moment.cer for moment in course[1:] or course), 1e-3)
    learnt = [moment for moment in course if moment.loss > 0]  # the first validation of a session has no loss yet
    loss_top = max((moment.loss for moment in learnt), default=1.0)
    series = (
        ("loss", learnt, [moment.loss / loss_top for moment in learnt], (170, 170, 170)),
        ("errors, marks ignored", course, [moment.bare_cer / error_top for moment in course], (200, 90, 30)),
        ("character errors", course, [moment.cer / error_top for moment in course], (30, 30, 200)),
    )
    for place, (name, moments, heights, colour) in enumerate(series):
        x = [left + (right - left) * moment.elapsed_s / last_s for moment in moments]
        y = [bottom - (bottom - top) * min(height, 1.0) for height in heights]
        points = np.array([x, y], dtype=float).T.round().astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(canvas, [points], isClosed=False, color=colour, thickness=2, lineType=cv2.LINE_AA)
        cv2.putText(canvas, name, (left + 220 * place, 25), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
    note = f"{100 * error_top:.1f} %"
    cv2.putText(canvas, note, (2, top + 10), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    note = f"{last_s / 60:.0f} min, {course[-1].lines} lines, {100 * course[-1].cer:.2f} % at the end"
    cv2.putText(canvas, note, (left, height_px - 12), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return canvas
