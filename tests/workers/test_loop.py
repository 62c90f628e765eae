"""The reading loop over a real database and store, with readers that do as they are told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from ocr_service import intake
from ocr_service.database import Database, open_database
from ocr_service.database.models import Photo
from ocr_service.database.types import utc_now
from ocr_service.database.values import Claim, PhotoView
from ocr_service.errors import StorageError
from ocr_service.records import Context, Field, Line, Reading, ReadingStatus
from ocr_service.settings import Settings
from ocr_service.states import PhotoState, Priority
from ocr_service.storage import LocalStore, ObjectStore, object_path
from workers import loop as loop_module
from workers import transactions
from workers.loop import Desk, ReadingLoop, ReadPhoto
from workers.sources import Source, named, whatever_waits

JPEG = b"\xff\xd8\xff\xe0 "


def read(data: bytes, photo: str, context: Context) -> Reading:
    return Reading(photo, "0" * 64, ReadingStatus.READ, bundle=f"{photo}/{context.cemetery}")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, poll_s=0.01, claim_size=2, max_attempts=2)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = open_database(settings.resolved_database_url)
    yield database
    database.close()


def receive(database: Database, settings: Settings, *contents: bytes) -> None:
    with database.writing() as session:
        for content in contents:
            intake.receive(
                session,
                LocalStore(settings.objects_dir),
                JPEG + content,
                filename="a.jpg",
                received_by="thu",
                context=Context(cemetery="Tân Phú"),
            )


def desk_of(database: Database, settings: Settings, reader: ReadPhoto, store: ObjectStore | None = None) -> Desk:
    return Desk(database, store or LocalStore(settings.objects_dir), reader, "w1", settings)


def work(
    desk: Desk, *, side_by_side: int = 1, stopping: Callable[[], bool] = lambda: False, source: Source | None = None
) -> list[float]:
    """Read until nothing waits; gives what was said about being busy."""
    said: list[float] = []
    with ReadingLoop(desk, side_by_side, stopping, said.append) as loop:
        loop.read(source or whatever_waits(desk.settings))
    return said


def photos(database: Database) -> list[PhotoView]:
    with database.reading() as session:
        return intake.list_photos(session)[::-1]


def states(database: Database) -> list[PhotoState]:
    return [photo.state for photo in photos(database)]


class Unreliable(LocalStore):
    """A local store that is away as long as ``is_away``, and whose object ``broken`` cannot be read at all."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.is_away = False
        self.broken = ""
        self.refused = 0

    def read(self, sha256: str) -> bytes:
        if self.is_away or sha256 == self.broken:
            self.refused += 1
            raise StorageError("the store does not answer")
        return super().read(sha256)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "_SLEEP_S", 0.001)
    monkeypatch.setattr(loop_module, "_MAX_BACKOFF_S", 0.01)
    monkeypatch.setattr(transactions, "_RETRY_S", 0.001)


def test_the_reader_is_told_the_file_name_and_where_it_was_taken(database: Database, settings: Settings) -> None:
    receive(database, settings, b"1")
    work(desk_of(database, settings, read))
    with database.reading() as session:
        reading = intake.get_reading(session, 1)
    assert reading is not None
    assert reading.bundle == "a.jpg/Tân Phú"


def test_busy_is_said_before_and_idle_after_each_photo(database: Database, settings: Settings) -> None:
    receive(database, settings, b"1", b"2")
    said = work(desk_of(database, settings, read))
    assert [bool(since) for since in said] == [True, False, True, False]


def test_a_photo_that_raises_is_tried_again_and_then_set_aside(database: Database, settings: Settings) -> None:
    tries: list[str] = []

    def broken(data: bytes, photo: str, context: Context) -> Reading:
        tries.append(photo)
        raise MemoryError("too big\0")

    receive(database, settings, b"1")
    work(desk_of(database, settings, broken))
    assert len(tries) == settings.max_attempts
    assert [(p.state, p.detail) for p in photos(database)] == [(PhotoState.FAILED, "MemoryError: too big")]


