from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import isnan
from typing import Any

import pytest
from sqlalchemy import func, select, update

from ocr_service import intake
from ocr_service.database import Database
from ocr_service.database.models import Photo, ReadingRow, RecordRow
from ocr_service.database.values import Claim
from ocr_service.intake.claims import REPHOTOGRAPH_FLAG
from ocr_service.reading import outcome
from ocr_service.records import Context, Field, Reading, ReadingStatus, RejectReason
from ocr_service.states import PhotoState, Priority
from ocr_service.storage import LocalStore

Receive = Callable[..., list[int]]
ReadingOf = Callable[..., Reading]
WAITING, BULK = Priority.WAITING, Priority.BULK


@pytest.fixture
def receive(database: Database, store: LocalStore, now: datetime) -> Receive:
    """Photos of some priority; gives their ids."""
    made = 0

    def take(count: int, priority: Priority = BULK, **more: Any) -> list[int]:
        nonlocal made
        ids = []
        with database.writing() as session:
            for _ in range(count):
                made += 1
                data = b"\xff\xd8\xff\xe0" + made.to_bytes(2, "big")
                got = intake.receive(session, store, data, filename=f"{made}.jpg", received_by="thu", now=now, **more)
                assert got.photo_id is not None
                ids.append(got.photo_id)
            session.execute(update(Photo).where(Photo.id.in_(ids)).values(priority=int(priority)))
        return ids

    return take


def claim(database: Database, now: datetime, owner: str = "w1", limit: int = 100, **more: Any) -> list[Claim]:
    with database.writing() as session:
        return intake.claim_photos(session, owner, limit=limit, lease_s=60, max_attempts=3, now=now, **more)


def ids_of(claims: Sequence[Claim]) -> list[int]:
    return [claim.photo_id for claim in claims]


def publish(database: Database, now: datetime, **more: int) -> dict[Priority, list[int]]:
    with database.writing() as session:
        named = intake.photos_to_publish(session, now=now, **{"window": 100, "stale_s": 600, "limit": 100, **more})
    return dict(named)


def test_photos_that_people_wait_for_are_claimed_first(database: Database, receive: Receive, now: datetime) -> None:
    bulk, waiting = receive(3), receive(2, WAITING)
    claims = claim(database, now, limit=4)
    assert ids_of(claims) == [*waiting, *bulk[:2]]
    assert [one.priority for one in claims] == [WAITING, WAITING, BULK, BULK]


def test_a_message_gets_the_photos_that_it_names_and_that_still_wait(
    database: Database, receive: Receive, now: datetime
) -> None:
    ids = receive(6)
    claim(database, now, "other", ids=ids[:2])
    assert ids_of(claim(database, now, ids=[*ids[:4], 10**6])) == ids[2:4]
    assert claim(database, now, ids=[]) == []
    assert ids_of(claim(database, now, ids=ids, limit=1)) == ids[4:5]


def test_beginning_many_counts_a_try_for_those_that_still_hold(
    database: Database, receive: Receive, now: datetime
) -> None:
    receive(3)
    claims = claim(database, now)
    with database.writing() as session:
        assert intake.release(session, claims[1], now=now)
        begun = intake.begin_many(session, claims, lease_s=90, now=now)
    assert [(one.photo_id, one.attempts, one.until) for one in begun] == [
        (held.photo_id, 1, now + timedelta(seconds=90)) for held in (claims[0], claims[2])
    ]


def test_finishing_many_stores_exactly_what_still_holds(
    database: Database, receive: Receive, now: datetime, reading_of: ReadingOf
) -> None:
    ids = receive(4, context=Context(cemetery="NTLS Tân Phú"))
    claims = claim(database, now)
    with database.writing() as session:
        intake.release(session, claims[1], now=now)
    (taken,) = claim(database, now, "w2")
    cut = Reading("3.jpg", claims[2].sha256, ReadingStatus.REJECTED, RejectReason.TRUNCATED, "The picture breaks off.")
    spoilt = reading_of(claims[3].sha256, flags=Field([REPHOTOGRAPH_FLAG], None, 1.0))
    done = [
        (claims[0], reading_of(claims[0].sha256)),
        (claims[1], reading_of(claims[1].sha256, "TRẦN ĐÌNH CHIẾN")),
        (claims[2], cut),
        (claims[3], spoilt),
        (claims[0], reading_of(claims[0].sha256, "LÊ VĂN HAI LẦN")),
    ]
    with database.writing() as session:
        assert intake.finish_many(session, done, now=now) == [True, False, True, True, False]
        assert intake.finish_many(session, [], now=now) == []
    with database.reading() as session:
        states = dict(session.execute(select(Photo.id, Photo.state)).all())
        assert [states[photo_id] for photo_id in ids] == [
            PhotoState.IN_VERIFICATION,
            PhotoState.READING,
            PhotoState.REJECTED,
            PhotoState.IN_VERIFICATION,
        ]
        assert session.scalars(select(ReadingRow.photo_id).order_by(ReadingRow.photo_id)).all() == [
            ids[0],
            ids[2],
            ids[3],
        ]
        drafts = session.scalars(select(RecordRow).order_by(RecordRow.photo_id)).all()
        assert [draft.photo_id for draft in drafts] == [ids[0], ids[3]]
        assert all(" tan" in draft.search_key and draft.cemetery_id == 1 for draft in drafts)
        assert [intake.get_reading(session, photo_id) for photo_id in ids] == [done[0][1], None, cut, spoilt]
        assert session.scalars(select(Photo.id).where(Photo.needs_rephotograph)).all() == [ids[3]]
    with database.writing() as session:
        assert intake.finish(session, taken, reading_of(taken.sha256), now=now)


