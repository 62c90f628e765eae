"""``read_photo``: every step from bytes to a reading, on one screen."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.bundle import load_bundle
from models.choices import DEFAULT_ENGINE, DEFAULT_PROFILE, Device, EngineName
from models.engines import TextDetector, TextRecogniser, load_engine, require_engine
from models.errors import BundleError as ModelBundleError
from models.errors import EngineMissingError
from models.faces import load_segmenter, shipped_weights
from models.recogniser import RecognisedLine
from ocr_service.errors import BundleError, EngineError
from ocr_service.fields import parse_lines
from ocr_service.fields.confidence import with_chances
from ocr_service.fields.decodes import DecodeTable, read_decodes
from ocr_service.reading.outcome import count_alike, settle
from ocr_service.reading.picture_kind import picture_kind
from ocr_service.reading.second_look import look_again
from ocr_service.reading.sight import find_lines, in_more_light, is_text, read_lines, turned_over
from ocr_service.records import (
    Alternative,
    Context,
    Line,
    Quad,
    Reading,
    ReadingStatus,
    RejectReason,
)
from ocr_service.settings import Settings
from preprocess.decode import PhotoRejectedError, decode_photo
from preprocess.fingerprint import fingerprint
from preprocess.level import unsheared_lines
from preprocess.lines import assign_stones, order_lines, split_columns
from preprocess.quality import judge
from preprocess.rectify import face_to_photo, map_quads
from preprocess.stone import Segment, find_stones

MAX_SIDE_PX = 2048
"""Photos are decoded at most this large: letters of a stone that fills the frame stay far above the reader's input."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A bundle made ready on an engine, as ``name@version`` and ``engine/device``: every reading names both."""

    detector: TextDetector
    recogniser: TextRecogniser
    segment: Segment
    bundle_id: str
    engine: str
    decodes: DecodeTable = field(default_factory=DecodeTable)


def check_reader(
    name: str | None = None, *, profile: str = DEFAULT_PROFILE, engine: EngineName = DEFAULT_ENGINE
) -> str:
    """Return the id of a bundle after checking its files and that the engine is installed, making neither ready.

    Raises BundleError, EngineError.
    """
    with _told_as_ours():
        require_engine(engine)
        shipped_weights()
        return load_bundle(name, profile).id


def load_reader(
    name: str | None = None,
    *,
    profile: str = DEFAULT_PROFILE,
    engine: EngineName = DEFAULT_ENGINE,
    device: Device | None = None,
    decodes: Path | None = None,
) -> Reader:
    """Make a bundle ready for this process, one thread; without a ``name``, that of the profile.

    ``decodes`` is a table of unit codes (``ocr_service.fields.decodes``). Safe to read with from several threads.
    Raises BundleError, EngineError, UsageError.
    """
    table = read_decodes(decodes) if decodes else DecodeTable()
    with _told_as_ours():
        ready = load_engine(load_bundle(name, profile), engine, device=device)
        segment = load_segmenter()
    return Reader(ready.detector, ready.recogniser, segment, ready.bundle.id, f"{ready.name}/{ready.device}", table)


def reader_of(settings: Settings) -> Reader:
    """Make ready the reader that settings choose. Raises BundleError, EngineError, UsageError."""
    return load_reader(
        settings.bundle,
        profile=settings.profile,
        engine=settings.engine,
        device=settings.device,
        decodes=settings.decodes,
    )


@contextmanager
def _told_as_ours() -> Iterator[None]:
    try:
        yield
    except ModelBundleError as error:
        raise BundleError(str(error)) from error
    except EngineMissingError as error:
        raise EngineError(str(error)) from error


