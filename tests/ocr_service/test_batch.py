import hashlib
import os
import stat
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ocr_service import batch
from ocr_service.batch import PhotoFile, find_photos, load_bytes, plan
from ocr_service.errors import BundleError, UsageError
from ocr_service.records import Context, Reading, ReadingStatus, RejectReason
from ocr_service.settings import Settings

BUNDLE = "test@1"


def folder_with(tmp_path: Path, *names: str) -> Path:
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def read_before(photo: str, data: bytes, **changes: object) -> Reading:
    reading = Reading(photo, hashlib.sha256(data).hexdigest(), ReadingStatus.READ, bundle=BUNDLE)
    return replace(reading, **changes)  # type: ignore[arg-type]


def test_a_folder_is_walked_in_name_order_without_hidden_files_and_sidecars(tmp_path: Path) -> None:
    root = folder_with(tmp_path, "b.jpg", "a/2.JPG", "a/1.heic", "a/1.json", ".trash/x.jpg", "Thumbs.db", "notes.txt")
    assert [file.name for file in find_photos([root])] == ["a/1.heic", "a/2.JPG", "b.jpg", "notes.txt"]


def test_a_sidecar_that_is_named_is_tried(tmp_path: Path) -> None:
    root = folder_with(tmp_path, "a.json")
    assert [file.name for file in find_photos([root / "a.json"])] == ["a.json"]


def test_a_photo_named_twice_is_read_once(tmp_path: Path) -> None:
    root = folder_with(tmp_path, "a.jpg")
    assert len(find_photos([root, root / "a.jpg", root / "." / "a.jpg"])) == 1


def test_photos_of_one_name_in_two_folders_keep_names_of_their_own(tmp_path: Path) -> None:
    root = folder_with(tmp_path, "x/a.jpg", "y/a.jpg")
    names = [file.name for file in find_photos([root / "x", root / "y"])]
    assert names == [(root / "x/a.jpg").as_posix(), (root / "y/a.jpg").as_posix()]


def test_links_that_lead_nowhere_or_in_circles_do_not_stop_the_walk(tmp_path: Path) -> None:
    root = folder_with(tmp_path, "a.jpg")
    (root / "self.jpg").symlink_to(root / "self.jpg")
    (root / "up").symlink_to(root)
    files = find_photos([root])
    assert [file.name for file in files] == ["a.jpg", "self.jpg"]
    reading = load_bytes(files[1], BUNDLE)
    assert isinstance(reading, Reading)
    assert reading.reason is RejectReason.UNREADABLE_FILE


def test_a_name_that_is_no_utf8_is_spelt_out(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"bad\xff.jpg")).write_bytes(b"x")
    assert [file.name for file in find_photos([tmp_path])] == ["bad\\xff.jpg"]


