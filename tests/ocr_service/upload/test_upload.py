"""Uploads to the real application on loopback."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import struct
import threading
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from ocr_service.errors import UsageError
from ocr_service.states import FileState
from ocr_service.upload import Ending, hashing
from ocr_service.upload.columns import FileFacts

CEMETERY = FileFacts(cemetery="NTLS xã Tân Phú", province="Bến Tre", collector="Lan")


def rows(path: Path) -> dict[str, str]:
    """State by path, of a receipt or a list of problems."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["path"]: row["state"] for row in csv.DictReader(file) if row["state"]}


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it has 60,000 × 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(500))) + chunk(b"IEND", b"")
    )


def test_a_folder_arrives_whole_and_the_receipt_names_every_file(
    service: Any, send: Any, photos: Path, tmp_path: Path, hashes: Any
) -> None:
    outcome = send(photos, facts=CEMETERY)
    assert (outcome.ending, outcome.problems, outcome.left) == (Ending.FINISHED, (), 0)
    assert outcome.counts == {FileState.RECEIVED: 12}
    assert service.stored() == hashes(photos)
    assert outcome.receipt == tmp_path / "state" / "receipt.csv"
    assert len(rows(outcome.receipt)) == 12
    batch = httpx.get(f"{service.address}/api/v1/batches/{outcome.batch_id}").json()
    assert (batch["cemetery"], batch["collector"], batch["counts"]["received"]) == ("NTLS xã Tân Phú", "Lan", 12)


def test_run_again_it_hashes_and_sends_nothing_and_finds_the_same_batch(
    service: Any, send: Any, photos: Path, monkeypatch: pytest.MonkeyPatch, hashes: Any
) -> None:
    first = send(photos)
    monkeypatch.setattr(hashing, "_hash", lambda *_: pytest.fail("a file was hashed again"))
    second = send(photos)
    assert (second.batch_id, second.sent_bytes, second.counts) == (first.batch_id, 0, first.counts)
    assert service.stored() == hashes(photos)


def test_without_its_journal_it_asks_and_sends_nothing_twice(send: Any, photos: Path, tmp_path: Path) -> None:
    first = send(photos)
    shutil.rmtree(tmp_path / "state")
    second = send(photos)
    assert (second.batch_id, second.sent_bytes, second.counts) == (first.batch_id, 0, first.counts)


def test_another_machine_goes_on_by_the_key_or_the_number_of_the_batch(send: Any, photos: Path, tmp_path: Path) -> None:
    first = send(photos, key="usb-2026-04-30")
    moved = shutil.copytree(photos, tmp_path / "elsewhere")
    by_key = send(moved, key="usb-2026-04-30", state_dir=tmp_path / "state2")
    by_number = send(moved, batch_id=first.batch_id, state_dir=tmp_path / "state3")
    for again in (by_key, by_number):
        assert (again.batch_id, again.sent_bytes, again.counts) == (first.batch_id, 0, first.counts)


def test_new_photos_in_the_folder_are_all_that_a_further_run_sends(
    service: Any, send: Any, photos: Path, jpeg: Any, hashes: Any
) -> None:
    send(photos)
    (photos / "new.jpg").write_bytes(jpeg(1000))
    again = send(photos)
    assert again.sent_bytes == len(jpeg(1000))
    assert service.stored() == hashes(photos)


