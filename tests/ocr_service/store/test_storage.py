from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocr_service.errors import NotFoundError, StorageError
from ocr_service.storage import LocalStore, chunks_of, object_path


def keep(store: LocalStore, data: bytes) -> str:
    incoming = store.incoming()
    incoming.write(data)
    return incoming.finish().sha256


@given(chunks=st.lists(st.binary(max_size=3000), max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_an_object_comes_back_byte_for_byte_under_its_sha256(tmp_path: Path, chunks: list[bytes]) -> None:
    store = LocalStore(tmp_path / "objects")
    incoming = store.incoming()
    for chunk in chunks:
        incoming.write(chunk)
    kept = incoming.finish()
    whole = b"".join(chunks)
    assert kept.sha256 == hashlib.sha256(whole).hexdigest()
    assert kept.size_bytes == len(whole)
    assert store.read(kept.sha256) == whole


def test_the_same_bytes_twice_are_one_object(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    first = keep(store, b"stone")
    inode = object_path(tmp_path, first).stat().st_ino
    assert keep(store, b"stone") == first
    assert object_path(tmp_path, first).stat().st_ino == inode


def test_an_unfinished_object_leaves_nothing_behind(tmp_path: Path) -> None:
    incoming = LocalStore(tmp_path).incoming()
    incoming.write(b"half")
    incoming.discard()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_object_is_not_visible_before_it_is_finished(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    incoming = store.incoming()
    incoming.write(b"stone")
    digest = hashlib.sha256(b"stone").hexdigest()
    assert not store.exists(digest)
    incoming.finish()
    assert store.exists(digest)


def test_originals_cannot_be_written_by_accident(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert object_path(tmp_path, keep(store, b"stone")).stat().st_mode & 0o222 == 0


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "g" * 64, "A" * 64, "a" * 63])
def test_only_a_sha256_names_an_object(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFoundError):
        LocalStore(tmp_path).read(name)


def test_a_missing_object_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        LocalStore(tmp_path).read("0" * 64)


def test_a_full_disk_is_a_storage_error_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    incoming = LocalStore(tmp_path).incoming()
    incoming.write(b"stone")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        incoming.finish()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        LocalStore(tmp_path / "file" / "objects")


def test_chunks_hold_a_whole_file(tmp_path: Path) -> None:
    data = os.urandom(2_500_000)
    (tmp_path / "f").write_bytes(data)
    assert b"".join(chunks_of(tmp_path / "f")) == data == b"".join(chunks_of(data))
