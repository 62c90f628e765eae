"""Files as they are on the disk: hashed once, and read again before they are sent, so that no half file goes out."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable

from ocr_service.upload.folder import LocalFile
from ocr_service.upload.journal import Journal
from ocr_service.upload.line import StoppedError
from ocr_service.upload.tally import Phase, Tally

_PIECE_BYTES = 1024**2


class FileTroubleError(Exception):
    """A file cannot be sent as it is; the message says why."""


def hash_files(files: Iterable[LocalFile], journal: Journal, tally: Tally, stop: threading.Event) -> dict[str, str]:
    """Bring the journal's hashes up to date; those it knows by size and time are not read again.

    Returns the troubles: what is wrong with the files that could not be read, by path. Raises ``StoppedError``.
    """
    unknown = [file for file in files if journal.known_hash(file) is None]
    tally.begin(Phase.HASHING, files=len(unknown), size_bytes=sum(file.size_bytes for file in unknown))
    troubles = {}
    for file in unknown:
        if stop.is_set():
            raise StoppedError
        try:
            journal.note_hash(file, _hash(file, stop))
        except FileTroubleError as error:
            troubles[file.path] = str(error)
        tally.done(size_bytes=file.size_bytes)
    return troubles


def read_file(file: LocalFile, sha256: str) -> bytes:
    """All bytes of a file that was hashed. Raises ``FileTroubleError`` where they are not the same any more."""
    try:
        with file.where.open("rb") as opened:
            data = opened.read(file.size_bytes + 1)
    except OSError as error:
        raise _unreadable(error) from error
    if len(data) != file.size_bytes or hashlib.sha256(data).hexdigest() != sha256:
        raise FileTroubleError("it changed during the run; run the same command again")
    return data


def _hash(file: LocalFile, stop: threading.Event) -> str:
    digest = hashlib.sha256()
    size_bytes = 0
    try:
        with file.where.open("rb") as opened:
            while piece := opened.read(_PIECE_BYTES):
                if stop.is_set():
                    raise StoppedError
                digest.update(piece)
                size_bytes += len(piece)
            mtime_ns = file.where.stat().st_mtime_ns
    except OSError as error:
        raise _unreadable(error) from error
    if (size_bytes, mtime_ns) != (file.size_bytes, file.mtime_ns):
        raise FileTroubleError("it changed while it was read; run the same command again")
    return digest.hexdigest()


def _unreadable(error: OSError) -> FileTroubleError:
    if isinstance(error, FileNotFoundError):
        return FileTroubleError("it was there when the run began and is gone; was the disk unplugged?")
    return FileTroubleError(f"it cannot be read: {error.strerror}; check the disk")
