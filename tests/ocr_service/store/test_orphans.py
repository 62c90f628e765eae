from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ocr_service import intake
from ocr_service.database import Database
from ocr_service.errors import NotFoundError
from ocr_service.intake.orphans import sweep_objects
from ocr_service.storage import LocalStore, object_path
from ocr_service.storage.orphans import ASIDE_AGE, ORPHAN_AGE, Swept


def made_old(tmp_path: Path, sha256: str, by: timedelta) -> None:
    path = object_path(tmp_path / "objects", sha256)
    then = path.stat().st_mtime - by.total_seconds()
    os.utime(path, (then, then))


def sweep_all(database: Database, store: LocalStore, now: datetime) -> Swept:
    hours = [sweep_objects(database, store, now=now + timedelta(hours=hour)) for hour in range(256)]
    return Swept(*(sum(getattr(swept, name) for swept in hours) for name in Swept.__slots__))


def test_a_photo_stays_and_the_object_of_a_crashed_upload_goes(
    database: Database, store: LocalStore, tmp_path: Path
) -> None:
    with database.writing() as session:
        photo = intake.receive(session, store, b"\xff\xd8\xff\xe0stone", filename="a.jpg", received_by="thu").sha256
    assert photo is not None
    crashed = store.incoming()
    crashed.write(b"no row was written")
    orphan = crashed.finish().sha256
    later = datetime.now().astimezone()
    for sha256 in (photo, orphan):
        made_old(tmp_path, sha256, ORPHAN_AGE * 2)
    assert sweep_all(database, store, later) == Swept(set_aside=1, put_back=0, deleted=0, leftovers=0)
    assert sweep_all(database, store, later + ASIDE_AGE) == Swept(set_aside=0, put_back=0, deleted=1, leftovers=0)
    assert store.exists(photo)
    with pytest.raises(NotFoundError):
        store.read(orphan)


def test_an_object_whose_photo_came_after_all_is_put_back(
    database: Database, store: LocalStore, tmp_path: Path
) -> None:
    crashed = store.incoming()
    crashed.write(b"\xff\xd8\xff\xe0stone")
    sha256 = crashed.finish().sha256
    made_old(tmp_path, sha256, ORPHAN_AGE * 2)
    now = datetime.now().astimezone()
    assert sweep_all(database, store, now).set_aside == 1
    with database.writing() as session:
        intake.receive(session, store, b"\xff\xd8\xff\xe0stone", filename="a.jpg", received_by="thu")
    assert sweep_all(database, store, now).put_back == 1
    assert store.exists(sha256)
