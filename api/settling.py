"""Deliveries of many requests are noted together: one transaction, one sync of the disk, for whatever waits.

Nobody waits for a group to fill: while one is written, the next gathers (group commit).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from ocr_service.database import Database
from ocr_service.database.accounts import FileStanding
from ocr_service.intake.announcing import Delivery, settle
from ocr_service.intake.taking import Taking, finish_together
from ocr_service.storage import ObjectStore

_MAX_GROUP = 64  # keeps the write lock short for readers that finish photos meanwhile


@dataclass(frozen=True, slots=True)
class Parcel:
    """The bytes that came for a file of a batch, not durable yet. ``by`` is who sent them."""

    batch_id: int
    sha256: str
    taking: Taking
    by: str


@dataclass(frozen=True, slots=True)
class _Waiting:
    parcel: Parcel
    noted: Future[FileStanding] = field(default_factory=Future)


class Settler:
    """Makes parcels durable and notes them, in the order in which they come, from a thread of its own."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database, self._store = database, store
        self._waiting: deque[_Waiting] = deque()
        self._thread = ThreadPoolExecutor(1, "settle")

    def hand_in(self, parcel: Parcel) -> Future[FileStanding]:
        """Where the file stands, once that is committed; the future raises what went wrong."""
        waiting = _Waiting(parcel)
        waiting.noted.set_running_or_notify_cancel()  # whoever goes away is not told, but what they sent is noted
        self._waiting.append(waiting)
        self._thread.submit(self._settle_waiting)
        return waiting.noted

    def _settle_waiting(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MAX_GROUP))]
        if not group:
            return  # they went with an earlier group
        try:
            outcomes = finish_together(self._store, [one.parcel.taking for one in group])
            deliveries = [
                Delivery(one.parcel.batch_id, one.parcel.sha256, outcome, one.parcel.by)
                for one, outcome in zip(group, outcomes, strict=True)
            ]
            self._note(group, deliveries)
        except Exception as error:
            for one in group:
                one.noted.set_exception(error)

    def _note(self, group: Sequence[_Waiting], deliveries: Sequence[Delivery]) -> None:
        with self._database.writing() as session:
            standing = settle(session, deliveries)
        for one, file in zip(group, standing, strict=True):
            one.noted.set_result(file)
