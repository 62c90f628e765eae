"""What one reading process does all day: claim photos, read each, store what was read.

One thread holds the claims and talks to the database; others fetch bytes and read. What was finished while it wrote
goes together into its next transaction, with the photos that are begun next: transactions grow with the load by
themselves, and nobody waits for company.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import structlog

from ocr_service import intake, metrics
from ocr_service.database import Database
from ocr_service.database.values import Claim
from ocr_service.errors import HeadstoneError, NotFoundError, StorageError
from ocr_service.records import Context, Reading
from ocr_service.settings import Settings
from ocr_service.storage import ObjectStore
from workers.in_work import InWork
from workers.results import Done, group_shots, note, store_results
from workers.sources import Source
from workers.transactions import Refused, in_transaction

log = structlog.get_logger(__name__)

ReadPhoto = Callable[[bytes, str, Context], Reading]
"""Bytes, file name and context become a reading; expected failures are readings with a reason."""

_SLEEP_S = 0.1
_LOOK_UP_S = 1.0  # how often a stop and new work are looked for while photos are read
_GROUP_EVERY_S = 1.0
_REST_EVERY_S = 5.0
_MAX_BACKOFF_S = 30.0


@dataclass(frozen=True, slots=True)
class Desk:
    """What a reading process works with. ``owner`` names it in leases."""

    database: Database
    store: ObjectStore
    read: ReadPhoto
    owner: str
    settings: Settings


@dataclass(frozen=True, slots=True)
class _Held:
    """A photo that was claimed and whose bytes are on their way."""

    claim: Claim
    data: Future[bytes]


class ReadingLoop:
    """Reads photos, ``side_by_side`` at a time, until ``stopping`` says so. Use it in a ``with`` block.

    ``on_oldest`` is told the monotonic time when the longest photo in work was begun, and 0 when none is left.
    """

    def __init__(
        self, desk: Desk, side_by_side: int, stopping: Callable[[], bool], on_oldest: Callable[[float], None]
    ) -> None:
        self._desk = desk
        self._lanes = side_by_side
        self._stopping = stopping
        self._in_work = InWork(on_oldest)
        self._readers = ThreadPoolExecutor(side_by_side, "reader")
        self._fetchers = ThreadPoolExecutor(max(side_by_side, 2), "fetcher")
        self._grouping: Future[None] | None = None
        self._grouped_at = 0.0
        self._known_good: str | None = None
        self._backoff_s = 0.0
        self._claim_not_before = 0.0
        self._waiting: deque[_Held] = deque()
        self._reading: dict[Future[Done], Claim] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._readers.shutdown(wait=kind is None, cancel_futures=True)
        self._fetchers.shutdown(wait=kind is None)

    def read(self, source: Source) -> None:
        """Read what ``source`` claims until it finds nothing more or ``stopping``; what was not begun is handed back.

        A database or an object store that does not answer is waited for; no photo is blamed for it.
        """
        done: list[Done] = []
        while True:
            if self._stopping():
                self._release([self._waiting.popleft() for _ in range(len(self._waiting))])
            elif len(self._waiting) < self._lanes and time.monotonic() >= self._claim_not_before:
                self._claim(source)
            self._settle(done, self._next())
            if self._reading or self._waiting:
                done = self._await()
            elif done:
                done = []  # one that broke its reader waits again: claim once more
            elif self._stopping() or time.monotonic() >= self._claim_not_before:
                self._group_shots()
                return
            else:
                time.sleep(_SLEEP_S)

    def rest(self) -> None:
        """Do what is left to do where nothing is read; may be called as often as one likes."""
        if time.monotonic() - self._grouped_at > _REST_EVERY_S:
            self._group_shots()

    # --- claims

    def _claim(self, source: Source) -> None:
        desk = self._desk
        limit = max(desk.settings.claim_size, self._lanes) - len(self._waiting)
        claims = in_transaction(desk.database, lambda session: source(session, desk.owner, limit))
        for claim in claims:
            metrics.PHOTOS_CLAIMED.labels(priority=claim.priority.name.lower()).inc()
            self._waiting.append(_Held(claim, self._fetchers.submit(desk.store.read, claim.sha256)))

    def _release(self, held: Sequence[_Held]) -> None:
        if held:
            database = self._desk.database
            in_transaction(database, lambda session: [intake.release(session, one.claim) for one in held])

    def _next(self) -> list[_Held]:
        """Take those of the waiting that can be begun now, in their order.

        A photo that was tried before may be one that kills its reader: it is read alone, so that it takes no neighbours
        along again.
        """
        chosen: list[_Held] = []
        alone = any(claim.attempts > 1 for claim in self._reading.values())
        while self._waiting and not alone and len(self._reading) + len(chosen) < self._lanes:
            held = self._waiting[0]
            alone = held.claim.attempts > 0
            if not held.data.done() or (alone and (chosen or self._reading)):
                break
            chosen.append(self._waiting.popleft())
        return chosen

    # --- reading

    def _await(self) -> list[Done]:
        """Wait until something can be done; gives what was read meanwhile."""
        awaited: list[Future[Any]] = [*self._reading]
        if self._waiting and not self._waiting[0].data.done():
            awaited.append(self._waiting[0].data)
        ended, _ = wait(awaited, _LOOK_UP_S, FIRST_COMPLETED)
        finished = [future for future in self._reading if future in ended]
        for future in finished:
            del self._reading[future]
        return [future.result() for future in finished]

    def _begin_reading(self, claim: Claim, data: bytes | Exception) -> None:
        # now and not in its thread: a photo must not end before the supervisor could know that it began
        self._in_work.begin(claim.photo_id)
        self._reading[self._readers.submit(self._read_one, claim, data)] = claim

    def _read_one(self, claim: Claim, data: bytes | Exception) -> Done:
        started = time.monotonic()
        with structlog.contextvars.bound_contextvars(photo_id=claim.photo_id, batch_id=claim.batch_id):
            try:
                if isinstance(data, Exception):
                    raise data
                result: Reading | Exception = self._desk.read(data, claim.filename, claim.context)
            except Exception as error:
                # one photo that breaks the reader must not stop the others; its row keeps what was seen
                log.exception("a photo broke the reader")
                result = error
            finally:
                self._in_work.end(claim.photo_id)
        return Done(claim, result, time.monotonic() - started)

    # --- storing

    def _settle(self, done: Sequence[Done], chosen: Sequence[_Held]) -> None:
        """Store what is done and begin what was chosen, in one transaction."""
        fetched, unreachable = self._fetched(chosen)
        if unreachable:
            self._release(unreachable)
            self._back_off()
        if not done and not fetched:
            return
        claims = [claim for claim, _ in fetched]
        lease_s = self._desk.settings.lease_s
        try:
            kept, begun = in_transaction(
                self._desk.database,
                lambda session: (
                    store_results(session, done, self._desk.settings.max_attempts),
                    intake.begin_many(session, claims, lease_s=lease_s) if claims else [],
                ),
            )
        except Refused:  # one of the results cannot be stored: find out which
            alone = [self._store_alone(one) for one in done]
            done, kept = [stored for stored, _ in alone], [held for _, held in alone]
            begun = in_transaction(self._desk.database, lambda s: intake.begin_many(s, claims, lease_s=lease_s))
        data = {claim.photo_id: bytes_ for claim, bytes_ in fetched}
        for claim in begun:
            self._begin_reading(claim, data[claim.photo_id])
        for one, was_kept in zip(done, kept, strict=True):
            note(one, was_kept, self._desk.settings.max_attempts)
        if done and time.monotonic() - self._grouped_at > _GROUP_EVERY_S:
            self._group_shots()

    def _store_alone(self, done: Done) -> tuple[Done, bool]:
        """Store one result, or that it cannot be stored; gives what was stored and whether the claim held."""
        try:
            return done, self._store([done])[0]
        except Refused as error:
            seen = Done(done.claim, HeadstoneError(f"what was read cannot be stored: {error}"), done.seconds)
            return seen, self._store([seen])[0]

    def _store(self, done: Sequence[Done]) -> list[bool]:
        attempts = self._desk.settings.max_attempts
        return in_transaction(self._desk.database, lambda session: store_results(session, done, attempts))

    def _fetched(self, chosen: Sequence[_Held]) -> tuple[list[tuple[Claim, bytes | Exception]], list[_Held]]:
        """Photos with their bytes, or with why these are not to be had; and those whose store is away.

        A store that gives another photo that it gave before is not away: then the fault is this photo's own. One that
        has just been started may not even know what it holds.
        """
        fetched: list[tuple[Claim, bytes | Exception]] = []
        unreachable: list[_Held] = []
        for held in chosen:
            error = held.data.exception()
            if error is None:
                self._known_good = held.claim.sha256
                self._backoff_s = 0.0
                fetched.append((held.claim, held.data.result()))
            elif isinstance(error, StorageError | NotFoundError) and (unreachable or not self._store_answers(error)):
                unreachable.append(held)
            elif isinstance(error, Exception):
                fetched.append((held.claim, error))
            else:
                raise error
        return fetched, unreachable

    def _store_answers(self, error: StorageError | NotFoundError) -> bool:
        if self._known_good is None:
            return isinstance(error, NotFoundError)
        try:
            self._desk.store.read(self._known_good)
        except HeadstoneError:
            return False
        return True

    def _group_shots(self) -> None:
        """Tell which photos show one grave, beside what is read; what is not told now is told later."""
        if self._grouping is None or self._grouping.done():
            self._grouped_at = time.monotonic()
            self._grouping = self._fetchers.submit(group_shots, self._desk.database)

    def _back_off(self) -> None:
        self._backoff_s = min(max(2 * self._backoff_s, 1.0), _MAX_BACKOFF_S)
        self._claim_not_before = time.monotonic() + self._backoff_s
        log.error("the object store does not answer", owner=self._desk.owner, wait_s=self._backoff_s)
