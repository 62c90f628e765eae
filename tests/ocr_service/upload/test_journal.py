from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ocr_service.errors import StorageError, UsageError
from ocr_service.states import FileState
from ocr_service.upload.folder import LocalFile
from ocr_service.upload.journal import Entry, Journal

FILE = LocalFile("khu A/1.jpg", Path("1.jpg"), 10, 1_000)


def test_what_was_noted_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.sqlite3"
    with Journal(path) as journal:
        journal.note_hash(FILE, "ab" * 32)
        journal.note([replace(journal.entries[FILE.path], state=FileState.REFUSED, detail="no picture")])
        journal.note_fact("batch", "7")
    with Journal(path) as journal:
        assert journal.entries == {
            FILE.path: Entry(FILE.path, 10, 1_000, "ab" * 32, FileState.REFUSED, "no picture"),
        }
        assert journal.fact("batch") == "7"


def test_a_hash_holds_while_size_and_time_do(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        journal.note_hash(FILE, "ab" * 32)
        assert journal.known_hash(FILE) == "ab" * 32
        assert journal.known_hash(replace(FILE, mtime_ns=1_001)) is None
        assert journal.known_hash(replace(FILE, size_bytes=11)) is None


def test_the_servers_word_holds_for_the_bytes_and_not_for_the_path(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        journal.note_hash(FILE, "ab" * 32)
        journal.note([replace(journal.entries[FILE.path], state=FileState.RECEIVED)])
        journal.note_hash(replace(FILE, mtime_ns=2_000), "ab" * 32)
        assert journal.entries[FILE.path].is_settled
        journal.note_hash(replace(FILE, mtime_ns=3_000), "cd" * 32)
        assert not journal.entries[FILE.path].is_settled


def test_bytes_that_were_promised_and_replaced_are_remembered_until_the_server_heard_of_it(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        journal.note_hash(FILE, "ab" * 32)
        journal.note_hash(replace(FILE, mtime_ns=2_000), "cd" * 32)
    with Journal(tmp_path / "j") as journal:
        assert journal.replaced() == [(FILE.path, "ab" * 32)]
        journal.note_hash(replace(FILE, mtime_ns=3_000), "ab" * 32)
        assert journal.replaced() == [(FILE.path, "cd" * 32)]
        journal.forget_replaced()
        journal.note([replace(journal.entries[FILE.path], state=FileState.RECEIVED)])
        journal.note_hash(replace(FILE, mtime_ns=4_000), "ef" * 32)
        assert journal.replaced() == []


def test_a_second_run_is_told_that_the_first_is_at_work(tmp_path: Path) -> None:
    with Journal(tmp_path / "j"):
        script = f"import pathlib, ocr_service.upload.journal as j; j.Journal(pathlib.Path({str(tmp_path / 'j')!r}))"
        second = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert "another run is sending this folder" in second.stderr
    Journal(tmp_path / "j").close()


def test_a_run_that_was_killed_leaves_its_notes_and_no_lock(tmp_path: Path) -> None:
    script = (
        "import os; from pathlib import Path; from ocr_service.upload.journal import Journal\n"
        "from ocr_service.upload.folder import LocalFile\n"
        f"journal = Journal(Path({str(tmp_path / 'j')!r}))\n"
        "journal.note_hash(LocalFile('1.jpg', Path('1.jpg'), 1, 1), 'ab')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    with Journal(tmp_path / "j") as journal:
        assert journal.entries["1.jpg"].sha256 == "ab"


def test_another_kind_of_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Kính gửi " * 1000)
    with pytest.raises(UsageError, match="no journal"):
        Journal(path)
    assert path.read_text().startswith("Kính gửi")


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="--journal"):
        Journal(tmp_path / "file" / "journal.sqlite3")


def test_what_another_version_wrote_is_left_alone(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        journal.note_fact("format", "99")
    with pytest.raises(UsageError, match="another version"):
        Journal(tmp_path / "j")
