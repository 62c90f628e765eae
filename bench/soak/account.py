"""What became of every file, by the rows of the database and the bytes of the store."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select

from ocr_service.database import Database
from ocr_service.database.models import Arrival, Photo, ReadingRow, RecordRow
from ocr_service.errors import HeadstoneError
from ocr_service.states import PhotoState
from ocr_service.storage import ObjectStore

_READ = frozenset(
    {
        PhotoState.IN_VERIFICATION,
        PhotoState.VERIFIED,
        PhotoState.FURTHER_SHOT,
        PhotoState.CANNOT_READ,
        PhotoState.NOT_A_HEADSTONE,
    }
)
_SET_ASIDE = frozenset({PhotoState.REJECTED, PhotoState.FAILED})


@dataclass(frozen=True, slots=True)
class Account:
    """Files by what became of them."""

    accounted: int
    lost: int
    double: int
    failed: int


def settled(database: Database) -> Counter[PhotoState]:
    """How many photos are in each state."""
    with database.reading() as session:
        return Counter(dict(session.execute(select(Photo.state, func.count()).group_by(Photo.state)).all()))


def is_at_an_end(states: Counter[PhotoState], photos: int) -> bool:
    """Whether all photos are there and none waits or is being read."""
    return sum(count for state, count in states.items() if state in _READ | _SET_ASIDE) >= photos


def take_account(database: Database, store: ObjectStore) -> Account:
    """Go through every file that was announced and every object that it should have become."""
    with database.reading() as session:
        files = session.execute(
            select(Arrival.sha256, Arrival.photo_id, Arrival.reason, Photo.sha256, Photo.state, Photo.reason)
            .outerjoin(Photo, Photo.id == Arrival.photo_id)
            .order_by(Arrival.id)
        ).all()
        readings = Counter(session.scalars(select(ReadingRow.photo_id)).all())
        records = Counter(session.scalars(select(RecordRow.photo_id)).all())
        ids = session.scalars(select(Photo.id)).all()
    accounted = lost = failed = 0
    for announced, photo_id, refusal, sha256, state, reason in files:
        if photo_id is None:
            accounted += refusal is not None  # what was announced and never came is neither
            continue
        is_read = state in _READ and records[photo_id] > 0 and readings[photo_id] > 0
        is_set_aside = state in _SET_ASIDE and reason is not None
        is_whole = sha256 == announced and _is_there(store, sha256)
        accounted += (is_read or is_set_aside) and is_whole
        lost += not (is_read or is_set_aside) or not is_whole
        failed += state is PhotoState.FAILED
    twice = sum(1 for photo_id in ids if readings[photo_id] > 1 or records[photo_id] > 1)
    photos_of_files = Counter(photo_id for _, photo_id, *_ in files if photo_id is not None)
    return Account(accounted, lost, twice + len(ids) - len(photos_of_files), failed)


def _is_there(store: ObjectStore, sha256: str) -> bool:
    """Whether the store gives the bytes back whole; it hashes what it reads."""
    try:
        store.read(sha256)
    except HeadstoneError:
        return False
    return True
