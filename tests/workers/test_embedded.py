from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ocr_service import intake
from ocr_service.database import Database, open_database
from ocr_service.database.models import ReadingRow, RecordRow
from ocr_service.settings import Settings
from ocr_service.states import PhotoState
from ocr_service.storage import LocalStore
from workers import embedded
from workers.process import Ties, load_photo_reader, read_in_process

HERE = Path(__file__).parent
JPEG = b"\xff\xd8\xff\xe0 "

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = open_database(settings.resolved_database_url)
    yield database
    database.close()


@pytest.fixture
def pids(tmp_path: Path) -> Path:
    folder = tmp_path / "pids"
    folder.mkdir()
    return folder


@pytest.fixture
def start(settings: Settings, pids: Path) -> Iterator[Start]:
    """Start the embedded reader with the fake in it; whatever still lives at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def run(seconds_a_photo: float = 0.05, *, below: bool = False) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(HERE / "fake_reader.py"), str(settings.data_dir)]
        if below:  # as the child of a process that can be killed
            command = [sys.executable, "-c", f"import subprocess; subprocess.Popen({command!r}).wait()"]
        environment = os.environ | {"FAKE_SECONDS": str(seconds_a_photo), "FAKE_PIDS": str(pids)}
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
    for pid in living(pids):
        os.kill(pid, signal.SIGKILL)


def living(pids: Path) -> list[int]:
    found = []
    for path in pids.iterdir():
        try:
            state = Path(f"/proc/{path.name}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            found.append(int(path.name))
    return found


def receive(database: Database, settings: Settings, *contents: bytes) -> None:
    store = LocalStore(settings.objects_dir)
    with database.writing() as session:
        for content in contents:
            intake.receive(session, store, JPEG + content, filename="a.jpg", received_by="thu")


def counts(database: Database) -> dict[PhotoState, int]:
    with database.reading() as session:
        return {state: count for state, count in intake.count_photos(session).items() if count}


def until(true: Callable[[], bool], limit_s: float = 60.0) -> None:
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_killing_readers_and_supervisor_at_any_time_loses_nothing_and_doubles_nothing(
    database: Database, settings: Settings, pids: Path, start: Start
) -> None:
    receive(database, settings, *(b"stone %d" % index for index in range(40)))
    chance = random.Random(1968)
    process = start(0.08)
    for kill in range(3):
        done = counts(database).get(PhotoState.IN_VERIFICATION, 0)
        until(lambda done=done: counts(database).get(PhotoState.IN_VERIFICATION, 0) > done)  # type: ignore[misc]
        time.sleep(chance.random() * 0.2)
        if kill % 2:
            process.kill()
            process.wait()
            process = start(0.08)
        else:
            for pid in living(pids)[:1]:
                os.kill(pid, signal.SIGKILL)
    until(lambda: counts(database) == {PhotoState.IN_VERIFICATION: 40})
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(RecordRow)) == 40
        assert session.scalar(select(func.count()).select_from(ReadingRow)) == 40
        assert session.scalar(select(func.count(ReadingRow.photo_id.distinct()))) == 40


def test_photos_that_kill_hang_or_break_a_reader_are_set_aside_and_the_others_are_read(
    database: Database, settings: Settings, start: Start
) -> None:
    receive(database, settings, b"kill", b"one", b"hang", b"two", b"raise", b"three", b"four")
    start()
    until(lambda: counts(database) == {PhotoState.IN_VERIFICATION: 4, PhotoState.FAILED: 3})
    with database.reading() as session:
        failed = intake.list_photos(session, state=PhotoState.FAILED)
    assert [photo.attempts for photo in failed] == [2, 2, 2]
    broke, hung, killed = (photo.detail or "" for photo in failed)
    assert "this photo breaks the reader" in broke
    assert "took more than 2 s" in hung
    assert "SIGKILL" in killed


def test_a_process_that_grew_is_replaced_and_a_photo_that_fills_the_memory_is_set_aside(
    database: Database, settings: Settings, pids: Path, start: Start
) -> None:
    receive(database, settings, b"one", b"grow", b"explode", b"two")
    start()
    until(lambda: counts(database) == {PhotoState.IN_VERIFICATION: 3, PhotoState.FAILED: 1})
    with database.reading() as session:
        (failed,) = intake.list_photos(session, state=PhotoState.FAILED)
        attempts = {photo.attempts for photo in intake.list_photos(session, state=PhotoState.IN_VERIFICATION)}
    assert "took up more than" in (failed.detail or "")
    assert attempts == {1}  # the process that grew had finished its photo
    # two at first, one for the one that grew, two for those that were killed
    until(lambda: len(list(pids.iterdir())) == 2 + 1 + 2)


def test_a_polite_stop_finishes_the_photo_in_hand_and_hands_the_others_back(
    database: Database, settings: Settings, pids: Path, start: Start
) -> None:
    receive(database, settings, *(b"stone %d" % index for index in range(12)))
    process = start(0.3)
    until(lambda: counts(database).get(PhotoState.IN_VERIFICATION, 0) > 0)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    left = counts(database)
    assert set(left) == {PhotoState.IN_VERIFICATION, PhotoState.RECEIVED}
    assert sum(left.values()) == 12
    assert living(pids) == []
    with database.reading() as session:
        waiting = intake.list_photos(session, state=PhotoState.RECEIVED)
    assert {photo.attempts for photo in waiting} == {0}


def test_a_reading_process_whose_bundle_is_missing_says_so_in_one_line(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    spawn = multiprocessing.get_context("spawn")
    chosen = settings.model_copy(update={"bundle": "nobody-vi"})
    ties = Ties("w1", spawn.Event(), spawn.Value("d", 0.0), spawn.Value("Q", 0), orders=None)
    process = spawn.Process(target=read_in_process, args=(chosen, load_photo_reader, ties))
    process.start()
    process.join(90)
    assert process.exitcode == 3
    (said,) = capfd.readouterr().err.splitlines()
    assert "nobody-vi" in json.loads(said)["detail"]


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ([], ("accurate", "onnxruntime", None, None)),
        (["--profile", "fast", "--engine", "torch", "--device", "cuda"], ("fast", "torch", "cuda", None)),
        (["--bundle", "mine", "--device", "cpu"], ("accurate", "onnxruntime", "cpu", "mine")),
    ],
)
def test_the_reader_is_chosen_by_options(
    monkeypatch: pytest.MonkeyPatch, options: list[str], chosen: tuple[str | None, ...]
) -> None:
    given: list[Settings] = []
    monkeypatch.setattr(embedded, "supervise", lambda settings, stopping: given.append(settings))
    monkeypatch.setattr(embedded, "stop_signals", lambda: nullcontext(lambda: True))
    assert embedded.main(options) == 0
    (settings,) = given
    assert (settings.profile, settings.engine, settings.device, settings.bundle) == chosen


def test_the_reader_ends_when_its_parent_is_killed(
    database: Database, settings: Settings, pids: Path, start: Start
) -> None:
    parent = start(below=True)
    until(lambda: len(living(pids)) == 2)
    parent.kill()
    parent.wait()
    until(lambda: living(pids) == [])
