"""``headstone upload`` as its users have it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ocr_service.cli import app, exit_code
from ocr_service.errors import HeadstoneError

Command = Callable[..., "Done"]


class Done:
    """What a command printed and how it ended."""

    def __init__(self, code: int, out: str, said: str) -> None:
        self.code, self.out, self.said = code, out, said


@pytest.fixture
def headstone(service: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs the command in this process, as ``main`` does."""

    def run(*arguments: str | Path, **environment: str) -> Done:
        for name, value in {"HEADSTONE_SERVER": service.address, **environment}.items():
            monkeypatch.setenv(name, value)
        result = CliRunner().invoke(app, ["upload", *map(str, arguments)])
        if isinstance(result.exception, HeadstoneError):
            return Done(exit_code(result.exception), result.stdout, str(result.exception))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    return run


def test_a_folder_is_sent_and_the_outcome_is_counted(headstone: Command, photos: Path, service: Any) -> None:
    done = headstone(photos, "--cemetery", "NTLS xã Tân Phú", "--parallel", "2")
    assert done.code == 0, done.said
    assert done.out.splitlines() == ["12\tfiles in the folder", "12\ttaken by the server"]
    assert "receipt.csv" in done.said
    assert len(service.stored()) == 12


def test_a_dry_run_says_what_would_go_and_sends_nothing(headstone: Command, photos: Path, service: Any) -> None:
    (photos / "list.xlsx").write_bytes(b"PK\x03\x04")
    done = headstone(photos, "--dry-run", "-o", "json")
    assert done.code == 0
    assert [json.loads(line)["path"] for line in done.out.splitlines()][:2] == [
        "hàng 0/IMG_0000.jpg",
        "hàng 0/IMG_0003.jpg",
    ]
    assert "12 photos" in done.said
    assert "1 left out: no photo" in done.said
    assert service.stored() == []


def test_refused_files_end_with_one_and_a_list(headstone: Command, photos: Path, tmp_path: Path) -> None:
    (photos / "letter.jpg").write_bytes(b"%PDF-1.7")
    done = headstone(photos, "--report", tmp_path / "problems.csv", "-o", "json")
    assert done.code == 1
    last = json.loads(done.out.splitlines()[-1])
    assert (last["event"], last["counts"]) == ("finished", {"received": 12, "refused": 1})
    assert "letter.jpg: refused: This is a PDF document" in done.said
    assert "letter.jpg,refused" in (tmp_path / "problems.csv").read_text("utf-8-sig")


def test_a_manifest_that_does_not_fit_ends_with_two_before_anything_is_sent(
    headstone: Command, photos: Path, tmp_path: Path, service: Any
) -> None:
    (tmp_path / "m.csv").write_text("file\nnowhere.jpg\n")
    done = headstone(photos, "--manifest", tmp_path / "m.csv")
    assert done.code == 2
    assert "row 2: the file “nowhere.jpg” is not in the folder" in done.said
    with service.app.state.database.reading() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM batches").scalar() == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--limit", "fast"], "200k"),
        (["--give-up-after", "later"], "12h"),
        (["--batch-key", "a b"], "without marks"),
        (["--batch-key", "a", "--batch", "1"], "one of them"),
        (["--only-listed"], "--manifest"),
        (["--cemetery", "x" * 201], "201 characters"),
        (["--key-file", "nowhere"], "cannot be read"),
        (["--server", "http://headstone.example.vn", "--key-file", "key"], "--insecure"),
    ],
)
def test_what_cannot_be_carried_out_is_said_in_one_line(
    headstone: Command, photos: Path, tmp_path: Path, arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("key").write_text("secret\n")
    done = headstone(photos, *arguments)
    assert done.code == 2
    assert words in done.said
    assert "secret" not in done.said


def test_a_key_of_the_environment_or_of_a_file_is_what_lets_in(
    headstone: Command, photos: Path, tmp_path: Path, another_service: Any
) -> None:
    import hashlib

    keys = tmp_path / "keys.toml"
    keys.write_text(
        f'[[key]]\nname = "lan"\nroles = ["collector"]\nsha256 = "{hashlib.sha256(b"open-sesame").hexdigest()}"\n'
    )
    address = another_service(api_keys_file=keys).address
    wrong = headstone(photos, "--server", address, HEADSTONE_API_KEY="wrong")
    assert (wrong.code, "not known" in wrong.said) == (2, True)
    (tmp_path / "key").write_text("open-sesame\n")
    assert headstone(photos, "--server", address, "--key-file", tmp_path / "key").code == 0
    again = headstone(photos, "--server", address, HEADSTONE_API_KEY="open-sesame")
    assert again.code == 0


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(photos: Path, service: Any, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from ocr_service.cli import main; main()", "upload", str(photos)]
    command += ["--server", service.address, "--limit", "3k"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not service.stored():
        assert time.monotonic() < end
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    out, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "the same command goes on from there" in said
    left = re.search(r"^(\d+)\tleft to send$", out, re.MULTILINE)
    assert left is not None
    assert 0 < int(left[1]) <= 12  # the answer to what is stored may not have come back yet
    done = subprocess.run(command[:-2], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert len(service.stored()) == 12
