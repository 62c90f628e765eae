"""From photos to crops that training loads, by way of what people decide."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import datasets
from models.training.lines import read_labelled_lines
from ocr_service import verification
from ocr_service.cli.export_lines import export_lines as command
from ocr_service.data_folder import DataFolder
from ocr_service.database import Database, open_database
from ocr_service.errors import UsageError
from ocr_service.exports import Exported, LeftOut, export_lines
from ocr_service.reading import load_reader, read_photo
from ocr_service.reading.photo import MAX_SIDE_PX
from ocr_service.records import Context, Reading
from ocr_service.settings import load_settings
from ocr_service.states import Verdict
from ocr_service.storage import LocalStore
from ocr_service.verification import Correction
from preprocess.decode import decode_photo
from preprocess.lines import crop_line

SAMPLES = Path(datasets.__file__).parent / "samples"
# the second is turned by its EXIF orientation
PHOTOS = ("02_black_white.jpg", "13_turned_by_exif.jpg")
COMMAND = [sys.executable, "-c", "from ocr_service.cli import main; main()"]


@pytest.fixture(scope="module")
def readings() -> list[Reading]:
    """What the reader that ships sees in the samples."""
    reader = load_reader()
    return [read_photo((SAMPLES / name).read_bytes(), name, reader) for name in PHOTOS]


@pytest.fixture
def data(readings: list[Reading], tmp_path: Path) -> Path:
    """A data folder with the samples read; their drafts are 1 and 2."""
    with DataFolder(tmp_path / "data") as folder:
        for reading in readings:
            folder.add(reading, SAMPLES / reading.photo, Context())
    return tmp_path / "data"


@pytest.fixture
def database(data: Path) -> Iterator[Database]:
    database = open_database(load_settings(data_dir=data).resolved_database_url)
    yield database
    database.close()


def decide(database: Database, record_id: int, **values: Correction) -> None:
    with database.writing() as session:
        view = verification.get_record(session, record_id)
        verdict = Verdict.CORRECT if values else Verdict.ACCEPT
        verification.decide(
            session, record_id, verdict, reviewer="lan", expected_version=view.version, values=values or None
        )


def name_of(database: Database, record_id: int) -> tuple[int, str]:
    """The line that a draft's name stands on alone, and the name as read."""
    with database.reading() as session:
        name = verification.get_record(session, record_id).fields["name"]
    assert name.raw is not None
    (line,) = name.lines
    return line, name.raw


def export(database: Database, data: Path, out: Path) -> Exported:
    store = LocalStore(load_settings(data_dir=data).objects_dir)
    with database.reading() as session:
        return export_lines(session, store, out, source=data, by="lan", now=datetime(2026, 4, 30, tzinfo=UTC))


def test_what_people_verified_is_what_training_loads(database: Database, data: Path, tmp_path: Path) -> None:
    _, name = name_of(database, 2)
    right = name[:-1] + ("A" if name[-1] != "A" else "I")
    decide(database, 1)
    decide(database, 2, name=Correction(raw=right))
    done = export(database, data, tmp_path / "out")
    assert (done.finished, done.photos, done.broken) == (True, 2, ())
    loaded = read_labelled_lines(done.labels)
    assert len(loaded) == done.lines > 6
    texts = [text for _, text in loaded]
    assert name_of(database, 1)[1] in texts
    assert sum(right in text for text in texts) == 1
    assert not any(name in text for text in texts)
    assert all(image.shape[0] == 48 for image, _ in loaded)
    with database.reading() as session:
        lines = sum(len(verification.get_record(session, record_id).reading.lines) for record_id in (1, 2))
    assert done.lines + sum(done.left_out.values()) == lines


