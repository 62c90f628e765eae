from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from ocr_service import intake
from ocr_service.database import Database, open_database
from ocr_service.database.models import Photo
from ocr_service.database.types import utc_now
from ocr_service.errors import BrokerError
from ocr_service.outbox import Outbox
from ocr_service.settings import Settings
from ocr_service.states import PhotoState, Priority
from ocr_service.storage import LocalStore
from workers.sweeper import Sweeper

JPEG = b"\xff\xd8\xff\xe0 "


class Broker(Outbox):
    """Keeps what it is sent; takes no more while it is away, or after ``takes`` further messages."""

    def __init__(self) -> None:
        self.sent: list[tuple[Priority, list[int]]] = []
        self.is_away = False
        self.takes = 10**6
        self.waiting = 0

    def chunks(self, priority: Priority, ids: Sequence[int]) -> list[Sequence[int]]:
        return [ids[start : start + 2] for start in range(0, len(ids), 2)]

    def count_messages(self) -> int:
        if self.is_away:
            raise BrokerError("away")
        return self.waiting

    def publish(self, priority: Priority, ids: Sequence[int]) -> None:
        if self.is_away or self.takes == 0:
            raise BrokerError("away")
        self.takes -= 1
        self.sent.append((priority, list(ids)))

    def named(self) -> list[int]:
        return [photo_id for _, ids in self.sent for photo_id in ids]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, publish_window=6, publish_chunk=2, queue_stale_s=100, sweep_s=0.01)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = open_database(settings.resolved_database_url)
    yield database
    database.close()


@pytest.fixture
def store(settings: Settings) -> LocalStore:
    return LocalStore(settings.objects_dir)


def receive(database: Database, store: LocalStore, count: int, *, bulk_from: int = 1) -> None:
    with database.writing() as session:
        for number in range(count):
            intake.receive(session, store, JPEG + b"%d" % number, filename="a.jpg", received_by="thu")
        session.execute(update(Photo).where(Photo.id >= bulk_from).values(priority=Priority.BULK))


def age(database: Database, seconds: float) -> None:
    with database.writing() as session:
        session.execute(update(Photo).values(queued_at=utc_now() - timedelta(seconds=seconds)))


def test_what_waits_is_named_once_by_priority_and_within_the_window(
    database: Database, store: LocalStore, settings: Settings
) -> None:
    receive(database, store, 12, bulk_from=4)
    broker = Broker()
    sweeper = Sweeper(database, store, settings, broker)
    for _ in range(3):
        sweeper.sweep()
    assert broker.sent == [
        (Priority.WAITING, [1, 2]),
        (Priority.WAITING, [3]),
        (Priority.BULK, [4, 5]),
        (Priority.BULK, [6, 7]),
        (Priority.BULK, [8, 9]),
    ]
    with database.writing() as session:
        intake.claim_photos(session, "w1", limit=3, lease_s=60, max_attempts=3, ids=[4, 5, 6])
    sweeper.sweep()
    assert broker.named()[-3:] == [10, 11, 12]


def test_nothing_is_marked_as_named_while_the_broker_is_away(
    database: Database, store: LocalStore, settings: Settings
) -> None:
    receive(database, store, 4)
    broker = Broker()
    broker.is_away = True
    sweeper = Sweeper(database, store, settings, broker)
    with pytest.raises(BrokerError):
        sweeper.sweep()
    with database.reading() as session:
        assert not any(photo.is_queued for photo in intake.list_photos(session))
    broker.is_away = False
    sweeper.sweep()
    assert broker.named() == [1, 2, 3, 4]


def test_what_the_broker_did_not_take_is_sent_first_when_it_is_back(
    database: Database, store: LocalStore, settings: Settings
) -> None:
    receive(database, store, 6)
    broker = Broker()
    broker.takes = 1
    sweeper = Sweeper(database, store, settings, broker)
    with pytest.raises(BrokerError):
        sweeper.sweep()
    broker.takes = 10
    sweeper.sweep()
    assert broker.named() == [1, 2, 3, 4, 5, 6]


def test_photos_whose_message_was_lost_are_named_again_sooner_where_no_message_waits(
    database: Database, store: LocalStore, settings: Settings
) -> None:
    receive(database, store, 2)
    broker = Broker()
    sweeper = Sweeper(database, store, settings, broker)
    sweeper.sweep()
    age(database, 99)
    sweeper.sweep()
    assert broker.named() == [1, 2]
    age(database, 101)
    broker.waiting = 1  # theirs may lie behind it
    sweeper.sweep()
    assert broker.named() == [1, 2]
    broker.waiting = 0
    sweeper.sweep()
    assert broker.named() == [1, 2, 1, 2]


def test_photos_of_readers_that_fell_silent_come_back_and_are_named_again(
    database: Database, store: LocalStore, settings: Settings
) -> None:
    receive(database, store, 2)
    broker = Broker()
    sweeper = Sweeper(database, store, settings, broker)
    sweeper.sweep()
    with database.writing() as session:
        past = utc_now() - timedelta(seconds=61)
        intake.claim_photos(session, "w1", limit=2, lease_s=60, max_attempts=3, now=past)
    sweeper.sweep()
    with database.reading() as session:
        assert {photo.state for photo in intake.list_photos(session)} == {PhotoState.RECEIVED}
    assert broker.named() == [1, 2, 1, 2]


def test_two_sweepers_name_no_photo_twice(database: Database, store: LocalStore, settings: Settings) -> None:
    receive(database, store, 24)
    brokers = [Broker(), Broker()]
    wide = settings.model_copy(update={"publish_window": 100})
    sweepers = [Sweeper(database, store, wide, broker) for broker in brokers]
    threads = [threading.Thread(target=sweeper.sweep) for sweeper in sweepers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(brokers[0].named() + brokers[1].named()) == list(range(1, 25))


def test_sweeping_goes_on_after_the_database_or_the_broker_was_away(
    database: Database, store: LocalStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(database, store, 2)
    broker = Broker()
    real, rounds = intake.give_back_expired, []

    def away_at_first(*arguments: Any, **named: Any) -> int:
        rounds.append(1)
        broker.is_away = len(rounds) == 2
        if len(rounds) == 1:
            raise OperationalError("UPDATE", {}, Exception("connection refused"))
        return real(*arguments, **named)

    monkeypatch.setattr(intake, "give_back_expired", away_at_first)
    Sweeper(database, store, settings, broker).run(lambda: bool(broker.sent) or len(rounds) > 9)
    assert broker.named() == [1, 2]
    assert len(rounds) == 3


def test_objects_that_no_photo_names_are_looked_for_once_an_hour(
    database: Database, store: LocalStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept: list[object] = []
    monkeypatch.setattr("workers.sweeper.sweep_objects", lambda *given: swept.append(given))
    sweeper = Sweeper(database, store, settings)
    for _ in range(3):
        sweeper.sweep()
    assert swept == [(database, store)]