def test_a_photo_whose_bytes_are_gone_says_so(database: Database, settings: Settings) -> None:
    receive(database, settings, b"1")
    object_path(settings.objects_dir, photos(database)[0].sha256).unlink()
    work(desk_of(database, settings, read))
    assert photos(database)[0].state is PhotoState.FAILED
    assert "holds no object" in (photos(database)[0].detail or "")


def test_a_store_that_is_away_is_waited_for_and_no_photo_is_blamed(database: Database, settings: Settings) -> None:
    receive(database, settings, b"1", b"2", b"3")
    store = Unreliable(settings.objects_dir)
    store.is_away = True

    def back_after_a_while() -> bool:
        store.is_away = store.refused < 10
        return False

    work(desk_of(database, settings, read, store), stopping=back_after_a_while)
    assert states(database) == [PhotoState.IN_VERIFICATION] * 3
    with database.reading() as session:
        assert [photo.attempts for photo in session.query(Photo)] == [1, 1, 1]


def test_an_object_that_alone_cannot_be_read_holds_nobody_up(database: Database, settings: Settings) -> None:
    receive(database, settings, b"1", b"2", b"3")
    store = Unreliable(settings.objects_dir)
    store.broken = photos(database)[1].sha256
    work(desk_of(database, settings, read, store))
    assert states(database) == [PhotoState.IN_VERIFICATION, PhotoState.FAILED, PhotoState.IN_VERIFICATION]
    assert "does not answer" in (photos(database)[1].detail or "")


def test_a_stop_finishes_the_photo_in_hand_and_hands_back_the_others(database: Database, settings: Settings) -> None:
    receive(database, settings, b"1", b"2", b"3")
    stopped = threading.Event()

    def stop(data: bytes, photo: str, context: Context) -> Reading:
        stopped.set()
        return read(data, photo, context)

    work(desk_of(database, settings, stop), stopping=stopped.is_set)
    assert states(database) == [PhotoState.IN_VERIFICATION, PhotoState.RECEIVED, PhotoState.RECEIVED]
    assert [photo.attempts for photo in photos(database)] == [1, 0, 0]


def test_a_photo_lost_while_it_was_read_is_not_stored_twice(database: Database, settings: Settings) -> None:
    def slow(data: bytes, photo: str, context: Context) -> Reading:
        with database.writing() as session:
            later = utc_now() + timedelta(days=1)
            assert intake.claim_photos(session, "w2", limit=1, lease_s=60, max_attempts=9, now=later)
        return read(data, photo, context)

    receive(database, settings, b"1")
    work(desk_of(database, settings, slow))
    assert states(database) == [PhotoState.READING]
    with database.reading() as session:
        assert intake.get_reading(session, 1) is None


def test_photos_that_are_read_side_by_side_are_in_hand_at_the_same_time(database: Database, settings: Settings) -> None:
    receive(database, settings, *(b"%d" % number for number in range(6)))
    together = threading.Barrier(3)

    def meet(data: bytes, photo: str, context: Context) -> Reading:
        together.wait(20)  # passes only with three in hand
        return read(data, photo, context)

    work(desk_of(database, settings, meet), side_by_side=3)
    assert states(database) == [PhotoState.IN_VERIFICATION] * 6


def test_a_photo_that_was_tried_before_is_read_alone(database: Database, settings: Settings) -> None:
    receive(database, settings, *(b"%d" % number for number in range(8)))
    in_hand, neighbours, tried, change = set[bytes](), list[int](), set[bytes](), threading.Condition()

    def break_once(data: bytes, photo: str, context: Context) -> Reading:
        with change:
            in_hand.add(data)
            change.notify_all()
            try:
                if data in tried:
                    change.wait_for(lambda: len(in_hand) > 1, timeout=0.2)
                    neighbours.append(len(in_hand) - 1)
                elif data[-1] % 2:
                    tried.add(data)
                    raise ValueError("broken")
            finally:
                in_hand.remove(data)
        return read(data, photo, context)

    work(desk_of(database, settings, break_once), side_by_side=4)
    assert states(database) == [PhotoState.IN_VERIFICATION] * 8
    assert neighbours == [0] * 4


