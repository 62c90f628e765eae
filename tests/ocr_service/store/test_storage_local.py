"""What a folder does to keep its promise over a power cut."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ocr_service.errors import StorageError
from ocr_service.storage import LocalStore, object_path


def keep(store: LocalStore, data: bytes) -> Path:
    incoming = store.incoming()
    incoming.write(data)
    return Path(incoming.finish().sha256)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What was synced, by the name it had then."""
    paths: list[Path] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        paths.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    return paths


def test_the_same_bytes_twice_are_one_file(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    first = keep(store, b"stone")
    inode = object_path(tmp_path, str(first)).stat().st_ino
    assert keep(store, b"stone") == first
    assert object_path(tmp_path, str(first)).stat().st_ino == inode


def test_originals_cannot_be_written_by_accident(tmp_path: Path) -> None:
    assert object_path(tmp_path, str(keep(LocalStore(tmp_path), b"stone"))).stat().st_mode & 0o222 == 0


def test_an_unfinished_object_leaves_nothing_behind(tmp_path: Path) -> None:
    incoming = LocalStore(tmp_path).incoming()
    incoming.write(b"half")
    incoming.discard()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_bytes_are_synced_before_their_name_and_the_name_with_all_new_folders_before_they_are_acknowledged(
    tmp_path: Path, synced: list[Path]
) -> None:
    name = str(keep(LocalStore(tmp_path), b"stone"))
    path = object_path(tmp_path, name)
    assert synced[0].parent == tmp_path / ".incoming"
    assert set(synced[1:]) == {tmp_path, path.parent.parent, path.parent}


def test_a_name_that_another_process_gave_is_synced_before_it_is_acknowledged(
    tmp_path: Path, synced: list[Path]
) -> None:
    path = object_path(tmp_path, str(keep(LocalStore(tmp_path), b"stone")))
    synced.clear()
    keep(LocalStore(tmp_path), b"stone")
    assert {tmp_path, path.parent.parent, path.parent} <= set(synced)


def test_a_folder_that_is_known_to_be_there_is_synced_once_for_many_objects(tmp_path: Path, synced: list[Path]) -> None:
    store = LocalStore(tmp_path)
    folder = object_path(tmp_path, str(keep(store, b"stone"))).parent
    synced.clear()
    many = [store.incoming() for _ in range(3)]
    for incoming in many:
        incoming.write(b"stone")
    store.durable(many)
    assert [path for path in synced if path.parent != tmp_path / ".incoming"] == [folder]


def test_a_full_disk_is_a_storage_error_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    store = LocalStore(tmp_path)
    many = [store.incoming() for _ in range(3)]
    for number, incoming in enumerate(many):
        incoming.write(bytes([number]))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        store.durable(many)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        LocalStore(tmp_path / "file" / "objects")
