from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import delete, text, update

from bench.soak.account import Account, is_at_an_end, settled, take_account
from bench.soak.photos import SAMPLES, unique_copy, write_photos
from bench.soak.run import Result
from ocr_service import intake
from ocr_service.database import Database, open_database
from ocr_service.database.models import Arrival, Photo, ReadingRow, RecordRow
from ocr_service.records import Reading, ReadingStatus
from ocr_service.states import PhotoState
from ocr_service.storage import LocalStore, object_path

PHOTOS = 4


@pytest.fixture
def objects(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def database(tmp_path: Path, objects: Path) -> Iterator[Database]:
    """Four files that came and were read."""
    database = open_database(f"sqlite:///{tmp_path / 'soak.sqlite3'}")
    store = LocalStore(objects)
    with database.writing() as session:
        for number in range(PHOTOS):
            content = b"\xff\xd8\xff\xe0 %d" % number
            taken = intake.receive(session, store, content, filename="a.jpg", received_by="thu")
            announced = {"sha256": hashlib.sha256(content).hexdigest()}
            session.execute(update(Arrival).where(Arrival.photo_id == taken.photo_id).values(**announced))
    with database.writing() as session:
        claims = intake.claim_photos(session, "w1", limit=9, lease_s=60, max_attempts=3)
    with database.writing() as session:
        readings = [Reading("a.jpg", claim.sha256, ReadingStatus.READ, bundle="fake@1") for claim in claims]
        assert all(intake.finish_many(session, list(zip(claims, readings, strict=True))))
    yield database
    database.close()


def test_copies_of_a_photo_differ_in_bytes_and_in_no_pixel() -> None:
    original = next(iter(sorted(SAMPLES.glob("*.jpg")))).read_bytes()
    copies = [unique_copy(original, f"soak {number}") for number in range(2)]
    assert len({original, *copies}) == 3
    pixels = [np.asarray(Image.open(io.BytesIO(data))) for data in (original, *copies)]
    assert all(np.array_equal(pixels[0], other) for other in pixels[1:])


def test_as_many_different_photos_are_written_as_were_asked_for(tmp_path: Path) -> None:
    write_photos(tmp_path, 20, seed=7)
    written = [path.read_bytes() for path in tmp_path.rglob("*.jpg")]
    assert len(set(written)) == len(written) == 20


def test_what_was_read_once_is_accounted_for(database: Database, objects: Path) -> None:
    account = take_account(database, LocalStore(objects))
    assert account == Account(accounted=PHOTOS, lost=0, double=0, failed=0)
    assert is_at_an_end(settled(database), PHOTOS)
    assert not is_at_an_end(Counter({PhotoState.IN_VERIFICATION: PHOTOS - 1, PhotoState.READING: 1}), PHOTOS)
    assert Result("service", PHOTOS, account, kills=3, seconds=1.0).is_complete
    assert not Result("service", PHOTOS + 1, account, kills=3, seconds=1.0).is_complete


@pytest.mark.parametrize("harm", ["record", "reading", "object", "bytes", "state", "reason"])
def test_a_photo_of_which_anything_is_missing_is_lost(database: Database, objects: Path, harm: str) -> None:
    with database.writing() as session:
        photo = session.get_one(Photo, 2)
        path = object_path(objects, photo.sha256)
        if harm == "record":
            session.execute(delete(RecordRow).where(RecordRow.photo_id == 2))
        elif harm == "reading":
            session.execute(text("PRAGMA defer_foreign_keys = ON"))
            session.execute(update(ReadingRow).where(ReadingRow.photo_id == 2).values(photo_id=3))
        elif harm == "state":
            photo.state = PhotoState.RECEIVED
        elif harm == "reason":
            photo.state = PhotoState.FAILED  # and nothing says why
        else:
            path.chmod(0o600)
            path.unlink() if harm == "object" else path.write_bytes(b"other")
    account = take_account(database, LocalStore(objects))
    assert (account.accounted, account.lost) == (PHOTOS - 1, 1)


def test_a_photo_that_was_stored_twice_is_double(database: Database, objects: Path) -> None:
    with database.writing() as session:
        first = session.get_one(ReadingRow, 1)
        session.add(ReadingRow(photo_id=first.photo_id, bundle=first.bundle, document=first.document))
    assert take_account(database, LocalStore(objects)).double == 1


def test_a_file_that_was_announced_and_never_came_is_not_accounted_for(database: Database, objects: Path) -> None:
    with database.writing() as session:
        session.add(Arrival(filename="b.jpg", sha256="0" * 64, by="thu"))
    account = take_account(database, LocalStore(objects))
    assert (account.accounted, account.lost) == (PHOTOS, 0)