def test_what_was_read_while_the_database_was_away_is_stored_when_it_is_back(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(database, settings, b"1", b"2")
    real, calls = intake.finish_many, []
    monkeypatch.setattr(transactions, "answers", lambda _: False)

    def away_for_a_while(session: Session, done: Any) -> list[bool]:
        calls.append(len(done))
        if len(calls) < 6:
            raise OperationalError("UPDATE", {}, Exception("connection refused"))
        return real(session, done)

    monkeypatch.setattr(intake, "finish_many", away_for_a_while)
    work(desk_of(database, settings, read))
    assert states(database) == [PhotoState.IN_VERIFICATION] * 2
    assert [photo.attempts for photo in photos(database)] == [1, 1]


def test_a_reading_that_no_database_takes_is_set_aside_and_its_neighbours_are_stored(
    database: Database, settings: Settings
) -> None:
    def unstorable(data: bytes, photo: str, context: Context) -> Reading:
        record = {"name": Field(object(), "MẪU", 0.9)} if data.endswith(b"2") else {}
        return Reading(photo, "0" * 64, ReadingStatus.READ, record=record, bundle="fake@1")

    receive(database, settings, b"1", b"2", b"3")
    work(desk_of(database, settings, unstorable), side_by_side=3)
    assert states(database) == [PhotoState.IN_VERIFICATION, PhotoState.FAILED, PhotoState.IN_VERIFICATION]
    assert "cannot be stored" in (photos(database)[1].detail or "")


def test_a_message_has_the_photos_read_that_it_names_and_no_others(database: Database, settings: Settings) -> None:
    receive(database, settings, b"1", b"2", b"3", b"4")
    make_bulk(database)
    desk = desk_of(database, settings, read)
    work(desk, source=named([2, 3, 99], settings))
    assert states(database) == [
        PhotoState.RECEIVED,
        PhotoState.IN_VERIFICATION,
        PhotoState.IN_VERIFICATION,
        PhotoState.RECEIVED,
    ]
    work(desk, source=named([2, 3], settings))  # the same message again does no harm
    assert [photo.attempts for photo in photos(database)] == [0, 1, 1, 0]


def test_photos_that_people_wait_for_are_read_between_those_of_a_message(
    database: Database, settings: Settings
) -> None:
    receive(database, settings, *(b"%d" % number for number in range(8)))
    make_bulk(database)
    order: list[bytes] = []

    def read_in_order(data: bytes, photo: str, context: Context) -> Reading:
        order.append(data[-1:])
        if len(order) == 2:
            receive(database, settings, b"person")
        return read(data, photo, context)

    work(desk_of(database, settings, read_in_order), source=named(range(1, 9), settings))
    assert order.index(b"n") <= 2 + settings.claim_size + 1
    assert len(order) == 9


def test_shots_of_a_grave_are_grouped_once_the_photos_are_read(database: Database, settings: Settings) -> None:
    with database.writing() as session:
        batch = intake.open_batch(session, "Tân Phú", "thu")
        for number in range(2):
            intake.receive(
                session,
                LocalStore(settings.objects_dir),
                JPEG + b"%d" % number,
                filename="a.jpg",
                received_by="thu",
                batch_id=batch,
            )
    lines = tuple(
        Line(text, 0.9, ((0, 0), (9, 0), (9, 9), (0, 9)))
        for text in ("LIỆT SĨ", "NGUYỄN VĂN MẪU", "SINH NĂM 1948", "HY SINH 12-5-1968")
    )

    def same_stone(data: bytes, photo: str, context: Context) -> Reading:
        record = {"name": Field("Nguyễn Văn Mẫu", "NGUYỄN VĂN MẪU", 0.9, (1,))}
        return Reading(photo, "0" * 64, ReadingStatus.READ, lines=lines, record=record, bundle="fake@1")

    work(desk_of(database, settings, same_stone))
    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM shots")) == 1


def make_bulk(database: Database) -> None:
    with database.writing() as session:
        session.execute(text("UPDATE photos SET priority = :bulk"), {"bulk": int(Priority.BULK)})


def test_a_reading_process_that_is_told_of_nothing_claims_nothing(database: Database, settings: Settings) -> None:
    def nothing(_session: Session, _owner: str, _limit: int) -> list[Claim]:
        return []

    receive(database, settings, b"1")
    work(desk_of(database, settings, read), source=nothing)
    assert states(database) == [PhotoState.RECEIVED]
