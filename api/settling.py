"""Deliveries of many requests are noted together: one transaction, one sync of the disk, for whatever waits.

Nobody waits for a group to fill: while one is written, the next gathers (group commit).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from ocr_service.database import Database
from ocr_service.database.accounts import FileStanding
from ocr_service.intake.announcing import Delivery, settle

_MAX_GROUP = 64  # keeps the write lock short for readers that finish photos meanwhile

Noted = Future[list[FileStanding]]


class Settler:
    """Notes deliveries in the order in which they come, from a thread of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[tuple[Delivery, Noted]] = deque()
        self._thread = ThreadPoolExecutor(1, "settle")

    def hand_in(self, delivery: Delivery) -> Noted:
        """Where the files of the delivery stand, once that is committed; the future raises what went wrong."""
        noted: Noted = Future()
        self._waiting.append((delivery, noted))
        self._thread.submit(self._settle_waiting)
        return noted

    def _settle_waiting(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MAX_GROUP))]
        # whoever went away meanwhile is not told, but what they sent is noted all the same
        group = [(delivery, noted if noted.set_running_or_notify_cancel() else Future()) for delivery, noted in group]
        try:
            self._settle(group)
        except Exception as error:
            if len(group) == 1:
                group[0][1].set_exception(error)
                return
            for one in group:  # one that cannot be noted must not take its neighbours along
                try:
                    self._settle([one])
                except Exception as its_own:
                    one[1].set_exception(its_own)

    def _settle(self, group: Sequence[tuple[Delivery, Noted]]) -> None:
        if not group:
            return
        with self._database.writing() as session:
            standing = settle(session, [delivery for delivery, _ in group])
        for (_, noted), files in zip(group, standing, strict=True):
            noted.set_result(files)
