from __future__ import annotations

import hashlib
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from ocr_service.database import connect_database
from ocr_service.database.models import Decision, Photo, RecordRow
from ocr_service.errors import StorageError, UsageError
from ocr_service.operations import postgresql
from ocr_service.operations.backup import NAMES, Backup, back_up, newest, objects_of
from ocr_service.operations.copying import read_names
from ocr_service.operations.manifest import FILE_NAME
from ocr_service.operations.restore import drill, restore
from ocr_service.storage import LocalStore, object_path

NOON = datetime(2026, 4, 30, 12, tzinfo=UTC)
EVENING = datetime(2026, 4, 30, 20, tzinfo=UTC)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def run(place: Any, target: Path, now: datetime = NOON) -> Backup:
    return back_up(place.url, place.store, target, now=now)


def contents(url: str) -> dict[str, list[Any]]:
    database = connect_database(url)
    with database.reading() as session:
        found = {
            "photos": [tuple(row) for row in session.execute(select(Photo.sha256, Photo.state).order_by(Photo.id))],
            "records": [tuple(row) for row in session.execute(select(RecordRow.state, RecordRow.fields))],
            "decisions": list(session.scalars(select(Decision.hash).order_by(Decision.id))),
        }
    database.close()
    return found


def test_everything_that_was_backed_up_comes_back(place: Any, target: Path, empty_url: str, tmp_path: Path) -> None:
    names = [place.add(bytes([n]), name=f"Lê Thị {n}", accept=n % 2 == 0) for n in range(4)]
    made = run(place, target)
    new_store = LocalStore(tmp_path / "elsewhere" / "objects")
    restored = restore(made.folder, empty_url, new_store)
    assert restored.problems == ()
    assert contents(empty_url) == contents(place.url)
    assert len(contents(empty_url)["decisions"]) == made.manifest.facts.audit_length == 2
    assert all(hashlib.sha256(new_store.read(name)).hexdigest() == name for name in names)


def test_a_drill_compares_without_touching_anything(place: Any, target: Path) -> None:
    place.add(b"1", accept=True)
    made = run(place, target)
    assert drill(made.folder, place.url).problems == ()
    assert contents(place.url)["photos"]


def test_a_second_backup_copies_new_photos_only(place: Any, target: Path) -> None:
    first = place.add(b"1")
    run(place, target)
    kept = object_path(target / "objects", first)
    before = kept.stat().st_ino, kept.stat().st_mtime_ns
    place.add(b"2")
    made = run(place, target, EVENING)
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == before
    assert made.manifest.objects == 2
    assert newest(target) == made.folder


def test_a_backup_of_a_busy_service_has_the_object_of_every_row(place: Any, target: Path) -> None:
    done = threading.Event()
    place.add(b"first")

    def upload_and_read() -> None:
        number = 0
        while not done.is_set():
            place.add(b"busy %d" % number, accept=True)
            number += 1

    busy = threading.Thread(target=upload_and_read)
    busy.start()
    try:
        made = [run(place, target, datetime(2026, 5, day, tzinfo=UTC)) for day in (1, 2, 3)]
    finally:
        done.set()
        busy.join()
    for backup in made:
        assert backup.manifest.missing == ()
        names = dict(read_names(backup.folder / NAMES))
        assert len(names) == backup.manifest.facts.rows["photos"] == backup.manifest.facts.rows["records"]
        assert all(objects_of(target).exists(name) for name in names)
        assert drill(backup.folder, place.url).problems == ()


def test_a_photo_that_the_store_lost_is_told_and_stops_nothing(place: Any, target: Path) -> None:
    lost, damaged, whole = (place.add(bytes([n])) for n in range(3))
    object_path(place.root / "objects", lost).unlink()
    path = object_path(place.root / "objects", damaged)
    path.chmod(0o600)
    path.write_bytes(b"bit rot")
    made = run(place, target)
    assert set(made.manifest.missing) == {lost, damaged}
    assert made.manifest.objects == 1
    assert objects_of(target).exists(whole)
    problems = drill(made.folder, place.url).problems
    assert len(problems) == 2
    assert all("already when the backup was taken" in problem for problem in problems)


def test_a_photo_that_rots_in_the_backup_is_found_by_the_drill(place: Any, target: Path) -> None:
    name = place.add(b"1")
    made = run(place, target)
    path = object_path(target / "objects", name)
    path.chmod(0o600)
    path.write_bytes(b"bit rot")
    assert drill(made.folder, place.url).problems == (f"object {name} is missing or damaged in the backup",)


@pytest.mark.parametrize("which", ["dump", "names"])
def test_a_damaged_backup_is_refused(place: Any, target: Path, empty_url: str, which: str, tmp_path: Path) -> None:
    place.add(b"1")
    made = run(place, target)
    path = made.folder / (made.manifest.dump_file if which == "dump" else NAMES)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(StorageError, match="not what was written"):
        restore(made.folder, empty_url, LocalStore(tmp_path / "new"))
    with pytest.raises(StorageError, match="not what was written"):
        drill(made.folder, place.url)


def test_decisions_that_were_changed_after_the_backup_show_in_the_comparison(place: Any, target: Path) -> None:
    place.add(b"1", accept=True)
    with place.database.writing() as session:
        on_postgresql = session.get_bind().dialect.name == "postgresql"
        trigger = "decisions_append_only ON decisions" if on_postgresql else "decisions_no_update"
        session.execute(text(f"DROP TRIGGER {trigger}"))
        session.execute(text("UPDATE decisions SET reviewer = 'mallory'"))
    made = run(place, target)
    (problem,) = drill(made.folder, place.url).problems
    assert "audit chain is broken" in problem


def test_restoring_over_a_database_is_refused(place: Any, target: Path) -> None:
    place.add(b"1")
    made = run(place, target)
    with pytest.raises(UsageError, match="already"):
        restore(made.folder, place.url, place.store)
    assert len(contents(place.url)["photos"]) == 1


def test_a_restore_that_was_cut_short_goes_on(place: Any, target: Path, empty_url: str, tmp_path: Path) -> None:
    names = [place.add(bytes([n])) for n in range(3)]
    made = run(place, target)
    half = LocalStore(tmp_path / "half")
    copied = half.incoming()
    copied.write(objects_of(target).read(names[0]))
    copied.finish()
    assert restore(made.folder, empty_url, half).problems == ()


def test_a_backup_that_was_cut_short_does_not_count(place: Any, target: Path) -> None:
    place.add(b"1")
    whole, cut = run(place, target), run(place, target, EVENING)
    (cut.folder / FILE_NAME).unlink()
    assert newest(target) == whole.folder
    with pytest.raises(UsageError, match="no finished backup"):
        drill(cut.folder, place.url)


def test_without_any_backup_there_is_nothing_to_restore(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no finished backup"):
        newest(tmp_path)


def test_missing_tools_of_postgresql_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="postgresql-client"):
        postgresql.restore("postgresql+psycopg://h/x", tmp_path / "dump")


def test_a_server_that_is_away_is_one_line_and_no_password(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as error:
        back_up("postgresql+psycopg://u:hidden@127.0.0.1:1/x", LocalStore(tmp_path / "o"), tmp_path / "b")
    assert "\n" not in str(error.value)
    assert "hidden" not in str(error.value)
