"""Lines that people have verified, as crops with their texts: what the reader grows with.

The folder is what ``models.training.train --verified`` and PaddleOCR take: ``labels.txt`` and ``crops/``. It can be
written again at any time: crops that are there are not cut again, and those that no longer count are removed.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from sqlalchemy.orm import Session

from datasets.manifest import Label, format_label
from ocr_service import verification
from ocr_service.database import drafts
from ocr_service.database.values import RecordView
from ocr_service.errors import NotFoundError, StorageError, UsageError
from ocr_service.exports.truth import LeftOut, line_truths
from ocr_service.reading.photo import MAX_SIDE_PX
from ocr_service.records import Quad
from ocr_service.storage import ObjectStore
from preprocess.decode import PhotoRejectedError, decode_photo
from preprocess.lines import crop_line

LABELS_FILE, ABOUT_FILE, CROPS_FOLDER = "labels.txt", "export.json", "crops"
_NEW_LABELS = "labels.new.txt"
HEIGHT_PX = 48
"""The input of every PP-OCR recogniser; cut at another height, crops would be resampled twice."""

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export came to. ``broken`` names photos that are not there or cannot be read any more."""

    labels: Path
    lines: int
    photos: int
    left_out: Mapping[LeftOut, int]
    broken: tuple[str, ...]
    finished: bool


@dataclass(frozen=True, slots=True)
class _Crop:
    """A file's name below the crops, where the line stands in the photo, and what it says."""

    name: str
    quad: Quad
    text: str


def export_lines(
    session: Session,
    store: ObjectStore,
    out: Path,
    *,
    source: Path,
    by: str,
    now: datetime,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Exported:
    """Write every verified line of the store into ``out``; ``source`` names the store, ``by`` who asked for it.

    Stopped, it leaves the labels as they were and keeps what is cut. Raises ``UsageError`` for a folder that holds
    anything else, ``StorageError`` where it cannot be written.
    """
    try:
        _take_folder(out, source)
        (out / CROPS_FOLDER).mkdir(exist_ok=True)
        done, names = _export(session, store, out, is_stopped=is_stopped)
        if done.finished:
            (out / _NEW_LABELS).replace(done.labels)
            _remove_all_but(names, out / CROPS_FOLDER)
            _write_about(out, source, by=by, at=now.isoformat(timespec="seconds"), lines=done.lines, photos=done.photos)
        return done
    except OSError as error:
        raise StorageError(f"cannot write to {out}: {error.strerror or error}; make room or choose another") from error


def _export(
    session: Session, store: ObjectStore, out: Path, *, is_stopped: Callable[[], bool]
) -> tuple[Exported, set[str]]:
    """Cut what is missing and write the labels anew; the names of all crops that count."""
    left_out: Counter[LeftOut] = Counter()
    names: set[str] = set()
    broken: list[str] = []
    photos = 0
    with (out / _NEW_LABELS).open("w", encoding="utf-8") as labels:
        for record in _verified(session):
            if is_stopped():
                return Exported(out / LABELS_FILE, len(names), photos, left_out, tuple(broken), False), names
            crops, reasons = _verified_crops(record)
            left_out.update(reasons)
            if not _cut(out / CROPS_FOLDER, crops, record.photo.sha256, store):
                left_out[LeftOut.NO_PHOTO] += len(crops)
                broken.append(record.photo.filename)
                continue
            photos += bool(crops)
            for crop in crops:
                names.add(crop.name)
                labels.write(format_label(Label(PurePosixPath(CROPS_FOLDER) / crop.name, crop.text)) + "\n")
    return Exported(out / LABELS_FILE, len(names), photos, left_out, tuple(broken), True), names


def _verified_crops(record: RecordView) -> tuple[list[_Crop], list[LeftOut]]:
    """Lines of a record that are worth a crop, and why the others are not."""
    truths = line_truths(record.reading, record.fields)
    crops = [
        _Crop(_crop_name(record.photo.sha256, line.quad), line.quad, truth)
        for line, truth in zip(record.reading.lines, truths, strict=True)
        if isinstance(truth, str)
    ]
    return crops, [truth for truth in truths if isinstance(truth, LeftOut)]


def _verified(session: Session) -> Iterator[RecordView]:
    after_id = 0
    while found := drafts.search(session, after_id=after_id, limit=_PAGE):
        for facts in found:
            yield verification.get_record(session, facts.id)
        after_id = found[-1].id
        session.expunge_all()  # a hundred thousand readings need not stay in memory


def _take_folder(out: Path, source: Path) -> None:
    """Make a folder for an export of ``source``, or go on with one. Raises ``UsageError`` for any other."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder for the lines")
    if out.is_dir() and any(out.iterdir()):
        about = _read_about(out)
        if about is None:
            raise UsageError(f"{out} holds other things; name an empty or new folder for the lines")
        if about != str(source.resolve()):
            raise UsageError(f"{out} holds the lines of {about}; name another folder for those of {source}")
        return
    out.mkdir(parents=True, exist_ok=True)
    out.chmod(0o700)  # these are pictures of real graves
    _write_about(out, source)
    (out / ".gitignore").write_text("*\n", encoding="utf-8")  # and are never committed by an oversight


def _read_about(out: Path) -> str | None:
    """The store that a folder's lines are from; None where it is no export."""
    try:
        about = json.loads((out / ABOUT_FILE).read_text(encoding="utf-8"))
        return str(about["lines_of"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _write_about(out: Path, source: Path, **facts: str | int) -> None:
    about = {"lines_of": str(source.resolve()), **facts}
    _write_whole(out / ABOUT_FILE, (json.dumps(about, ensure_ascii=False, indent=2) + "\n").encode())


def _crop_name(photo_sha256: str, quad: Quad) -> str:
    """The same line of the same photo has the same name in every export."""
    return f"{photo_sha256[:16]}-{sha256(repr(quad).encode()).hexdigest()[:8]}.png"


def _cut(folder: Path, crops: Sequence[_Crop], photo_sha256: str, store: ObjectStore) -> bool:
    """Cut lines that are not there yet, as the reader cuts them; False where the photo cannot be read any more."""
    missing = [crop for crop in crops if not (folder / crop.name).exists()]
    if not missing:
        return True
    try:
        photo = decode_photo(store.read(photo_sha256), max_side_px=MAX_SIDE_PX)
    except (NotFoundError, StorageError, PhotoRejectedError):
        return False
    for crop in missing:
        quad = np.asarray(crop.quad, dtype=np.float32) * np.float32(photo.scale)
        _, png = cv2.imencode(".png", crop_line(photo.image, quad, HEIGHT_PX))
        _write_whole(folder / crop.name, png.tobytes())
    return True


def _remove_all_but(kept: set[str], folder: Path) -> None:
    """Remove crops of lines that were taken back since, and what an interrupted run left half written."""
    for entry in os.scandir(folder):
        if entry.name not in kept:
            Path(entry.path).unlink()


def _write_whole(path: Path, data: bytes) -> None:
    """A reader of the folder sees the whole file or none."""
    half = path.with_suffix(".half")
    half.write_bytes(data)
    half.replace(path)