def test_crops_are_cut_as_the_reader_cuts_them(database: Database, data: Path, tmp_path: Path) -> None:
    decide(database, 2)  # turned by EXIF: a quad in the pixels of the file would miss its line
    line, name = name_of(database, 2)
    done = export(database, data, tmp_path / "out")
    (crop,) = [image for image, text in read_labelled_lines(done.labels) if name in text]
    photo = decode_photo((SAMPLES / PHOTOS[1]).read_bytes(), max_side_px=MAX_SIDE_PX)
    with database.reading() as session:
        quad = verification.get_record(session, 2).reading.lines[line].quad
    assert np.array_equal(crop, crop_line(photo.image, np.asarray(quad) * photo.scale, 48))


def test_a_second_run_cuts_nothing_again_and_drops_what_was_taken_back(
    database: Database, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    decide(database, 1)
    first = export(database, data, out)
    made = {path.name: path.stat().st_mtime_ns for path in (out / "crops").iterdir()}
    decide(database, 2)
    second = export(database, data, out)
    assert second.lines > first.lines
    assert {path.name: path.stat().st_mtime_ns for path in (out / "crops").iterdir()}.items() >= made.items()
    with database.writing() as session:
        verification.undo(session, "lan")
        verification.undo(session, "lan")
    third = export(database, data, out)
    assert (third.lines, third.left_out) == (0, {})
    assert third.labels.read_text() == ""
    assert list((out / "crops").iterdir()) == []


def test_a_stopped_run_leaves_the_labels_and_keeps_the_crops(database: Database, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    decide(database, 1)
    before = export(database, data, out).labels.read_text()
    decide(database, 2)
    answers = iter((False, True))
    with database.reading() as session:
        store = LocalStore(data / "objects")
        now = datetime(2026, 4, 30, tzinfo=UTC)
        done = export_lines(session, store, out, source=data, by="lan", now=now, is_stopped=lambda: next(answers))
    assert not done.finished
    assert done.labels.read_text() == before
    assert export(database, data, out).photos == 2


def test_a_photo_that_is_gone_is_named_and_the_others_go_on(database: Database, data: Path, tmp_path: Path) -> None:
    decide(database, 1)
    decide(database, 2)
    with database.reading() as session:
        sha256 = verification.get_record(session, 1).photo.sha256
    (stored,) = (data / "objects").rglob(sha256)
    stored.unlink()
    done = export(database, data, tmp_path / "out")
    assert done.broken == (PHOTOS[0],)
    assert done.photos == 1
    assert done.left_out[LeftOut.NO_PHOTO] > 3


def test_another_store_does_not_write_over_an_export(database: Database, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    decide(database, 1)
    export(database, data, out)
    with pytest.raises(UsageError, match="another folder"):
        export(database, tmp_path / "other", out)


def test_the_command_says_what_it_exported_and_why_not_the_rest(database: Database, data: Path, tmp_path: Path) -> None:
    decide(database, 1)
    out = tmp_path / "out"
    done = subprocess.run(
        [*COMMAND, "export-lines", str(out), "--data", str(data)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    exported = len((out / "labels.txt").read_text(encoding="utf-8").splitlines())
    assert done.stdout.startswith(f"{exported} lines of 1 photos exported")
    assert LeftOut.UNTOUCHED.value in done.stdout
    about = json.loads((out / "export.json").read_text(encoding="utf-8"))
    assert (about["lines"], about["photos"]) == (exported, 1)
    assert (out / ".gitignore").read_text() == "*\n"


def test_the_command_refuses_folders_that_are_not_its_own(tmp_path: Path) -> None:
    data, mine = tmp_path / "data", tmp_path / "mine"
    data.mkdir()
    mine.mkdir()
    photo = mine / "photo.png"
    photo.touch()
    for out, of, why in (
        (mine, data, "holds other things"),
        (photo, data, "is a file"),
        (tmp_path / "out", tmp_path / "nowhere", "does not exist"),
    ):
        with pytest.raises(UsageError, match=why) as refusal:
            command(out, of)
        assert len(str(refusal.value).splitlines()) == 1
    assert list(mine.iterdir()) == [photo]
