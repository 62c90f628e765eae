"""Readers that are measured side by side: ours, on each of its engines, and others where they are installed.

All get the same photo file and return plain lines. RapidOCR runs as its package's default does; AsterOCR and Tesseract
read lines and find none on headstones, so they are given the lines of our detector, cut from the whole photo.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from models.bundle import INTERIM_NAME, load_bundle
from models.choices import DEFAULT_ENGINE, EngineName
from models.detector import LineDetector
from models.errors import BundleError as ModelBundleError
from models.recogniser import LineRecogniser
from ocr_service.errors import BundleError, EngineError
from ocr_service.reading import Reader, load_reader, read_photo
from ocr_service.records import Field, Quad
from ocr_service.settings import Settings
from preprocess.decode import PhotoRejectedError, decode_photo
from preprocess.lines import crop_line

TESSERACT_CROP_HEIGHT_PX = 48  # its LSTM wants about 36 px a line with some ground around


@dataclass(frozen=True, slots=True)
class SeenLine:
    """A line as a reader gave it; ``quad`` in pixels of the upright photo, None where the reader does not say."""

    text: str
    confidence: float | None = None
    quad: Quad | None = None


@dataclass(frozen=True, slots=True)
class SeenPhoto:
    """What a reader made of one photo. ``record`` is None for readers that know no fields."""

    lines: tuple[SeenLine, ...] = ()
    record: Mapping[str, Field] | None = None
    rejected: str | None = None


class PhotoReader(Protocol):
    """Anything that reads a photo file from start to end."""

    def read(self, path: Path) -> SeenPhoto:
        """Read the photo at ``path``; never raises for a photo that cannot be read."""


@dataclass(frozen=True, slots=True)
class Ours:
    """The whole algorithm, ``read_photo``."""

    reader: Reader

    def read(self, path: Path) -> SeenPhoto:
        """Read the photo at ``path``."""
        reading = read_photo(path.read_bytes(), path.name, self.reader)
        lines = tuple(SeenLine(line.text, line.confidence, line.quad) for line in reading.lines)
        return SeenPhoto(lines, reading.record, None if reading.reason is None else str(reading.reason))


class RapidOcrDefault:
    """The package's own pipeline as it comes: detection, orientation and PP-OCRv6 small recognition."""

    def __init__(self) -> None:
        from rapidocr import RapidOCR

        self._engine: Any = RapidOCR(params={"Global.log_level": "error"})

    def read(self, path: Path) -> SeenPhoto:
        """Read the photo at ``path``; the package applies the EXIF orientation only to files that it opens itself."""
        try:
            result = self._engine(str(path))
        except Exception as error:  # a peer's failure is a result of the comparison, whatever it raises
            return SeenPhoto(rejected=f"{type(error).__name__}: {error}")
        if result.txts is None:
            return SeenPhoto()
        return SeenPhoto(
            tuple(
                SeenLine(text, float(score), _quad(box))
                for text, score, box in zip(result.txts, result.scores, result.boxes, strict=True)
            )
        )


class AsterOcrOnLines:
    """AsterOCR's weights on the lines of our detector, without anything else of ours."""

    def __init__(self) -> None:
        bundle = load_bundle(INTERIM_NAME)
        self._detector, self._recogniser = LineDetector(bundle.detector), LineRecogniser(bundle.recogniser)

    def read(self, path: Path) -> SeenPhoto:
        """Read the photo at ``path``."""
        try:
            photo = decode_photo(path.read_bytes())
        except PhotoRejectedError as error:
            return SeenPhoto(rejected=error.reason)
        seen = []
        for line in self._detector.detect(photo.image):
            quad = np.asarray(line.quad, dtype=np.float32)
            read = self._recogniser.read(crop_line(photo.image, quad, self._recogniser.height_px))
            if read.text:
                seen.append(SeenLine(read.text, read.confidence, _quad(quad / photo.scale)))
        return SeenPhoto(tuple(seen))


