"""What two senders hand in at the same time, on both databases."""

from __future__ import annotations

import itertools
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bench.services import PostgreSQL
from ocr_service.database import Database, connect_database
from ocr_service.database.accounts import FileStanding
from ocr_service.database.announcements import AnnouncedFile
from ocr_service.database.engine import upgrade_schema
from ocr_service.database.models import Cemetery, Grave, Photo
from ocr_service.intake import accounting, announcing
from ocr_service.intake.taking import Taken
from ocr_service.records import Context, RejectReason
from ocr_service.states import FileState

_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'together.sqlite3')}"
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        url = server.create_database(f"together_{next(_numbers)}")
        upgrade_schema(url)
    database = connect_database(url)
    yield database
    database.close()


def files(numbers: range) -> list[tuple[AnnouncedFile, Taken]]:
    place = Context(cemetery="NTLS Tân Phú")
    return [
        (
            AnnouncedFile(f"{number}.jpg", f"{number:064x}", 9, Context(place.cemetery, plot=f"A-{number % 7}")),
            Taken(f"{number:064x}", 9),
        )
        for number in numbers
    ]


@pytest.mark.parametrize("same_batch", [True, False])
def test_the_same_files_from_both_ends_at_once_are_one_photo_each(database: Database, same_batch: bool) -> None:
    with database.writing() as session:
        one = announcing.open_announced_batch(session, "khu A", "thu", key="1")[0]
        two = one if same_batch else announcing.open_announced_batch(session, "khu B", "thu", key="2")[0]

    def hand_in(at: int) -> None:
        numbers = range(120) if at == 0 else range(119, -1, -1)
        for start in range(0, 120, 30):
            with database.writing() as session:
                some = files(numbers[start : start + 30])
                announcing.settle_at_once(session, (one, two)[at], some, by="thu")

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(hand_in, range(2)))
    with database.reading() as session:
        accounts = [accounting.batch_standing(session, batch).account for batch in {one.id: one, two.id: two}.values()]
        counts = sum((Counter(dict(account.counts)) for account in accounts), Counter[FileState]())
        rows = [session.scalar(select(func.count()).select_from(table)) for table in (Photo, Cemetery, Grave)]
    assert rows == [120, 1, 7]
    assert +counts == ({FileState.RECEIVED: 120} if same_batch else {FileState.RECEIVED: 120, FileState.DUPLICATE: 120})


def test_photos_follow_each_other_as_their_files_were_announced(database: Database) -> None:
    announced = files(range(40))
    with database.writing() as session:
        batch = announcing.open_announced_batch(session, "khu A", "thu")[0]
        announcing.announce(session, batch, [file for file, _ in announced], by="thu", max_bytes=99)
    with database.writing() as session:
        came = [announcing.Delivery(batch.id, file.sha256, taken, "thu") for file, taken in reversed(announced)]
        announcing.settle(session, came)
    with database.reading() as session:
        assert session.scalars(select(Photo.filename).order_by(Photo.id)).all() == [f"{n}.jpg" for n in range(40)]


def test_a_correction_a_withdrawal_and_a_raised_limit_reach_files_that_have_not_come(database: Database) -> None:
    announced = [file for file, _ in files(range(4))]
    came, corrected, withdrawn, large = (announced[number].sha256 for number in range(4))

    def announce(max_bytes: int, plot: str) -> dict[str, FileStanding]:
        said = [
            AnnouncedFile(file.path, file.sha256, 99 if file.sha256 == large else 9, Context(plot=plot))
            for file in announced
        ]
        with database.writing() as session:
            found = announcing.announce(session, batch, said, by="thu", max_bytes=max_bytes)
        return {file.sha256 or "": file for file in found}

    with database.writing() as session:
        batch = announcing.open_announced_batch(session, "khu A", "thu")[0]
    assert announce(50, "A-1")[large].reason is RejectReason.TOO_LARGE_FILE
    with database.writing() as session:
        announcing.settle(session, [announcing.Delivery(batch.id, came, Taken(came, 9), "thu")])
        (file,) = announcing.withdraw(session, batch, [(announced[2].path, withdrawn)], by="thu")
        assert (file.state, file.reason) == (FileState.REFUSED, RejectReason.WITHDRAWN)
    said = announce(100, "A-2")
    assert [(said[file.sha256].state, said[file.sha256].too_late) for file in announced] == [
        (FileState.RECEIVED, True), *[(FileState.ANNOUNCED, False)] * 3,
    ]  # fmt: skip
    with database.writing() as session:
        rest = [announcing.Delivery(batch.id, one, Taken(one, 9), "thu") for one in (corrected, withdrawn, large)]
        announcing.settle(session, rest)
    with database.reading() as session:
        plots = [document["plot"] for document in session.scalars(select(Photo.context).order_by(Photo.id))]
    assert plots == ["A-1", "A-2", "A-2", "A-2"]