def test_a_folder_that_cannot_be_opened_is_named_in_the_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = folder_with(tmp_path, "a.jpg", "locked/b.jpg")
    opened = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:  # root may open every folder, so permissions cannot show this
        if path.name == "locked":
            raise PermissionError(13, "Permission denied")
        return opened(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    files = find_photos([root])
    assert [file.name for file in files] == ["a.jpg", "locked"]
    assert "folder cannot be opened" in str(rejected(files[1].path).detail)


def test_a_path_that_is_not_there_or_holds_nothing_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        find_photos([tmp_path / "nowhere"])
    with pytest.raises(UsageError, match="no photos in"):
        find_photos([folder_with(tmp_path, "a.json")])


def test_photos_read_before_are_left_out_by_content_whatever_their_name(tmp_path: Path) -> None:
    root = folder_with(tmp_path, "old.jpg", "new.jpg")
    earlier = {"earlier.jpg": read_before("earlier.jpg", b"old.jpg")}
    result = plan(find_photos([root]), earlier, BUNDLE)
    assert [file.name for file in result.todo] == ["new.jpg"]
    assert [reading.photo for reading in result.done] == ["old.jpg"]


@pytest.mark.parametrize(
    "changes",
    [{"bundle": "other@1"}, {"status": ReadingStatus.REJECTED, "reason": RejectReason.READER_FAILED}],
)
def test_another_bundle_or_a_failed_reader_is_a_reason_to_read_again(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    root = folder_with(tmp_path, "a.jpg")
    result = plan(find_photos([root]), {"a.jpg": read_before("a.jpg", b"a.jpg", **changes)}, BUNDLE)
    assert len(result.todo) == 1


def test_a_rejected_photo_is_not_tried_again_with_the_same_bytes(tmp_path: Path) -> None:
    root = folder_with(tmp_path, "a.jpg")
    rejected = read_before("a.jpg", b"a.jpg", status=ReadingStatus.REJECTED, reason=RejectReason.TRUNCATED)
    assert plan(find_photos([root]), {"a.jpg": rejected}, BUNDLE).todo == ()


def rejected(path: Path) -> Reading:
    reading = load_bytes(PhotoFile(path.name, path), BUNDLE)
    assert isinstance(reading, Reading)
    assert reading.status is ReadingStatus.REJECTED
    return reading


def test_what_is_no_regular_file_is_rejected_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert stat.S_ISFIFO((tmp_path / "pipe.jpg").stat().st_mode)
    assert rejected(tmp_path / "pipe.jpg").reason is RejectReason.UNREADABLE_FILE


def test_a_file_that_vanished_is_rejected_with_the_cause(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to(tmp_path / "gone.jpg")
    reading = rejected(tmp_path / "a.jpg")
    assert reading.reason is RejectReason.UNREADABLE_FILE
    assert "No such file" in str(reading.detail)


def test_a_huge_file_is_rejected_unread(tmp_path: Path) -> None:
    with (tmp_path / "film.jpg").open("wb") as file:
        file.truncate(batch.MAX_FILE_BYTES + 1)
    assert rejected(tmp_path / "film.jpg").reason is RejectReason.TOO_LARGE_FILE


@pytest.mark.parametrize("settings", [Settings(), Settings(engine="torch")], ids=["one by one", "side by side"])
def test_a_worker_that_dies_takes_only_its_own_photo_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(batch, "_start_worker", no_reader)
    monkeypatch.setattr(batch, "_read_in_worker", die_on_poison)
    files = find_photos([folder_with(tmp_path, "1.jpg", "2.jpg", "poison.jpg", "z3.jpg", "z4.jpg")])
    readings = {
        reading.photo: reading.reason
        for reading in batch.read_files(
            files, settings, bundle_id=BUNDLE, workers=2, context=Context(), stop=threading.Event()
        )
    }
    assert readings == {
        "1.jpg": None,
        "2.jpg": None,
        "poison.jpg": RejectReason.READER_FAILED,
        "z3.jpg": None,
        "z4.jpg": None,
    }


def test_a_worker_reads_the_photos_of_one_task_side_by_side_and_keeps_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(3)

    def meet(file: PhotoFile, reader: object, context: Context) -> Reading:
        together.wait(20)  # passes only with three in work
        return Reading(file.name, "", ReadingStatus.READ)

    monkeypatch.setattr(batch, "_reader", object(), raising=False)
    monkeypatch.setattr(batch, "read_file", meet)
    files = find_photos([folder_with(tmp_path, "1.jpg", "2.jpg", "3.jpg")])
    assert [reading.photo for reading in batch._read_in_worker(files, Context())] == ["1.jpg", "2.jpg", "3.jpg"]


def test_what_keeps_workers_from_loading_their_reader_reaches_the_caller(tmp_path: Path) -> None:
    files = find_photos([folder_with(tmp_path, "1.jpg", "2.jpg")])
    readings = batch.read_files(
        files, Settings(bundle="nobody-vi"), bundle_id=BUNDLE, workers=1, context=Context(), stop=threading.Event()
    )
    with pytest.raises(BundleError, match="nobody-vi"):
        next(readings)


def test_a_stopped_run_finishes_what_is_in_work_and_begins_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_start_worker", no_reader)
    monkeypatch.setattr(batch, "_read_in_worker", die_on_poison)
    files = find_photos([folder_with(tmp_path, *(f"{number:03}.jpg" for number in range(100)))])
    stop = threading.Event()
    readings = []
    for reading in batch.read_files(files, Settings(), bundle_id=BUNDLE, workers=1, context=Context(), stop=stop):
        readings.append(reading)
        stop.set()
    assert 1 <= len(readings) <= 4


def no_reader(settings: Settings) -> None:
    pass


def die_on_poison(files: Sequence[PhotoFile], context: Context) -> list[Reading]:
    if any(file.name == "poison.jpg" for file in files):
        os._exit(9)
    return [Reading(file.name, "", ReadingStatus.READ, bundle=BUNDLE) for file in files]
