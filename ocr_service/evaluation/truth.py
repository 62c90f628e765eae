"""Truth files: what stands on photos, written down by people or by the renderer.

Two formats are read from a folder. Beside each photo ``N.jpg`` an ``N.json`` with ``lines``, and where known ``truth``
(facts), ``stone_quad`` and ``line_quads`` in pixels of the upright photo. Or one ``transcriptions.json``, a list of
``file`` and ``lines``, where a line ``|`` separates two stones and ``?`` is a character that nobody could read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ocr_service.errors import UsageError
from ocr_service.records import Quad
from preprocess.decode import PhotoRejectedError, decode_photo

TRANSCRIPTIONS = "transcriptions.json"
PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".tif", ".tiff")
_STONE_SEPARATOR = "|"


@dataclass(frozen=True, slots=True)
class TruePhoto:
    """What one photo says: lines in reading order; facts and quads where the truth file has them."""

    path: Path
    lines: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    line_quads: tuple[Quad, ...] = ()
    kind: str | None = None


def load_truth(folder: Path, min_width_px: int = 0) -> list[TruePhoto]:
    """Load the truth of every photo in ``folder`` that is at least ``min_width_px`` wide, in name order.

    Raises UsageError where there is no truth, or a truth without its photo.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; name one with photos and their truth files")
    listing = folder / TRANSCRIPTIONS
    photos = _from_transcriptions(listing) if listing.is_file() else _from_sidecars(folder)
    if not photos:
        raise UsageError(
            f"{folder} holds no truth; it needs {TRANSCRIPTIONS} or a JSON file with lines beside each photo"
        )
    wide = [photo for photo in photos if not min_width_px or _width_px(photo.path) >= min_width_px]
    if not wide:
        raise UsageError(f"no photo in {folder} is {min_width_px} px wide; lower the least width")
    return wide


def _from_transcriptions(listing: Path) -> list[TruePhoto]:
    found = []
    for entry in _load_json(listing, list):
        lines = tuple(line for line in entry["lines"] if line.strip() != _STONE_SEPARATOR)
        path = listing.parent / entry["file"]
        if not path.is_file():
            raise UsageError(f"{listing} names {entry['file']}, which is missing")
        found.append(TruePhoto(path, lines, kind=entry.get("image_type")))
    return sorted(found, key=lambda photo: photo.path.name)


def _from_sidecars(folder: Path) -> list[TruePhoto]:
    found = []
    for sidecar in folder.glob("*.json"):
        truth = _load_json(sidecar, dict)
        if "lines" not in truth:
            continue
        path = next((p for suffix in PHOTO_SUFFIXES if (p := sidecar.with_suffix(suffix)).is_file()), None)
        if path is None:
            raise UsageError(f"{sidecar} has no photo beside it")
        quads = tuple(_quad(quad) for quad in truth.get("line_quads") or ())
        found.append(TruePhoto(path, tuple(truth["lines"]), truth.get("truth") or {}, quads))
    return sorted(found, key=lambda photo: (len(photo.path.stem), photo.path.stem))


def _load_json(path: Path, expected: type) -> Any:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as truth: {error}") from error
    if not isinstance(content, expected):
        raise UsageError(f"{path} is not a truth file")
    return content


def _quad(points: list[list[float]]) -> Quad:
    return cast(Quad, tuple((float(x), float(y)) for x, y in points))


def _width_px(path: Path) -> int:
    try:
        return decode_photo(path.read_bytes()).size_px[0]
    except PhotoRejectedError:
        return 0
