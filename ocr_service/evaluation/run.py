"""Reads photos whose truth is known with one reader after another and counts what each got right and took."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from models.metrics import (
    LineErrors,
    auroc,
    comparable,
    edit_distance,
    expected_calibration_error,
    line_errors,
    pair_lines,
)
from ocr_service.errors import EngineError
from ocr_service.evaluation.facts import FieldScore, compare_facts
from ocr_service.evaluation.peers import PhotoReader, SeenLine, SeenPhoto, open_peer
from ocr_service.evaluation.truth import TruePhoto
from ocr_service.fields import parse_lines
from ocr_service.reading import Reader
from ocr_service.records import Line, Quad

FOUND_IOU = 0.5
"""A line counts as found where a read quad covers it this well: the usual bar of text detection (ICDAR 2015)."""


@dataclass(frozen=True, slots=True)
class PhotoScore:
    """One photo: errors, and each line as (truth, read); truth is None for a false line, read for a missed one."""

    photo: str
    errors: LineErrors
    lines: tuple[tuple[str | None, str | None], ...]
    seconds: float
    cpu_seconds: float
    rejected: str | None = None


@dataclass(frozen=True, slots=True)
class EngineScore:
    """One reader over all photos; ``not_installed`` says why there is nothing else.

    ``cpu_seconds`` counts this process and its children. ``quads_found`` of ``quads_total`` line quads are covered by a
    read one. ``ece`` and ``auroc`` judge the confidence that a line is exactly right, where the reader gives one.
    """

    engine: str
    not_installed: str | None = None
    errors: LineErrors = LineErrors()  # noqa: RUF009 - a frozen value
    fields: Mapping[str, FieldScore] = field(default_factory=dict)
    photos: tuple[PhotoScore, ...] = ()
    quads_found: int = 0
    quads_total: int = 0
    ece: float | None = None
    auroc: float | None = None

    @property
    def seconds_per_photo(self) -> float:
        """Return the mean wall time of a photo."""
        return sum(photo.seconds for photo in self.photos) / max(len(self.photos), 1)

    @property
    def cpu_seconds_per_photo(self) -> float:
        """Return the mean CPU time of a photo over all threads and child processes."""
        return sum(photo.cpu_seconds for photo in self.photos) / max(len(self.photos), 1)

    @property
    def rejected(self) -> int:
        """Return how many photos the reader refused."""
        return sum(photo.rejected is not None for photo in self.photos)


def evaluate(
    truth: Sequence[TruePhoto],
    engines: Sequence[str],
    reader: Reader,
    on_photo: Callable[[str, str], None] | None = None,
) -> list[EngineScore]:
    """Measure ``engines`` on the same photos, one after another so that none disturbs another's time.

    ``on_photo`` is told the engine and the photo after each. Raises EngineError for a name that is not known; a reader
    that is not installed gets a score that says so.
    """
    scores = []
    for engine in engines:
        try:
            peer = open_peer(engine, reader)
        except EngineError as error:
            reason = str(error)
            if not reason.startswith("not installed"):
                raise
            scores.append(EngineScore(engine, not_installed=reason))
            continue
        scores.append(measure(engine, peer, truth, on_photo))
    return scores


def measure(
    engine: str,
    peer: PhotoReader,
    truth: Sequence[TruePhoto],
    on_photo: Callable[[str, str], None] | None = None,
) -> EngineScore:
    """Read every photo of ``truth`` with ``peer`` and compare. The first is read once before, to warm up."""
    if truth:
        peer.read(truth[0].path)
    photos, errors, fields = [], LineErrors(), dict[str, FieldScore]()
    found, confidences, correct = 0, list[float](), list[bool]()
    for true in truth:
        wall, cpu = time.perf_counter(), _cpu_seconds()
        seen = peer.read(true.path)
        wall, cpu = time.perf_counter() - wall, _cpu_seconds() - cpu
        score = _score_photo(true, seen, wall, cpu)
        photos.append(score)
        errors += score.errors
        _score_fields(true, seen, fields)
        found += count_found(true.line_quads, [line.quad for line in seen.lines if line.quad is not None])
        _collect_confidences(true, seen.lines, confidences, correct)
        if on_photo is not None:
            on_photo(engine, true.path.name)
    return EngineScore(
        engine=engine,
        errors=errors,
        fields=fields,
        photos=tuple(photos),
        quads_found=found,
        quads_total=sum(len(true.line_quads) for true in truth),
        ece=expected_calibration_error(confidences, correct) if confidences else None,
        auroc=auroc(confidences, correct) if confidences else None,
    )


def count_found(truth: Sequence[Quad], read: Sequence[Quad]) -> int:
    """Return how many of the quads in ``truth`` some quad in ``read`` covers with an IoU of at least FOUND_IOU."""
    return sum(any(quad_iou(wanted, seen) >= FOUND_IOU for seen in read) for wanted in truth)


def quad_iou(a: Quad, b: Quad) -> float:
    """Return the overlap of two convex quads as a share of their union."""
    first, second = np.asarray(a, dtype=np.float32), np.asarray(b, dtype=np.float32)
    overlap, _ = cv2.intersectConvexConvex(first, second)
    union = cv2.contourArea(first) + cv2.contourArea(second) - overlap
    return float(overlap / union) if union > 0 else 0.0


def _score_photo(true: TruePhoto, seen: SeenPhoto, wall: float, cpu: float) -> PhotoScore:
    wanted, read, pairs = _pair(true, seen.lines)
    texts = [text for text, _ in read]
    lines: list[tuple[str | None, str | None]] = [
        (wanted[row], None if column is None else texts[column]) for row, column in pairs
    ]
    paired = {column for _, column in pairs}
    lines.extend((None, text) for column, text in enumerate(texts) if column not in paired)
    return PhotoScore(true.path.name, line_errors(wanted, texts), tuple(lines), wall, cpu, seen.rejected)


def _pair(
    true: TruePhoto, lines: Sequence[SeenLine]
) -> tuple[list[str], list[tuple[str, float | None]], list[tuple[int, int | None]]]:
    """Return the truth as compared, the read lines as compared with their confidences, and which belong together."""
    wanted = [text for line in true.lines if (text := comparable(line))]
    read = [(text, line.confidence) for line in lines if (text := comparable(line.text))]
    return wanted, read, pair_lines(wanted, [text for text, _ in read])


def _score_fields(true: TruePhoto, seen: SeenPhoto, fields: dict[str, FieldScore]) -> None:
    if not true.facts:
        return
    # readers without fields of their own get ours, so that a field's share compares readers and not parsers
    record = seen.record if seen.record is not None else parse_lines([_as_line(line) for line in seen.lines]).record
    for name, (verdict, confidence) in compare_facts(true.facts, record).items():
        fields[name] = fields.get(name, FieldScore()).with_verdict(verdict, confidence)


def _as_line(line: SeenLine) -> Line:
    nowhere = ((0.0, 0.0),) * 4
    return Line(line.text, 1.0 if line.confidence is None else line.confidence, line.quad or nowhere)


def _collect_confidences(
    true: TruePhoto, lines: Sequence[SeenLine], confidences: list[float], correct: list[bool]
) -> None:
    """Add the confidence of each line of the truth that was read, and whether it is exactly right.

    False lines stay out: a watermark may be read rightly and still be no part of the inscription.
    """
    wanted, read, pairs = _pair(true, lines)
    for row, column in pairs:
        if column is not None and (confidence := read[column][1]) is not None:
            confidences.append(confidence)
            correct.append(edit_distance(wanted[row], read[column][0]) == 0)


def _cpu_seconds() -> float:
    """Return CPU time of this process, all threads, and of children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