def test_what_cannot_be_taken_is_named_with_its_reason_and_the_rest_goes_on(
    service: Any, send: Any, photos: Path, tmp_path: Path, hashes: Any, jpeg: Any
) -> None:
    good = hashes(photos)
    bad = {
        "corrupt.jpg": b"\x00\x01\x02 no picture" * 20,
        "empty.jpg": b"",
        "oversized.jpg": jpeg(1, filling_bytes=100_000),
        "mislabelled.jpg": b"%PDF-1.7 a letter",
    }
    for name, data in bad.items():
        (photos / name).write_bytes(data)
    (photos / "copy.jpg").write_bytes((photos / "hàng 0" / "IMG_0000.jpg").read_bytes())
    (photos / "bomb.png").write_bytes(bomb())
    (photos / "raw.nef").write_bytes(b"MM\0*")
    outcome = send(photos)
    found = {problem.path: (problem.state, problem.reason) for problem in outcome.problems}
    assert {path for path, (state, _) in found.items() if state == "refused"} >= set(bad)
    assert found["raw.nef"][0] == "left_out"
    assert all(reason for _, reason in found.values())
    assert "MB" in found["oversized.jpg"][1]
    assert outcome.ending is Ending.FINISHED
    assert outcome.counts[FileState.DUPLICATE] == 1
    assert outcome.counts[FileState.REFUSED] + outcome.counts[FileState.RECEIVED] == len(good) + len(bad) + 1
    assert set(good) <= set(service.stored())
    assert set(service.stored()) - set(good) <= {hashlib.sha256(bomb()).hexdigest()}  # the reader refuses that one
    assert set(rows(tmp_path / "state" / "problems.csv")) == set(found)


def test_bytes_that_two_files_share_go_once(service: Any, send: Any, tmp_path: Path, jpeg: Any) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.jpg").write_bytes(jpeg(7))
    outcome = send(folder)
    assert outcome.counts == {FileState.RECEIVED: 1, FileState.DUPLICATE: 7}
    assert outcome.sent_bytes == len(jpeg(7))


def test_what_the_manifest_says_goes_with_each_file(service: Any, send: Any, photos: Path, tmp_path: Path) -> None:
    table = tmp_path / "plots.csv"
    table.write_text("tệp;khu;hàng;ngày chụp\nIMG_0003.jpg;A;2;31/05/2025\n", "utf-8")
    outcome = send(photos, facts=CEMETERY, manifest=table, only_listed=True)
    assert outcome.counts == {FileState.RECEIVED: 1}
    photo = httpx.get(f"{service.address}/api/v1/photos/1").json()
    assert photo["context"]["plot"] == "khu A, hàng 2"
    assert photo["context"]["cemetery"] == "NTLS xã Tân Phú"


def test_a_manifest_that_changed_after_the_upload_is_not_passed_over_in_silence(
    send: Any, photos: Path, tmp_path: Path
) -> None:
    send(photos)
    table = tmp_path / "plots.csv"
    table.write_text("file,plot\nIMG_0003.jpg,A-3\n", "utf-8")
    (problem,) = send(photos, manifest=table).problems
    assert (problem.path, problem.state) == ("hàng 0/IMG_0003.jpg", "not_changed")


def test_a_file_that_changes_or_vanishes_on_the_way_is_reported_and_not_sent_half(
    service: Any, send: Any, photos: Path, monkeypatch: pytest.MonkeyPatch, jpeg: Any
) -> None:
    changed, gone = photos / "hàng 0" / "IMG_0000.jpg", photos / "hàng 1" / "IMG_0001.jpg"
    before = hashlib.sha256(changed.read_bytes()).hexdigest()
    hash_files = hashing.hash_files

    def then_disturbed(*given: Any) -> dict[str, str]:
        troubles = hash_files(*given)
        if changed.read_bytes() != jpeg(500):
            changed.write_bytes(jpeg(500))
            gone.unlink()
        return troubles

    monkeypatch.setattr("ocr_service.upload.run.hash_files", then_disturbed)
    outcome = send(photos)
    assert {problem.path for problem in outcome.problems} == {"hàng 0/IMG_0000.jpg", "hàng 1/IMG_0001.jpg"}
    assert outcome.counts == {FileState.RECEIVED: 10}
    assert before not in service.stored()
    again = send(photos)
    assert again.counts == {FileState.RECEIVED: 11}
    assert [problem.path for problem in again.problems] == ["hàng 1/IMG_0001.jpg"]  # announced, and gone


def test_a_change_that_size_and_time_do_not_show_is_found_and_the_next_run_sends_it(
    service: Any, send: Any, photos: Path, monkeypatch: pytest.MonkeyPatch, hashes: Any
) -> None:
    changed = photos / "hàng 0" / "IMG_0000.jpg"
    hash_files = hashing.hash_files

    def then_changed(*given: Any) -> dict[str, str]:
        troubles = hash_files(*given)
        status, data = changed.stat(), changed.read_bytes()
        changed.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))
        return troubles

    with monkeypatch.context() as first:
        first.setattr("ocr_service.upload.run.hash_files", then_changed)
        assert [problem.path for problem in send(photos).problems] == ["hàng 0/IMG_0000.jpg"]
    assert send(photos).counts == {FileState.RECEIVED: 12}
    assert service.stored() == hashes(photos)