def read_photo(data: bytes, photo: str, reader: Reader, context: Context = Context()) -> Reading:  # noqa: B008
    """Read one photo. What cannot be decoded becomes a rejected reading with its reason; nothing is raised for it."""
    clock = _Stopwatch()
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        with clock.step("decode"):
            upright = decode_photo(data, max_side_px=MAX_SIDE_PX)
    except PhotoRejectedError as error:
        reason = RejectReason(error.reason)
        return Reading(
            photo,
            sha256,
            ReadingStatus.REJECTED,
            reason,
            error.detail,
            bundle=reader.bundle_id,
            engine=reader.engine,
        )
    with clock.step("detect"):
        sight = find_lines(upright.image, reader.detector, reader.recogniser)
    with clock.step("recognise"):
        seen = read_lines(sight, reader.recogniser)
    with clock.step("orient"):
        if turned := turned_over(sight, seen, reader.recogniser):
            sight, seen = turned, read_lines(turned, reader.recogniser)
    with clock.step("second_look"):
        if lit := in_more_light(sight, seen, reader.detector, reader.recogniser):
            sight, seen = lit
        seen = look_again(sight.image, sight.quads, seen, reader.recogniser)
    with clock.step("stone"):
        kept = [index for index, line in enumerate(seen) if is_text(line)]
        quads = [sight.quads[index] for index in kept]
        unread = [quad for index, quad in enumerate(sight.quads) if index not in kept]
        faces = find_stones(sight.image, quads, reader.segment)
    with clock.step("quality"):
        quality = judge(sight.image, quads, [face.quad for face in faces])
    to_photo = np.diag([1 / upright.scale, 1 / upright.scale, 1.0]) @ sight.to_photo
    with clock.step("order"):
        stones, order = arrange(quads, [face.quad for face in faces])
    places = map_quads(unsheared_lines(quads, stones, [face.quad for face in faces]), to_photo)
    lines = tuple(_line(seen[kept[i]], places[i], stones[i]) for i in order)
    with clock.step("parse"):
        record = with_chances(parse_lines(lines, context, reader.decodes).record)
        kind = picture_kind(lines, record, upright.size_px)
        record = settle(record, kind, quality.reasons, count_alike(unread, quads))
    return Reading(
        photo,
        sha256,
        ReadingStatus.READ,
        photo_type=kind,
        size_px=upright.size_px,
        stone_quads=tuple(_as_quad(quad) for quad in map_quads([face.quad for face in faces], to_photo)),
        lines=lines,
        record=record,
        quality=tuple(quality.reasons),
        fingerprint=fingerprint(upright.image),
        timings_ms=clock.times_ms,
        bundle=reader.bundle_id,
        engine=reader.engine,
    )


def arrange(quads: Sequence[np.ndarray], faces: Sequence[np.ndarray]) -> tuple[list[int], list[int]]:
    """Stone of each line, and the indices of all lines in reading order: stone by stone, rows from the top.

    Rows are told apart on the flattened face: in an oblique photo the right end of one row may be level with the left
    end of the next. Without faces, two columns that stand apart count as two stones.
    """
    stones = assign_stones(quads, faces)
    if len(faces) < 2:
        flat = _flattened(quads, faces[0]) if faces else list(quads)
        for stone, column in enumerate(split_columns(flat)):
            for index in column:
                stones[index] = stone
        return stones, order_lines(flat)
    order = []
    for stone, face in enumerate(faces):
        members = [index for index in range(len(quads)) if stones[index] == stone]
        order += [members[i] for i in order_lines(_flattened([quads[m] for m in members], face))]
    return stones, order


def _flattened(quads: Sequence[np.ndarray], face: np.ndarray) -> list[np.ndarray]:
    return map_quads(quads, np.linalg.inv(face_to_photo(face)))


def _line(seen: RecognisedLine, quad_px: np.ndarray, stone: int) -> Line:
    alternatives = tuple(Alternative(other.text, other.score) for other in seen.alternatives)
    return Line(seen.text, seen.confidence, _as_quad(quad_px), stone, alternatives, seen.char_confidences)


def _as_quad(corners: np.ndarray) -> Quad:
    a, b, c, d = ((float(x), float(y)) for x, y in corners)
    return a, b, c, d


class _Stopwatch:
    """Milliseconds by step."""

    def __init__(self) -> None:
        self.times_ms: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.times_ms[name] = (time.perf_counter() - start) * 1000
