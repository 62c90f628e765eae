"""A folder of photos as one tar stream (POSIX.1-2001): each regular member is a file of the batch.

Members are stored and noted in groups, so that the disk is synced once for many; what was noted stays, also when the
stream breaks off later, and sending the same tar again changes nothing.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Protocol, Self

from ocr_service.database.announcements import AnnouncedFile
from ocr_service.errors import UsageError
from ocr_service.intake.announcing import MAX_PATH_CHARS, path_label
from ocr_service.intake.taking import Refusal, Taken, Taking, finish_together
from ocr_service.records import RejectReason
from ocr_service.storage import ObjectStore
from preprocess.sniff import name_other_type

_GROUP_FILES = 64
_GROUP_BYTES = 64 * 1024**2
_CHUNK_BYTES = 1024 * 1024
_BLOCK_BYTES = 512
_DESCRIBING_TYPES = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
)  # fmt: skip
_MAX_DESCRIPTION_BYTES = 1024 * 1024  # a path and some attributes
_EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


class Body(Protocol):
    """Bytes that come in order; ``read`` gives fewer than were asked for only at the end."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most ``size``; none at the end."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the tar as a file of the batch, in the store or refused."""

    file: AnnouncedFile
    outcome: Taken | Refusal


Note = Callable[[Sequence[Member]], None]


def take_tar(body: Body, store: ObjectStore, max_bytes: int, note: Note) -> None:
    """Bring every member into the store and hand groups of them to ``note``, each when its bytes are durable.

    Raises ``UsageError`` where the stream is no tar or breaks off (all whole members were noted before), and
    ``StorageError``.
    """
    reader = _Reader(body)
    group = _Group(store, note)
    try:
        for held in _members(reader, store, max_bytes):
            group.add(held)
    except (_DamagedError, tarfile.TarError) as error:
        noted = group.close()
        raise UsageError(_what_is_wrong(reader.start, noted)) from error
    group.close()
    reader.drain()


def _what_is_wrong(start: bytes, noted: int) -> str:
    other = name_other_type(start)
    if noted == 0 and other is not None:
        return f"this is {other}, not a tar; send an uncompressed tar, for photos do not compress"
    if noted == 0:
        return "this is no tar, or it breaks off in its first file; send it again"
    return f"the tar breaks off after {noted} files, which are kept; send it again, nothing is stored twice"


@dataclass(slots=True)
class _Held:
    """A member whose bytes came and are not durable yet."""

    label: str
    size_bytes: int
    taking: Taking | Refusal


@dataclass(slots=True)
class _Group:
    store: ObjectStore
    note: Note
    held: list[_Held] = field(default_factory=list)
    size_bytes: int = 0
    noted: int = 0

    def add(self, held: _Held) -> None:
        self.held.append(held)
        self.size_bytes += held.size_bytes
        if len(self.held) >= _GROUP_FILES or self.size_bytes >= _GROUP_BYTES:
            self._flush()

    def close(self) -> int:
        """Note the rest; how many files were noted in all."""
        self._flush()
        return self.noted

    def _flush(self) -> None:
        takings = [held.taking for held in self.held if isinstance(held.taking, Taking)]
        outcomes = iter(finish_together(self.store, takings))
        members = []
        for held in self.held:
            if isinstance(held.taking, Refusal):
                file = AnnouncedFile(held.label, _EMPTY_SHA256, 0)
                members.append(Member(file, held.taking))
            else:
                file = AnnouncedFile(held.label, held.taking.sha256, held.taking.size_bytes)
                members.append(Member(file, next(outcomes)))
        if members:
            self.note(members)
        self.noted += len(members)
        self.held, self.size_bytes = [], 0


def _members(reader: _Reader, store: ObjectStore, max_bytes: int) -> Iterator[_Held]:
    # "r|" reads forward only, whatever the headers say
    with tarfile.open(fileobj=reader, mode="r|", bufsize=_CHUNK_BYTES, tarinfo=_Header) as tar:  # type: ignore[call-overload]
        while (member := tar.next()) is not None:
            tar.members.clear()  # it would keep them all
            if member.isdir():
                continue
            content = tar.extractfile(member) if member.isreg() and not member.issparse() else None
            if content is None:
                yield _Held(_label(member.name), 0, _NO_FILE)
            else:
                yield _held(member, content, store, max_bytes)


def _held(member: tarfile.TarInfo, content: IO[bytes], store: ObjectStore, max_bytes: int) -> _Held:
    taking = Taking(store, max_bytes)
    try:
        while chunk := content.read(_CHUNK_BYTES):
            taking.write(chunk)
        if taking.size_bytes != member.size:
            raise _DamagedError
    except BaseException:
        taking.discard()
        raise
    return _Held(_label(member.name), member.size, taking)


_NO_FILE = Refusal(
    RejectReason.NOT_AN_IMAGE, "This is a link or a special file; put the file itself into the tar (tar --dereference)."
)


def _label(name: str) -> str:
    parts = ["_" if part == ".." else part for part in name.replace("\\", "/").split("/")]
    return path_label("/".join(parts)[-MAX_PATH_CHARS:] or "_")


class _DamagedError(Exception):
    """The tar is damaged or breaks off. No TarError: tarfile takes some of those for the end of the archive."""


class _Header(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # a block of zeros: the proper end
            raise
        except tarfile.HeaderError as error:
            raise _DamagedError from error
        if header.type in _DESCRIBING_TYPES and header.size > _MAX_DESCRIPTION_BYTES:
            raise _DamagedError  # tarfile would read it into memory
        return header


class _Reader:
    """What tarfile reads from; remembers how the stream began."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self.start = b""

    def read(self, size: int) -> bytes:
        data = self._body.read(size)
        self.start = self.start or data[:_BLOCK_BYTES]
        return data

    def drain(self) -> None:
        """Read what follows the end of the archive, so that the sender is heard out."""
        while self.read(_CHUNK_BYTES):
            pass
