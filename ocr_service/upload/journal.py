"""The journal of an upload: hashes that were taken and answers that came, in SQLite, which survives being killed.

It saves work and nothing else: lost, it is made anew by hashing and asking again.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from ocr_service.errors import StorageError, UsageError
from ocr_service.states import FileState
from ocr_service.upload.folder import LocalFile

_FORMAT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT,
    detail TEXT,
    told TEXT NOT NULL DEFAULT '',
    placed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS replaced (path TEXT, sha256 TEXT, PRIMARY KEY (path, sha256)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a file: the hash of its bytes as they were at that size and time, and the server's last word.

    ``state`` is None until it was announced, and ``told`` is what the server was told of it then. ``placed`` says that
    its bytes lie in the object store and the server is yet to hear of it.
    """

    path: str
    size_bytes: int
    mtime_ns: int
    sha256: str
    state: FileState | None = None
    detail: str | None = None
    told: str = ""
    placed: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether the server has answered for it: taken, known before, or refused."""
        return self.state not in (None, FileState.ANNOUNCED)


class Journal:
    """An open journal; ``entries`` holds one a path. Thread-safe.

    Raises ``UsageError`` where another run has it open or the file is something else, ``StorageError`` where it cannot
    be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"cannot open {path}: {error}; choose another place with --journal") from error
        try:
            self._open()
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> None:
        try:
            # the exclusive lock is held while the file is open: a second run over the same folder is told so, and a
            # killed one leaves none
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("BEGIN EXCLUSIVE")
            self._db.execute("COMMIT")
            self._db.executescript(_SCHEMA)
            written = self._fact("format")
            if written not in (None, str(_FORMAT)):
                raise UsageError(f"{self.path} is of another version of this program; choose another with --journal")
            self._db.execute("INSERT OR REPLACE INTO facts VALUES ('format', ?)", (str(_FORMAT),))
            rows = self._db.execute("SELECT path, size_bytes, mtime_ns, sha256, state, detail, told, placed FROM files")
            self.entries = {row[0]: _entry(row) for row in rows}
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise UsageError(f"another run is sending this folder ({self.path} is in use); let it go on") from error
            raise StorageError(f"cannot write {self.path}: {error}; choose another place with --journal") from error
        except (sqlite3.DatabaseError, ValueError) as error:
            raise UsageError(f"{self.path} is no journal of an upload: {error}; remove it or choose another") from error

    def known_hash(self, file: LocalFile) -> str | None:
        """The hash of a file that was read before and has not changed since, as far as size and time tell."""
        entry = self.entries.get(file.path)
        same = entry is not None and (entry.size_bytes, entry.mtime_ns) == (file.size_bytes, file.mtime_ns)
        return entry.sha256 if entry is not None and same else None

    def note_hash(self, file: LocalFile, sha256: str) -> None:
        """Keep a hash; what was said of other bytes under this path no longer holds, and is to be taken back."""
        known = self.entries.get(file.path)
        if known is not None and known.sha256 == sha256:
            entry = replace(known, size_bytes=file.size_bytes, mtime_ns=file.mtime_ns)
        else:
            entry = Entry(file.path, file.size_bytes, file.mtime_ns, sha256)
            if known is not None and not known.is_settled:  # the server may have been told of it
                with self._lock, self._reported():
                    self._db.execute("INSERT OR IGNORE INTO replaced VALUES (?, ?)", (known.path, known.sha256))
        self._write([entry])

    def replaced(self) -> list[tuple[str, str]]:
        """Paths with the hashes of bytes that the server may still wait for, and that lie there no more."""
        with self._lock, self._reported():
            rows = self._db.execute("SELECT path, sha256 FROM replaced").fetchall()
        current = {(entry.path, entry.sha256) for entry in self.entries.values()}
        return [row for row in rows if row not in current]

    def forget_replaced(self) -> None:
        """The server heard of them."""
        with self._lock, self._reported():
            self._db.execute("DELETE FROM replaced")

    def note(self, entries: list[Entry]) -> None:
        """Keep what the server said, in one transaction."""
        self._write(entries)

    def forget_answers(self) -> None:
        """Keep the hashes alone: the server does not know this batch any more."""
        self._write([replace(e, state=None, detail=None, placed=False) for e in self.entries.values()])

    def fact(self, name: str) -> str | None:
        """Something that was noted of the whole upload."""
        with self._lock:
            return self._fact(name)

    def note_fact(self, name: str, value: str) -> None:
        """Keep something of the whole upload."""
        with self._lock, self._reported():
            self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Close the file; another run may open it then."""
        with self._lock:
            self._db.close()

    def _fact(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _write(self, entries: list[Entry]) -> None:
        rows = [(e.path, e.size_bytes, e.mtime_ns, e.sha256, e.state, e.detail, e.told, e.placed) for e in entries]
        with self._lock, self._reported():
            self._db.execute("BEGIN")
            try:
                self._db.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self.entries.update((entry.path, entry) for entry in entries)

    @contextlib.contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StorageError(
                f"cannot write {self.path}: {error}; make room and run the same command again"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _entry(row: tuple[str, int, int, str, str | None, str | None, str, int]) -> Entry:
    path, size_bytes, mtime_ns, sha256, state, detail, told, placed = row
    said = FileState(state) if state else None
    return Entry(path, size_bytes, mtime_ns, sha256, said, detail, told, bool(placed))
