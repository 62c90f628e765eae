"""What an engine gives: a detector and a recogniser of one bundle, on one runtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle, DetectorSpec
from models.choices import Device, EngineName
from models.detector import DetectedLine
from models.recogniser import RecognisedLine

Crop: TypeAlias = NDArray[np.uint8]


class TextDetector(Protocol):
    """Finds the text lines of a picture; safe to call from several threads."""

    @property
    def spec(self) -> DetectorSpec:
        """Return what the bundle says of the detector."""
        ...

    def detect(self, image: NDArray[np.uint8], side_px: int | None = None) -> list[DetectedLine]:
        """Return the text lines of ``image`` (height, width, 3; BGR), top to bottom."""
        ...


class TextRecogniser(Protocol):
    """Reads crops of single lines; safe to call from several threads."""

    @property
    def height_px(self) -> int:
        """Return the height that crops are resized to."""
        ...

    def read(self, crop: Crop) -> RecognisedLine:
        """Read one ``crop`` (height, width, 3; BGR; text upright)."""
        ...

    def read_many(self, crops: Sequence[Crop]) -> list[RecognisedLine]:
        """Read several crops, of one photo or of many, in their order; on a GPU far cheaper than one by one."""
        ...


@dataclass(frozen=True, slots=True)
class Engine:
    """A bundle that is ready to read: its detector and recogniser on one runtime and device."""

    name: EngineName
    device: Device
    bundle: Bundle
    detector: TextDetector
    recogniser: TextRecogniser