class TesseractOnLines:
    """Tesseract with its Vietnamese data on the lines of our detector, one process a photo."""

    def __init__(self, binary: str) -> None:
        self._binary = binary
        self._detector = LineDetector(load_bundle(INTERIM_NAME).detector)

    def read(self, path: Path) -> SeenPhoto:
        """Read the photo at ``path``."""
        try:
            photo = decode_photo(path.read_bytes())
        except PhotoRejectedError as error:
            return SeenPhoto(rejected=error.reason)
        quads = [np.asarray(line.quad, dtype=np.float32) for line in self._detector.detect(photo.image)]
        crops = [crop_line(photo.image, quad, TESSERACT_CROP_HEIGHT_PX) for quad in quads]
        texts = self._read_crops(crops)
        return SeenPhoto(
            tuple(
                SeenLine(text, None, _quad(quad / photo.scale)) for text, quad in zip(texts, quads, strict=True) if text
            )
        )

    def _read_crops(self, crops: list[np.ndarray]) -> list[str]:
        if not crops:
            return []
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / f"{index}.png" for index in range(len(crops))]
            for file, crop in zip(files, crops, strict=True):
                cv2.imwrite(str(file), crop)
            batch = Path(folder) / "batch.txt"
            batch.write_text("\n".join(map(str, files)), encoding="utf-8")
            command = [self._binary, str(batch), "stdout", "-l", "vie", "--psm", "7"]
            # one thread like everybody else: its OpenMP threads only burn time on single lines
            done = subprocess.run(  # noqa: S603 - a fixed program on files of our own
                command, capture_output=True, check=False, env={**os.environ, "OMP_THREAD_LIMIT": "1"}
            )
        pages = done.stdout.decode("utf-8", errors="replace").split("\f")[: len(crops)]
        return [" ".join(page.split()) for page in pages] + [""] * (len(crops) - len(pages))


def _open_rapidocr(settings: Settings) -> PhotoReader:
    if importlib.util.find_spec("rapidocr") is None:
        raise EngineError("not installed: package rapidocr")
    return RapidOcrDefault()


def _open_asterocr(settings: Settings) -> PhotoReader:
    try:
        return AsterOcrOnLines()
    except ModelBundleError as error:
        raise EngineError(f"not installed: {error}") from error


def _open_tesseract(settings: Settings) -> PhotoReader:
    binary = shutil.which("tesseract")
    if binary is None:
        raise EngineError("not installed: program tesseract")
    listing = subprocess.run(  # noqa: S603 - a fixed program
        [binary, "--list-langs"], capture_output=True, text=True, check=False
    )
    if "vie" not in listing.stdout.split():
        raise EngineError("not installed: Vietnamese data for tesseract (tesseract-ocr-vie)")
    try:
        return TesseractOnLines(binary)
    except ModelBundleError as error:
        raise EngineError(f"not installed: {error}") from error


def _open_ours(settings: Settings, *, engine: EngineName = DEFAULT_ENGINE) -> Ours:
    return Ours(load_reader(settings.bundle, profile=settings.profile, engine=engine, device=settings.device))


def _open_ours_fast(settings: Settings) -> Ours:
    try:
        return Ours(load_reader(profile="fast", device=settings.device))
    except BundleError as error:
        raise EngineError(f"not installed: {error}") from error


PEERS: Mapping[str, Callable[[Settings], PhotoReader]] = {
    "ours": _open_ours,
    "ours-fast": _open_ours_fast,
    "ours-torch": partial(_open_ours, engine="torch"),
    "ours-paddleocr": partial(_open_ours, engine="paddleocr"),
    "rapidocr": _open_rapidocr,
    "asterocr": _open_asterocr,
    "tesseract": _open_tesseract,
}
"""Makes the reader of a name ready: ours as the settings say, but for what its name says.

Raises BundleError where ours cannot be read, EngineError where something is not installed, with what to install.
"""

USUAL_PEERS = ("ours", "rapidocr", "asterocr", "tesseract")
"""What is measured where nothing is named."""


def _quad(corners: np.ndarray) -> Quad:
    a, b, c, d = ((float(x), float(y)) for x, y in corners)
    return (a, b, c, d)
