"""The bytes go out: several threads, one limit on their pace, each file whole or not at all."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ocr_service.errors import UsageError
from ocr_service.states import FileState
from ocr_service.upload.bandwidth import TokenBucket
from ocr_service.upload.columns import FileFacts
from ocr_service.upload.folder import LocalFile
from ocr_service.upload.hashing import FileTroubleError, read_file
from ocr_service.upload.journal import Entry, Journal
from ocr_service.upload.line import StoppedError
from ocr_service.upload.server import Answer, Place, Server, Unable
from ocr_service.upload.tally import Phase, Tally

_ASKED_AT_ONCE = 100
_ASKED_BYTES = 8_000_000
"""Places are asked for just before they are used: those of an object store expire, often after an hour. At 10 kB/s so
many bytes are a quarter of one."""

_COMPLETED_AT_ONCE = 50
_TRIES = 3
"""So often may the server turn the same bytes away before the file is set aside."""

_LOOK_S = 0.2
_NOTHING = FileFacts()


@dataclass(frozen=True, slots=True)
class Shipment:
    """What one run hands in, and where. ``troubles`` holds what is wrong with files that do not go, by path."""

    server: Server
    batch_id: int
    journal: Journal
    folder: Path
    files: Mapping[str, LocalFile]
    facts: Mapping[str, FileFacts]
    tally: Tally
    stop: threading.Event
    troubles: dict[str, str]
    unheard: set[str] = field(default_factory=set)
    """Paths of which the server keeps something else than it was told now."""

    tries: Counter[str] = field(default_factory=Counter)

    def pending(self) -> list[Entry]:
        """Files that the server has yet to take or to refuse, without those in trouble."""
        return [
            entry
            for path in self.files
            if path not in self.troubles and (entry := self.journal.entries.get(path)) and not entry.is_settled
        ]

    def announce(self, entries: Sequence[Entry]) -> list[tuple[Entry, Answer]]:
        """Tell the server of files and keep what it says; files that it cannot even note are in trouble."""
        asked = [(entry, self.facts.get(entry.path, _NOTHING)) for entry in entries]
        answers = self.server.announce(self.batch_id, asked)
        if isinstance(answers, Unable):
            if len(entries) == 1:
                self.troubles[entries[0].path] = answers.detail
                return []
            half = len(entries) // 2  # one file of a thousand does not fit: find it, the others go on
            return self.announce(entries[:half]) + self.announce(entries[half:])
        said = [
            (replace(as_answered(entry, answer), told=self._told(entry, facts, answer)), answer)
            for (entry, facts), answer in zip(asked, answers, strict=True)
        ]
        self.journal.note([entry for entry, _ in said])
        return said

    def _told(self, entry: Entry, facts: FileFacts, answer: Answer) -> str:
        """What the server holds of a file: what it was told last, until it had the bytes; nothing makes it forget."""
        before, now = json.loads(entry.told or "{}"), facts.to_json()
        if answer.too_late or (self.facts and before.keys() - now.keys()):
            self.unheard.add(entry.path)
        return entry.told if answer.too_late else json.dumps(before | now, ensure_ascii=False, sort_keys=True)

    def bounce(self, path: str, detail: str) -> None:
        """Note that bytes were turned away; they get further tries, but not for ever."""
        self.tries[path] += 1
        if self.tries[path] >= _TRIES:
            self.troubles[path] = detail

    def read(self, entry: Entry) -> bytes | None:
        """The bytes of a file, None (and a trouble) where they are not what was announced."""
        try:
            return read_file(self.files[entry.path], entry.sha256)
        except FileTroubleError as error:
            if not self.folder.is_dir() or next(self.folder.iterdir(), None) is None:
                raise UsageError(f"{self.folder} is gone; plug the disk in and run the same command again") from error
            self.troubles[entry.path] = str(error)
            self.journal.note([replace(entry, mtime_ns=0)])  # size and time may not tell: the next run hashes it again
            return None

    def paced(self, data: bytes, bucket: TokenBucket) -> Iterator[bytes]:
        """Bytes in pieces, as fast as they may go. Raises ``StoppedError``."""
        size_bytes = bucket.piece_bytes
        for at in range(0, len(data), size_bytes):
            piece = data[at : at + size_bytes]
            if self.stop.wait(bucket.take(len(piece), time.monotonic())):
                raise StoppedError
            yield piece
            self.tally.sent(len(piece))


def complete_placed(shipment: Shipment) -> None:
    """Tell the server of bytes that an earlier run brought to the object store."""
    placed = [entry for entry in shipment.pending() if entry.placed]
    for at in range(0, len(placed), _COMPLETED_AT_ONCE):
        _complete(shipment, placed[at : at + _COMPLETED_AT_ONCE])


def send_all(shipment: Shipment, *, threads: int, bucket: TokenBucket) -> None:
    """Send every pending file once. Raises what the server raises; other threads then end as well."""
    pending = shipment.pending()
    shipment.tally.begin(Phase.SENDING, files=len(pending), size_bytes=sum(entry.size_bytes for entry in pending))
    queue = _Queue(shipment, pending)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            while not failed and (job := queue.take()) is not None:
                _send(shipment, queue, *job, bucket)
        except BaseException as error:  # handed to the thread that waits for this one
            failed.append(error)

    # daemons: one that hangs in a dead connection must not keep a stopped run from ending
    workers = [threading.Thread(target=work, daemon=True, name=f"send-{n}") for n in range(threads)]
    for worker in workers:
        worker.start()
    try:
        for worker in workers:
            while worker.is_alive() and not (shipment.stop.is_set() or failed):
                worker.join(_LOOK_S)
        if shipment.stop.is_set():
            raise StoppedError
        if failed:
            raise failed[0]
        queue.complete_rest()
    finally:
        failed.append(StoppedError())  # whoever still works ends with its file


class _Queue:
    """What is to be sent, in order, with the places that it is to be sent to. Thread-safe."""

    def __init__(self, shipment: Shipment, entries: Sequence[Entry]) -> None:
        self._shipment = shipment
        self._waiting = deque(entries)
        self._ready: deque[tuple[Entry, Place]] = deque()
        self._in_work: set[str] = set()
        self._placed: list[Entry] = []
        self._lock = threading.Lock()

    def take(self) -> tuple[Entry, Place] | None:
        """The next file and where its bytes are wanted; None when nothing is left."""
        with self._lock:
            while not self._ready and self._waiting:
                for entry, answer in self._shipment.announce(self._group()):
                    if entry.is_settled:
                        self._shipment.tally.done(size_bytes=entry.size_bytes)
                    # bytes that two files share go once; the next round hears that the other is a duplicate
                    elif answer.place is not None and entry.sha256 not in self._in_work:
                        self._in_work.add(entry.sha256)
                        self._ready.append((entry, answer.place))
            return self._ready.popleft() if self._ready else None

    def give_back(self, entry: Entry) -> None:
        """It is to be sent again, after the others."""
        with self._lock:
            self._in_work.discard(entry.sha256)
            self._waiting.append(entry)

    def note_placed(self, entry: Entry) -> None:
        """The bytes lie in the object store; the server is told of several at once."""
        with self._lock:
            self._placed.append(entry)
            full = self._placed if len(self._placed) >= _COMPLETED_AT_ONCE else []
            if full:
                self._placed = []
        if full:
            _complete(self._shipment, full)

    def complete_rest(self) -> None:
        """Tell the server of what it was not told yet."""
        if self._placed:
            _complete(self._shipment, self._placed)

    def _group(self) -> list[Entry]:
        group: list[Entry] = []
        while self._waiting and len(group) < _ASKED_AT_ONCE:
            if group and sum(entry.size_bytes for entry in group) + self._waiting[0].size_bytes > _ASKED_BYTES:
                break
            group.append(self._waiting.popleft())
        return group


def _send(shipment: Shipment, queue: _Queue, entry: Entry, place: Place, bucket: TokenBucket) -> None:
    data = shipment.read(entry)
    if data is None:
        return
    answer = shipment.server.put(place, lambda: shipment.paced(data, bucket), len(data))
    if isinstance(answer, Unable):
        shipment.bounce(entry.path, answer.detail)
        if entry.path not in shipment.troubles:
            queue.give_back(entry)
        return
    if answer is None:
        placed = replace(entry, placed=True)
        shipment.journal.note([placed])
        queue.note_placed(placed)
    elif answer.path == entry.path:  # else another file with the same bytes; the next round hears of this one
        shipment.journal.note([as_answered(entry, answer)])
    shipment.tally.done(size_bytes=entry.size_bytes)


def _complete(shipment: Shipment, entries: Sequence[Entry]) -> None:
    said = {
        answer.sha256: answer for answer in shipment.server.complete(shipment.batch_id, [e.sha256 for e in entries])
    }
    done = []
    for entry in entries:
        answer = said.get(entry.sha256)
        taken = answer is not None and answer.state is not FileState.ANNOUNCED
        if not taken:
            shipment.bounce(entry.path, (answer and answer.detail) or "the object store does not have all of its bytes")
        same = answer is not None and answer.path == entry.path
        done.append(as_answered(entry, answer) if answer is not None and same else replace(entry, placed=False))
    shipment.journal.note(done)


def as_answered(entry: Entry, answer: Answer) -> Entry:
    """What is known of a file after an answer."""
    placed = entry.placed and answer.state is FileState.ANNOUNCED
    return replace(entry, state=answer.state, detail=answer.detail, placed=placed)
