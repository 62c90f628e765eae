import hashlib
from pathlib import Path

import pytest

from ocr_service import intake, verification
from ocr_service.data_folder import DataFolder
from ocr_service.database import open_database
from ocr_service.errors import StorageError
from ocr_service.records import Context, Field, Reading, ReadingStatus, RejectReason
from ocr_service.settings import load_settings
from ocr_service.states import PhotoState

JPEG = b"\xff\xd8\xff\xe0" + bytes(200)


def reading_of(path: Path, **changes: object) -> Reading:
    values: dict[str, object] = {
        "status": ReadingStatus.READ,
        "record": {"name": Field("Lê Văn Nam", "LÊ VĂN NAM", 0.9)},
    }
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Reading(path.name, sha256, bundle="test@1", **(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "a.jpg"
    path.write_bytes(JPEG)
    return path


def states(folder: Path) -> tuple[int, dict[PhotoState, int]]:
    database = open_database(load_settings(data_dir=folder).resolved_database_url)
    with database.reading() as session:
        return verification.count_waiting(session), intake.count_photos(session)


def test_a_reading_made_on_the_command_line_waits_for_verification(tmp_path: Path, photo: Path) -> None:
    with DataFolder(tmp_path / "data") as folder:
        folder.add(reading_of(photo), photo, Context())
    waiting, counts = states(tmp_path / "data")
    assert waiting == 1
    assert sum(counts.values()) == 1


def test_the_same_photo_again_is_neither_stored_nor_counted_twice(tmp_path: Path, photo: Path) -> None:
    for _ in range(3):
        with DataFolder(tmp_path / "data") as folder:
            folder.add(reading_of(photo), photo, Context())
    waiting, counts = states(tmp_path / "data")
    assert (waiting, sum(counts.values())) == (1, 1)


def test_a_photo_that_could_not_be_read_is_kept_as_rejected(tmp_path: Path, photo: Path) -> None:
    rejected = reading_of(photo, status=ReadingStatus.REJECTED, reason=RejectReason.TRUNCATED, record={})
    with DataFolder(tmp_path / "data") as folder:
        folder.add(rejected, photo, Context())
    waiting, counts = states(tmp_path / "data")
    assert waiting == 0
    assert counts[PhotoState.REJECTED] == 1


def test_a_photo_that_vanished_is_reported_as_a_fault_of_storage(tmp_path: Path, photo: Path) -> None:
    reading = reading_of(photo)
    photo.unlink()
    with DataFolder(tmp_path / "data") as folder, pytest.raises(StorageError, match="run the same command again"):
        folder.add(reading, photo, Context())