def test_a_disk_that_is_unplugged_ends_the_run_with_what_to_do(
    send: Any, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hash_files = hashing.hash_files

    def then_unplugged(*given: Any) -> dict[str, str]:
        troubles = hash_files(*given)
        shutil.rmtree(photos)
        return troubles

    monkeypatch.setattr("ocr_service.upload.run.hash_files", then_unplugged)
    with pytest.raises(UsageError, match="plug the disk in"):
        send(photos)


def test_a_file_that_cannot_be_read_is_reported_and_the_rest_goes_on(
    send: Any, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def damaged(path: Path, *given: Any, **named: Any) -> Any:
        if path.name == "IMG_0002.jpg":
            raise OSError(5, "Input/output error")
        return opened(path, *given, **named)

    monkeypatch.setattr(Path, "open", damaged)
    outcome = send(photos)
    assert [(p.path, p.state, "Input/output error" in p.reason) for p in outcome.problems] == [
        ("hàng 2/IMG_0002.jpg", "not_sent", True)
    ]
    assert outcome.counts == {FileState.RECEIVED: 11}


def test_a_server_that_was_set_up_anew_is_sent_everything_again(
    service: Any, send: Any, photos: Path, tmp_path: Path, another_service: Any, hashes: Any
) -> None:
    send(photos, key="usb")
    other = another_service()
    httpx.post(f"{other.address}/api/v1/batches", json={"label": "first"}, headers={"Origin": other.address})
    outcome = send(photos, key="usb", server=other.address)
    assert outcome.counts == {FileState.RECEIVED: 12}
    assert other.stored() == hashes(photos)


def test_what_the_receipt_does_not_name_is_sent_again(service: Any, send: Any, photos: Path, hashes: Any) -> None:
    """As a server that was restored from a backup has the batch, and not the files that came since."""
    first = send(photos)
    with service.app.state.database.writing() as session:
        session.connection().exec_driver_sql("DELETE FROM arrivals WHERE id > 4")
        session.connection().exec_driver_sql("DELETE FROM photos WHERE id > 4")
    assert len(service.stored()) == 4
    again = send(photos)
    assert again.batch_id == first.batch_id
    assert again.counts == {FileState.RECEIVED: 12}
    assert service.stored() == hashes(photos)


def test_a_run_that_is_stopped_keeps_what_was_sent_and_says_what_is_left(
    service: Any, send: Any, photos: Path, monkeypatch: pytest.MonkeyPatch, hashes: Any
) -> None:
    stop = threading.Event()
    read_file = hashing.read_file
    count = 0

    def then_stopped(*given: Any) -> bytes:
        nonlocal count
        count += 1
        if count == 5:
            stop.set()
        return read_file(*given)

    monkeypatch.setattr("ocr_service.upload.sending.read_file", then_stopped)
    outcome = send(photos, stop=stop, threads=1)
    assert outcome.ending is Ending.INTERRUPTED
    assert outcome.left == 8
    assert len(service.stored()) == 4
    assert send(photos).counts == {FileState.RECEIVED: 12}
    assert service.stored() == hashes(photos)


def test_a_batch_that_was_opened_for_another_collector_is_not_joined(send: Any, photos: Path) -> None:
    send(photos, facts=CEMETERY, key="usb")
    with pytest.raises(UsageError, match="another"):
        send(photos, facts=FileFacts(cemetery="NTLS Mỏ Cày"), key="usb")


def test_folders_and_cemeteries_have_batches_of_their_own(send: Any, photos: Path, tmp_path: Path) -> None:
    found = {
        send(photos, facts=facts, state_dir=None).batch_id
        for facts in (CEMETERY, FileFacts(cemetery="NTLS Mỏ Cày"), FileFacts())
    }
    assert len(found) == 3
