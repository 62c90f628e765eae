"""Workers that messages tell what to read: real PostgreSQL, real RabbitMQ, real SIGKILL; only the reader is a fake."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kombu import Connection
from sqlalchemy import func, select, update

from bench.services import PostgreSQL, RabbitMQ
from ocr_service import intake
from ocr_service.database import Database, open_database
from ocr_service.database.models import Photo, ReadingRow, RecordRow
from ocr_service.outbox import QUEUE_NAMES, Outbox
from ocr_service.settings import Settings, load_settings
from ocr_service.states import PhotoState, Priority
from ocr_service.storage import LocalStore
from workers.sweeper import Sweeper

HERE = Path(__file__).parent
JPEG = b"\xff\xd8\xff\xe0 "

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def environment(tmp_path: Path, postgresql: PostgreSQL, rabbitmq: RabbitMQ) -> Iterator[dict[str, str]]:
    name = f"workers_{secrets.token_hex(4)}"
    yield {
        "HEADSTONE_DATA_DIR": str(tmp_path / "data"),
        "HEADSTONE_DATABASE_URL": postgresql.create_database(name),
        "HEADSTONE_BROKER_URL": rabbitmq.url,
        "HEADSTONE_LEASE_S": "5",
        "HEADSTONE_PHOTO_TIMEOUT_S": "1.5",
        "HEADSTONE_MAX_ATTEMPTS": "2",
        "HEADSTONE_QUEUE_STALE_S": "3",
        "HEADSTONE_PUBLISH_CHUNK": "16",
    }
    postgresql.drop_database(name)


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return load_settings(**{name.removeprefix("HEADSTONE_").lower(): value for name, value in environment.items()})


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = open_database(settings.resolved_database_url)
    yield database
    database.close()


@pytest.fixture
def sweep(database: Database, settings: Settings, rabbitmq: RabbitMQ) -> Iterator[Callable[[], None]]:
    """One round of the sweeper; its queues are empty at first."""
    outbox = Outbox(settings)
    outbox.count_messages()
    with Connection(rabbitmq.url) as connection:
        for name in QUEUE_NAMES.values():
            connection.default_channel.queue_purge(name)
    yield Sweeper(database, LocalStore(settings.objects_dir), settings, outbox).sweep
    outbox.close()


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def run(*queues: str, seconds_a_photo: float = 0.02) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(HERE / "fake_worker.py"), *(queues or ("WAITING", "BULK"))]
        given = os.environ | environment | {"FAKE_SECONDS": str(seconds_a_photo)}
        process = subprocess.Popen(command, env=given, stderr=subprocess.DEVNULL, start_new_session=True)
        started.append(process)
        return process

    yield run
    for process in started:
        for end in (process.kill, lambda group=process.pid: os.killpg(group, signal.SIGKILL)):
            try:
                end()
            except ProcessLookupError:
                continue
        process.wait()


def receive(database: Database, settings: Settings, *contents: bytes, priority: Priority = Priority.BULK) -> None:
    store = LocalStore(settings.objects_dir)
    with database.writing() as session:
        for content in contents:
            taken = intake.receive(session, store, JPEG + content, filename="a.jpg", received_by="thu")
            session.execute(update(Photo).where(Photo.id == taken.photo_id).values(priority=priority))


def counts(database: Database) -> dict[PhotoState, int]:
    with database.reading() as session:
        return {state: count for state, count in intake.count_photos(session).items() if count}


def sweep_until(sweep: Callable[[], None], true: Callable[[], bool], limit_s: float = 90.0) -> None:
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end, "it did not happen"
        sweep()
        time.sleep(0.2)


def test_photos_that_kill_hang_or_break_a_reader_are_set_aside_and_take_no_neighbour_along(
    database: Database, settings: Settings, sweep: Callable[[], None], start: Start
) -> None:
    receive(database, settings, *(b"stone %d" % number for number in range(20)), b"kill", b"hang", b"raise")
    receive(database, settings, *(b"grave %d" % number for number in range(20)))
    start()
    sweep_until(sweep, lambda: counts(database) == {PhotoState.IN_VERIFICATION: 40, PhotoState.FAILED: 3})
    with database.reading() as session:
        failed = {photo.id: photo for photo in intake.list_photos(session, state=PhotoState.FAILED)}
        read = intake.list_photos(session, state=PhotoState.IN_VERIFICATION)
    assert "SIGKILL" in (failed[21].detail or "")
    assert "took more than 1.5 s" in (failed[22].detail or "")
    assert "breaks the reader" in (failed[23].detail or "")
    assert {photo.attempts for photo in failed.values()} == {2}
    assert {photo.attempts for photo in read} == {1}


def test_killing_a_worker_with_its_readers_loses_nothing_and_doubles_nothing(
    database: Database, settings: Settings, sweep: Callable[[], None], start: Start
) -> None:
    receive(database, settings, *(b"stone %d" % number for number in range(60)))
    worker = start(seconds_a_photo=0.1)
    sweep_until(sweep, lambda: counts(database).get(PhotoState.IN_VERIFICATION, 0) > 5)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    assert counts(database) != {PhotoState.IN_VERIFICATION: 60}
    start()
    sweep_until(sweep, lambda: counts(database) == {PhotoState.IN_VERIFICATION: 60})
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ReadingRow)) == 60
        assert session.scalar(select(func.count()).select_from(RecordRow)) == 60
        assert session.scalar(select(func.count(ReadingRow.photo_id.distinct()))) == 60


def test_a_worker_of_one_queue_leaves_the_other_alone_and_a_stop_gives_back_what_was_not_begun(
    database: Database, settings: Settings, sweep: Callable[[], None], start: Start
) -> None:
    receive(database, settings, *(b"stone %d" % number for number in range(20)))
    receive(database, settings, *(b"person %d" % number for number in range(40)), priority=Priority.WAITING)
    worker = start("WAITING", seconds_a_photo=0.2)
    sweep_until(sweep, lambda: counts(database).get(PhotoState.IN_VERIFICATION, 0) > 2)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    with database.reading() as session:
        left = session.execute(select(Photo.priority, Photo.state, Photo.attempts)).all()
    assert {state for _, state, _ in left} == {PhotoState.IN_VERIFICATION, PhotoState.RECEIVED}
    assert {attempts for _, state, attempts in left if state is PhotoState.RECEIVED} == {0}
    assert {state for priority, state, _ in left if priority == Priority.BULK} == {PhotoState.RECEIVED}