def test_the_store_knows_the_flag_by_its_name_in_the_reading() -> None:
    assert REPHOTOGRAPH_FLAG == outcome.REPHOTOGRAPH_FLAG


def test_leases_that_ran_out_are_taken_back_with_what_was_seen(
    database: Database, receive: Receive, now: datetime
) -> None:
    once, thrice = receive(2)
    for hour in range(3):
        then = now + timedelta(hours=hour)
        claims = {one.photo_id: one for one in claim(database, then, f"w{hour}")}
        with database.writing() as session:
            intake.begin_many(session, [claims[thrice], *([claims[once]] if hour == 2 else [])], lease_s=60, now=then)
    with database.writing() as session:
        assert intake.give_back_expired(session, max_attempts=3, now=now + timedelta(hours=3)) == 2
        assert intake.give_back_expired(session, max_attempts=3, now=now + timedelta(hours=3)) == 0
    with database.reading() as session:
        photos = [intake.get_photo(session, photo_id) for photo_id in (once, thrice)]
    assert [(photo.state, photo.reason, photo.detail) for photo in photos] == [
        (PhotoState.RECEIVED, None, "its reader fell silent (w2)"),
        (
            PhotoState.FAILED,
            RejectReason.READER_FAILED,
            "given up after 3 tries; the last time its reader fell silent (w2)",
        ),
    ]


def test_waiting_photos_are_named_once_by_priority(database: Database, receive: Receive, now: datetime) -> None:
    bulk, waiting = receive(3), receive(2, WAITING)
    assert publish(database, now) == {WAITING: waiting, BULK: bulk}
    assert publish(database, now) == {WAITING: [], BULK: []}


def test_only_a_window_of_unclaimed_photos_is_named_at_a_time(
    database: Database, receive: Receive, now: datetime
) -> None:
    bulk = receive(7)
    assert publish(database, now, window=5, limit=3)[BULK] == bulk[:3]
    assert publish(database, now, window=5, limit=3)[BULK] == bulk[3:5]
    assert publish(database, now, window=5)[BULK] == []
    claim(database, now, ids=bulk[:2])
    waiting = receive(1, WAITING)  # a window that is full of others does not hold up people
    assert publish(database, now, window=5) == {WAITING: waiting, BULK: bulk[5:]}


def test_photos_whose_message_brought_no_reader_are_named_again(
    database: Database, receive: Receive, now: datetime
) -> None:
    forgotten = receive(4)
    publish(database, now)
    new = receive(2)
    soon, late = now + timedelta(seconds=599), now + timedelta(seconds=601)
    assert publish(database, soon, limit=1)[BULK] == new[:1]
    assert publish(database, late, window=5)[BULK] == forgotten  # room for five, of which one is taken up
    assert publish(database, late)[BULK] == new[1:]


@pytest.mark.parametrize("way", ["released", "failed", "expired", "dead"])
def test_a_photo_that_was_given_back_is_named_again_at_once(
    database: Database, receive: Receive, now: datetime, way: str
) -> None:
    ids = receive(1)
    assert publish(database, now)[BULK] == ids
    (held,) = claim(database, now, ids=ids)
    assert publish(database, now)[BULK] == []
    later = now + timedelta(seconds=61)
    with database.writing() as session:
        if way == "released":
            intake.release(session, held, now=now)
        elif way == "failed":
            intake.fail(session, held, "ValueError: broken", max_attempts=3, now=now)
        elif way == "expired":
            intake.give_back_expired(session, max_attempts=3, now=later)
        else:
            intake.give_back_claims(session, "w1", "its reader was ended by SIGKILL", max_attempts=3, now=now)
    assert publish(database, later)[BULK] == ids


def test_nothing_is_read_twice_whatever_becomes_of_its_readers(
    database: Database, receive: Receive, now: datetime, reading_of: ReadingOf
) -> None:
    receive(12)
    late: list[Claim] = []
    for hour in range(6):
        then = now + timedelta(hours=hour)
        claims = claim(database, then, f"w{hour % 2}", limit=5)
        done = [(one, reading_of(one.sha256)) for one in (*late, *claims[:2])]
        with database.writing() as session:
            kept = intake.finish_many(session, done, now=then)
        assert kept == [False] * len(late) + [True, True]
        late += claims
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ReadingRow)) == 12
        assert session.scalar(select(func.count()).select_from(RecordRow)) == 12


def test_what_no_database_may_hold_keeps_no_photo_from_being_stored(
    database: Database, receive: Receive, now: datetime, reading_of: ReadingOf
) -> None:
    ids = receive(2)
    read, broken = claim(database, now)
    odd = replace(
        reading_of(read.sha256, "MẪU \0 \\u0000", age=Field(float("nan"), "\ud800", float("nan"))),
        photo="ảnh \udce1.jpg",
        detail="\0\udce1",
    )
    with database.writing() as session:
        assert intake.finish(session, read, odd, now=now)
        assert intake.fail(session, broken, "ValueError: \0 \udce1.jpg", max_attempts=0, now=now)
    with database.reading() as session:
        stored = intake.get_reading(session, ids[0])
        details = [intake.get_photo(session, photo_id).detail for photo_id in ids]
    assert stored is not None
    assert (stored.photo, stored.record["name"].raw) == ("ảnh \ufffd.jpg", "MẪU \ufffd \\u0000")
    assert isnan(stored.record["age"].confidence)
    assert details == ["\ufffd\ufffd", "ValueError: \ufffd \ufffd.jpg"]
