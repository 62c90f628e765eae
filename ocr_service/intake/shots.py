"""Photos of a batch that show one grave find each other as they are read, in whatever order that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from ocr_service.database import shots
from ocr_service.database.types import utc_now


def group_shots(session: Session, *, limit: int = 64, now: datetime | None = None) -> int:
    """Tell of up to ``limit`` photos that were just read which others show their graves. How many; 0 at the end.

    Call it after what was read is committed, in a transaction of its own: what a crash interrupts stays due, as does
    what another process is busy with, and is told by the next call, whoever makes it.
    """
    now = now or utc_now()
    batch_id = shots.take_batch(session, limit)
    if batch_id is None:
        return 0
    due = shots.due(session, batch_id, limit)
    attach_shots(session, batch_id, due, now)
    return len(due)


def attach_shots(session: Session, batch_id: int, photo_ids: Sequence[int], now: datetime) -> None:
    """Tell anew which neighbours of photos that were just read show their graves, and which of them shows each best.

    ``photo_ids`` are in order. The window around them reaches one grave further than the photos that are told anew, so
    that its edge cuts no group in two.
    """
    from ocr_service.reading.shots import REACH, group_shots  # the reader's libraries, which only readers need

    for run in _runs(photo_ids, 4 * REACH):
        around = shots.readings_around(session, batch_id, run[0], run[-1], 2 * REACH)
        graves = group_shots([reading for _, reading in around])
        ids = [photo_id for photo_id, _ in around]
        places = [ids.index(photo_id) for photo_id in run]
        near = {at for place in places for at in ids[max(0, place - REACH) : place + REACH + 1]}
        shots.attach(session, near, [(ids[grave.best], [ids[at] for at in grave.shots]) for grave in graves], now)
    shots.mark_told(session, photo_ids)


def _runs(photo_ids: Sequence[int], gap: int) -> Iterator[list[int]]:
    """Photos that came close to each other share a window."""
    run: list[int] = []
    for photo_id in photo_ids:
        if run and photo_id - run[-1] > gap:
            yield run
            run = []
        run.append(photo_id)
    if run:
        yield run
