"""Reads photos whose truth is known with one reader after another and counts what each got right and took."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from models.metrics import (
    LineErrors,
    auroc,
    comparable,
    edit_distance,
    expected_calibration_error,
    line_errors,
    pair_lines,
)
from ocr_service.errors import EngineError, UsageError
from ocr_service.evaluation.detection import DetectionScore, score_detection
from ocr_service.evaluation.facts import Comparison, FieldScore, Verdict, compare_facts, score_of
from ocr_service.evaluation.peers import PEERS, Ours, PhotoReader, SeenLine, SeenPhoto
from ocr_service.evaluation.truth import TruePhoto
from ocr_service.fields import parse_lines, parse_text
from ocr_service.records import Line
from ocr_service.settings import Settings


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

    Of ours, ``bundle`` and ``runtime`` say what it was made of: ``name@version``, ``engine/device``.
    ``cpu_seconds`` counts this process and its children. ``detection`` compares line quads where
    the truth has them. ``ece`` and ``auroc`` judge the confidence that a line is exactly right, where the reader gives
    one; ``field_ece`` judges that of fields, where it knows fields itself.
    """

    engine: str
    not_installed: str | None = None
    bundle: str | None = None
    runtime: str | None = None
    errors: LineErrors = LineErrors()  # noqa: RUF009 - a frozen value
    fields: Mapping[str, FieldScore] = field(default_factory=dict)
    photos: tuple[PhotoScore, ...] = ()
    detection: DetectionScore = DetectionScore()  # noqa: RUF009 - a frozen value
    ece: float | None = None
    auroc: float | None = None
    field_ece: float | None = None

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
    settings: Settings,
    on_photo: Callable[[str, str], None] | None = None,
) -> list[EngineScore]:
    """Measure ``engines`` on the same photos, one after another so that none disturbs another's time.

    ``settings`` choose ours. ``on_photo`` is told the engine and the photo after each. A reader that is not installed
    gets a score that says so. Raises UsageError for a name that is not known, and BundleError.
    """
    if unknown := [engine for engine in engines if engine not in PEERS]:
        raise UsageError(f"reader {unknown[0]!r} is unknown; choose among {', '.join(PEERS)}")
    scores = []
    for engine in engines:
        try:
            peer = PEERS[engine](settings)
        except EngineError as error:
            scores.append(EngineScore(engine, not_installed=str(error)))
            continue
        score = measure(engine, peer, truth, on_photo)
        if isinstance(peer, Ours):
            score = replace(score, bundle=peer.reader.bundle_id, runtime=peer.reader.engine)
        scores.append(score)
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
    photos, errors, detection = [], LineErrors(), DetectionScore()
    fields, own_fields = dict[str, FieldScore](), list[Comparison]()
    confidences, correct = list[float](), list[bool]()
    for true in truth:
        wall, cpu = time.perf_counter(), _cpu_seconds()
        seen = peer.read(true.path)
        wall, cpu = time.perf_counter() - wall, _cpu_seconds() - cpu
        score = _score_photo(true, seen, wall, cpu)
        photos.append(score)
        errors += score.errors
        for name, compared in _compare_fields(true, seen).items():
            fields[name] = fields.get(name, FieldScore()) + score_of(name, compared)
            if seen.record is not None and compared.verdict is not Verdict.BLANK:
                own_fields.append(compared)
        if true.line_quads:
            read = [line.quad for line in seen.lines if line.quad is not None]
            detection += score_detection(true.line_quads, read)
        _collect_confidences(true, seen.lines, confidences, correct)
        if on_photo is not None:
            on_photo(engine, true.path.name)
    return EngineScore(
        engine=engine,
        errors=errors,
        fields=fields,
        photos=tuple(photos),
        detection=detection,
        ece=expected_calibration_error(confidences, correct) if confidences else None,
        auroc=auroc(confidences, correct) if confidences else None,
        field_ece=_field_ece(own_fields) if own_fields else None,
    )


def _field_ece(compared: Sequence[Comparison]) -> float:
    return expected_calibration_error(
        [seen.confidence for seen in compared], [seen.verdict is Verdict.RIGHT for seen in compared]
    )


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


def _compare_fields(true: TruePhoto, seen: SeenPhoto) -> dict[str, Comparison]:
    if not true.facts:
        return {}
    # readers without fields of their own get ours, so that a field's share compares readers and not parsers
    record = seen.record if seen.record is not None else parse_lines([_as_line(line) for line in seen.lines]).record
    return compare_facts(true.facts, record, parse_text("\n".join(true.lines)).record)


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
