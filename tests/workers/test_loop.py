from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from ocr_service import intake
from ocr_service.database import Database, open_database
from ocr_service.database.types import utc_now
from ocr_service.database.values import PhotoView
from ocr_service.errors import StorageError
from ocr_service.records import Context, Reading, ReadingStatus
from ocr_service.settings import Settings
from ocr_service.states import PhotoState
from ocr_service.storage import LocalStore, object_path
from workers.loop import Desk, ReadPhoto, read_side_by_side

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


def work(database: Database, settings: Settings, reader: ReadPhoto, looks: int = 4) -> list[float]:
    """Let the loop look for work a few times; gives what it said about being busy."""
    desk = Desk(database, LocalStore(settings.objects_dir), reader, "w1", settings)
    said: list[float] = []
    left = iter(range(looks))
    read_side_by_side(desk, 1, lambda: next(left, None) is None, said.append)
    return said


def photos(database: Database) -> list[PhotoView]:
    with database.reading() as session:
        return intake.list_photos(session)[::-1]


def test_the_reader_is_told_the_file_name_and_where_it_was_taken(database: Database, settings: Settings) -> None:
    receive(database, settings, b"1")
    work(database, settings, read)
    with database.reading() as session:
        reading = intake.get_reading(session, 1)
    assert reading is not None
    assert reading.bundle == "a.jpg/Tân Phú"


def test_busy_is_said_before_and_idle_after_each_photo(database: Database, settings: Settings) -> None:
    receive(database, settings, b"1", b"2")
    said = work(database, settings, read)
    assert [bool(since) for since in said] == [True, False, True, False]


def test_a_photo_that_raises_is_tried_again_and_then_set_aside(database: Database, settings: Settings) -> None:
    def broken(data: bytes, photo: str, context: Context) -> Reading:
        raise MemoryError("too big")

    receive(database, settings, b"1")
    work(database, settings, broken, looks=2)
    assert [(p.state, p.attempts) for p in photos(database)] == [(PhotoState.RECEIVED, 1)]
    work(database, settings, broken, looks=2)
    assert [(p.state, p.detail) for p in photos(database)] == [(PhotoState.FAILED, "MemoryError: too big")]


def test_a_photo_whose_bytes_are_gone_says_so(database: Database, settings: Settings) -> None:
    receive(database, settings, b"1")
    object_path(settings.objects_dir, photos(database)[0].sha256).unlink()
    work(database, settings, read, looks=8)
    assert photos(database)[0].state is PhotoState.FAILED
    assert "holds no object" in (photos(database)[0].detail or "")


def test_a_stop_hands_back_what_was_claimed_and_not_begun(database: Database, settings: Settings) -> None:
    receive(database, settings, b"1", b"2")
    work(database, settings, read, looks=2)
    assert [p.state for p in photos(database)] == [PhotoState.IN_VERIFICATION, PhotoState.RECEIVED]


def test_a_photo_lost_while_it_was_read_is_not_stored_twice(database: Database, settings: Settings) -> None:
    def slow(data: bytes, photo: str, context: Context) -> Reading:
        with database.writing() as session:
            later = utc_now() + timedelta(days=1)
            assert intake.claim_photos(session, "w2", limit=1, lease_s=60, max_attempts=9, now=later)
        return read(data, photo, context)

    receive(database, settings, b"1")
    work(database, settings, slow, looks=2)
    assert photos(database)[0].state is PhotoState.READING
    with database.reading() as session:
        assert intake.get_reading(session, 1) is None


def side_by_side(database: Database, settings: Settings, reader: ReadPhoto, photos: int) -> None:
    """Read with ``photos`` threads until every photo was read."""
    desk = Desk(database, LocalStore(settings.objects_dir), reader, "w1", settings)

    def done() -> bool:
        with database.reading() as session:
            counts = intake.count_photos(session)
        return counts[PhotoState.IN_VERIFICATION] == sum(counts.values())

    read_side_by_side(desk, photos, done, lambda since: None)


def test_photos_that_are_read_side_by_side_are_in_hand_at_the_same_time(database: Database, settings: Settings) -> None:
    receive(database, settings, *(b"%d" % number for number in range(6)))
    together = threading.Barrier(3)

    def meet(data: bytes, photo: str, context: Context) -> Reading:
        together.wait(20)  # passes only with three in hand
        return read(data, photo, context)

    side_by_side(database, settings.model_copy(update={"claim_size": 1}), meet, photos=3)
    assert [photo.state for photo in photos(database)] == [PhotoState.IN_VERIFICATION] * 6


def test_a_photo_that_was_tried_before_is_read_alone(database: Database, settings: Settings) -> None:
    receive(database, settings, *(b"%d" % number for number in range(8)))
    in_hand, neighbours, tried, change = set[bytes](), list[int](), set[bytes](), threading.Condition()

    def break_once(data: bytes, photo: str, context: Context) -> Reading:
        with change:
            in_hand.add(data)
            change.notify_all()
            try:
                if data in tried:
                    change.wait_for(lambda: len(in_hand) > 1, timeout=0.3)
                    neighbours.append(len(in_hand) - 1)
                elif data[-1] % 2:
                    tried.add(data)
                    raise ValueError("broken")
            finally:
                in_hand.remove(data)
        return read(data, photo, context)

    side_by_side(database, settings.model_copy(update={"claim_size": 1}), break_once, photos=4)
    assert [photo.state for photo in photos(database)] == [PhotoState.IN_VERIFICATION] * 8
    assert neighbours == [0] * 4


def test_what_breaks_one_of_several_reading_threads_ends_all_of_them(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object, **__: object) -> None:
        raise StorageError("no room")

    receive(database, settings, b"1")
    monkeypatch.setattr(intake, "finish", full_disk)
    desk = Desk(database, LocalStore(settings.objects_dir), read, "w1", settings)
    with pytest.raises(StorageError, match="no room"):
        read_side_by_side(desk, 3, lambda: False, lambda since: None)


def test_a_database_that_does_not_answer_is_waited_for(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(database, settings, b"1")
    real, calls = intake.has_work, []

    def locked_once(session: object) -> bool:
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("SELECT", {}, Exception("database is locked"))
        return real(session)  # type: ignore[arg-type]

    monkeypatch.setattr(intake, "has_work", locked_once)
    monkeypatch.setattr("workers.loop.time.sleep", lambda _seconds: None)
    work(database, settings, read)
    assert photos(database)[0].state is PhotoState.IN_VERIFICATION
