"""Which files of a folder are photos to hand in, and why the others are not."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ocr_service.errors import UsageError
from preprocess.sniff import name_other_type, starts_like_image

PHOTO_SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".heic", ".heif", ".hif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff",
     ".webp"}
)  # fmt: skip
"""A file that is named like a photo is handed in whatever it holds: the server judges it, and its accounts name it."""

RAW_SUFFIXES = frozenset(
    {".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".srw"}
)  # fmt: skip
"""What cameras keep beside the photo. Most are TIFF inside, so their first bytes do not tell."""

_SYSTEM_NAMES = frozenset(
    {"$recycle.bin", "system volume information", "@eadir", "__macosx", "lost+found", "thumbs.db", "desktop.ini"}
)
_HEAD_BYTES = 1024

MAX_PATH_CHARS = 1000
"""The service refuses longer ones."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to hand in. ``path`` is how the server knows it: below the folder, parted by slashes, NFC."""

    path: str
    where: Path
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file or folder that is not handed in; ``is_problem`` where somebody should look at it."""

    path: str
    why: str
    is_problem: bool = False


@dataclass(frozen=True, slots=True)
class Folder:
    """What was found; both lists in the order of their names."""

    files: tuple[LocalFile, ...]
    left_out: tuple[LeftOut, ...]


def find_files(folder: Path) -> Folder:
    """Everything below a folder, its subfolders too. Links are not followed: they may lead out of it, or in circles.

    Raises ``UsageError`` where the folder cannot be read at all.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; name the one that holds the photos")
    files: list[LocalFile] = []
    left_out: list[LeftOut] = []
    taken: set[str] = set()
    for where, entry in _walk(folder, left_out, folder):
        path = _name(where.relative_to(folder))
        if len(path) > MAX_PATH_CHARS or path in taken:
            why = "another file's name differs in signs alone" if path in taken else "its path is too long"
            left_out.append(LeftOut(path, f"{why}; rename it", is_problem=True))
            continue
        judged = _judge(where, path, entry)
        if isinstance(judged, LocalFile):
            taken.add(path)
            files.append(judged)
        else:
            left_out.append(judged)
    pictures = {_stem(file.path) for file in files}
    return Folder(tuple(files), tuple(_excuse_raw(item, pictures) for item in left_out))


def path_key(path: str) -> str:
    """A path of a spreadsheet as ``LocalFile.path`` has it: slashes, NFC, nothing in front."""
    return unicodedata.normalize("NFC", path.strip()).replace("\\", "/").removeprefix("./")


def _walk(folder: Path, left_out: list[LeftOut], root: Path) -> Iterator[tuple[Path, os.DirEntry[str]]]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        if folder == root:
            raise UsageError(
                f"{folder} cannot be opened: {error.strerror}; check the disk and its permissions"
            ) from error
        why = f"this folder cannot be opened, what is in it is not sent: {error.strerror}"
        left_out.append(LeftOut(_name(folder.relative_to(root)), why, is_problem=True))
        return
    for entry in entries:
        where = folder / entry.name
        if entry.name.startswith(".") or entry.name.lower() in _SYSTEM_NAMES:
            left_out.append(LeftOut(_name(where.relative_to(root)), "hidden, or the system's own"))
        elif entry.is_symlink():
            left_out.append(LeftOut(_name(where.relative_to(root)), "a link; only what lies in the folder is sent"))
        elif entry.is_dir(follow_symlinks=False):
            yield from _walk(where, left_out, root)
        else:
            yield where, entry


def _judge(where: Path, path: str, entry: os.DirEntry[str]) -> LocalFile | LeftOut:
    suffix = where.suffix.lower()
    if suffix in RAW_SUFFIXES:
        return LeftOut(path, "a raw camera file without a picture beside it; save it as JPEG", is_problem=True)
    try:
        status = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            return LeftOut(path, "not a regular file")
        if suffix not in PHOTO_SUFFIXES:
            with where.open("rb") as file:
                head = file.read(_HEAD_BYTES)
            if not starts_like_image(head) or name_other_type(head):
                return LeftOut(path, "no photo")
    except OSError as error:
        return LeftOut(path, f"the file cannot be read: {error.strerror}; check the disk", is_problem=True)
    return LocalFile(path, where, status.st_size, status.st_mtime_ns)


def _excuse_raw(item: LeftOut, pictures: set[str]) -> LeftOut:
    if os.path.splitext(item.path)[1].lower() in RAW_SUFFIXES and _stem(item.path) in pictures:  # noqa: PTH122
        return LeftOut(item.path, "a raw camera file; the picture beside it is sent")
    return item


def _stem(path: str) -> str:
    return os.path.splitext(path)[0].lower()  # noqa: PTH122 - a name on the server, no path here


def _name(path: Path) -> str:
    """A path as text that every list can hold, also where its bytes are no UTF-8, NFC."""
    text = os.fsencode(path.as_posix()).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "_" for c in unicodedata.normalize("NFC", text))
