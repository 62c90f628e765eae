from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocr_service.errors import UsageError
from ocr_service.upload.folder import find_files

JPEG = b"\xff\xd8\xff\xe0 a picture"


def put(folder: Path, name: str, data: bytes = JPEG) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_photos_of_every_subfolder_are_found_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b/2.JPG", "b/1.heic", "a/hàng 3/x.tiff", "3.png"):
        put(tmp_path, name)
    found = find_files(tmp_path)
    assert [file.path for file in found.files] == ["3.png", "a/hàng 3/x.tiff", "b/1.heic", "b/2.JPG"]
    assert found.left_out == ()
    assert {file.size_bytes for file in found.files} == {len(JPEG)}


def test_what_is_named_like_a_photo_goes_whatever_it_holds_and_anything_else_by_its_content(tmp_path: Path) -> None:
    put(tmp_path, "broken.jpg", b"%PDF-1.7")
    put(tmp_path, "empty.png", b"")
    put(tmp_path, "IMG_0001")
    put(tmp_path, "list.xlsx", b"PK\x03\x04")
    put(tmp_path, "film.mp4", b"\x00\x00\x00\x20ftypisom")
    found = find_files(tmp_path)
    assert [file.path for file in found.files] == ["IMG_0001", "broken.jpg", "empty.png"]
    assert [(item.path, item.is_problem) for item in found.left_out] == [("film.mp4", False), ("list.xlsx", False)]


def test_hidden_and_system_files_and_links_are_left_out_and_said(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    put(outside, "secret.jpg")
    folder = tmp_path / "photos"
    for name in ("1.jpg", ".trash/2.jpg", "._1.jpg", "$RECYCLE.BIN/3.jpg", "@eaDir/4.jpg", "Thumbs.db"):
        put(folder, name)
    (folder / "out").symlink_to(outside)
    (folder / "one.jpg").symlink_to(outside / "secret.jpg")
    (folder / "round").symlink_to(folder)
    found = find_files(folder)
    assert [file.path for file in found.files] == ["1.jpg"]
    assert sum("link" in item.why for item in found.left_out) == 3
    assert sum("hidden" in item.why for item in found.left_out) == 5


def test_a_raw_file_needs_its_picture_beside_it(tmp_path: Path) -> None:
    put(tmp_path, "a/1.NEF", b"MM\0*")
    put(tmp_path, "a/1.jpg")
    put(tmp_path, "a/2.DNG", b"II*\0")
    found = find_files(tmp_path)
    assert [file.path for file in found.files] == ["a/1.jpg"]
    assert [(item.path, item.is_problem) for item in found.left_out] == [("a/1.NEF", False), ("a/2.DNG", True)]


def test_names_are_nfc_and_can_be_shown(tmp_path: Path) -> None:
    put(tmp_path, unicodedata.normalize("NFD", "mộ liệt sĩ.jpg"))
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff\n.jpg", os.O_CREAT))
    assert [file.path for file in find_files(tmp_path).files] == ["mộ liệt sĩ.jpg", "\ufffd_.jpg"]


def test_two_names_that_look_the_same_are_no_one_file(tmp_path: Path) -> None:
    put(tmp_path, unicodedata.normalize("NFD", "mộ.jpg"))
    put(tmp_path, "mộ.jpg")
    found = find_files(tmp_path)
    assert len(found.files) == 1
    assert [item.is_problem for item in found.left_out] == [True]


def test_a_folder_that_cannot_be_opened_is_a_problem_and_the_rest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "1.jpg")
    put(tmp_path, "locked/2.jpg")
    scandir = os.scandir

    def denied(path: Path) -> Iterator[os.DirEntry[str]]:
        if path == tmp_path / "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    found = find_files(tmp_path)
    assert [file.path for file in found.files] == ["1.jpg"]
    assert [(item.path, item.is_problem) for item in found.left_out] == [("locked", True)]


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        find_files(tmp_path / "nowhere")
