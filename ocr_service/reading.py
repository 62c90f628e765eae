"""From the bytes of a photo to a reading: the whole algorithm, without database, queue or network."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from models.bundle import Bundle, load_bundle
from models.detector import LineDetector
from models.errors import BundleError as ModelBundleError
from models.recogniser import LineRecogniser, RecognisedLine
from ocr_service.errors import BundleError
from ocr_service.fields import parse_lines
from ocr_service.records import (
    Alternative,
    Context,
    Line,
    PhotoType,
    Quad,
    Reading,
    ReadingStatus,
    RejectReason,
)
from preprocess.decode import PhotoRejectedError, decode_photo
from preprocess.lines import crop_line, order_lines

MAX_SIDE_PX = 2048
"""Photos are decoded at most this large: letters of a stone that fills the frame stay far above the reader's input."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A bundle made ready: its detector, its recogniser, and the id that every reading names."""

    detector: LineDetector
    recogniser: LineRecogniser
    bundle_id: str


def _find_bundle(name: str | None) -> Bundle:
    try:
        return load_bundle(name)
    except ModelBundleError as error:
        raise BundleError(str(error)) from error


def find_bundle_id(name: str | None = None) -> str:
    """Return the id of a bundle after checking its files, without making it ready. Raises BundleError."""
    return _find_bundle(name).id


def load_reader(name: str | None = None) -> Reader:
    """Make a bundle ready for this process, one thread. Raises BundleError."""
    bundle = _find_bundle(name)
    return Reader(LineDetector(bundle.detector), LineRecogniser(bundle.recogniser), bundle.id)


def read_photo(data: bytes, photo: str, reader: Reader, context: Context = Context()) -> Reading:  # noqa: B008
    """Read one photo. What cannot be decoded becomes a rejected reading with its reason; nothing is raised for it."""
    clock = _Stopwatch()
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        with clock.step("decode"):
            upright = decode_photo(data, max_side_px=MAX_SIDE_PX)
    except PhotoRejectedError as error:
        return Reading(
            photo,
            sha256,
            ReadingStatus.REJECTED,
            reason=RejectReason(error.reason),
            detail=error.detail,
            bundle=reader.bundle_id,
            timings_ms=clock.times_ms,
        )
    with clock.step("detect"):
        quads = [np.asarray(found.quad, np.float32) for found in reader.detector.detect(upright.image)]
        quads = [quads[index] for index in order_lines(quads)]
    with clock.step("recognise"):
        height_px = reader.recogniser.height_px
        recognised = [reader.recogniser.read(crop_line(upright.image, quad, height_px)) for quad in quads]
    lines = tuple(_line(seen, quad / upright.scale) for seen, quad in zip(recognised, quads, strict=True) if seen.text)
    with clock.step("parse"):
        inscription = parse_lines(lines, context)
    return Reading(
        photo,
        sha256,
        ReadingStatus.READ,
        photo_type=PhotoType.HEADSTONE if lines else PhotoType.OTHER,
        size_px=upright.size_px,
        lines=lines,
        record=inscription.record,
        timings_ms=clock.times_ms,
        bundle=reader.bundle_id,
    )


def _line(seen: RecognisedLine, quad_px: np.ndarray) -> Line:
    alternatives = tuple(Alternative(other.text, other.score) for other in seen.alternatives)
    return Line(seen.text, seen.confidence, _as_quad(quad_px), alternatives=alternatives)


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
