import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from ocr_service.evaluation import PEERS

Run = Callable[..., subprocess.CompletedProcess[str]]

COMMAND = [sys.executable, "-c", "from ocr_service.cli import main; main()"]


@pytest.fixture
def headstone(tmp_path: Path) -> Run:
    def run(*arguments: str | Path, stdin: str = "", ok: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)], input=stdin, capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert done.returncode == ok, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run


def write_stone(path: Path, *lines: str, width: int = 640) -> None:
    """A plain picture with ASCII text, so that tests need no fonts."""
    image = np.full((90 * len(lines) + 60, width, 3), 210, np.uint8)
    for row, line in enumerate(lines):
        cv2.putText(image, line, (30, 90 + 90 * row), cv2.FONT_HERSHEY_DUPLEX, 1.6, (30, 30, 30), 3, cv2.LINE_AA)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    write_stone(folder / "1.jpg", "LIET SI", "LE VAN NAM")
    write_stone(folder / "2.png", "DO VAN BA", "1945 - 1968")
    return folder


def readings(path: Path) -> dict[str, dict[str, object]]:
    return {reading["photo"]: reading for reading in map(json.loads, path.read_text().splitlines())}


def test_help_names_every_command_and_the_exit_codes(headstone: Run) -> None:
    text = headstone("--help").stdout
    for word in ("read", "parse", "serve", "evaluate", "demo", "Exit codes"):
        assert word in text


def test_reading_a_folder_writes_one_object_a_photo_in_the_contract(headstone: Run, photos: Path) -> None:
    out = photos.parent / "out.jsonl"
    headstone("read", photos, "--jsonl", out, "--csv", photos.parent / "out.csv")
    found = readings(out)
    assert set(found) == {"1.jpg", "2.png"}
    first = found["1.jpg"]
    assert first["status"] == "read"
    assert first["size_px"] == [640, 240]
    lines = first["lines"]
    assert isinstance(lines, list)
    assert any("NAM" in line["text"] for line in lines)
    assert all(len(line["quad"]) == 4 and 0 <= line["confidence"] <= 1 for line in lines)
    assert "@" in str(first["bundle"])
    assert {"kind", "name", "flags"} <= first["record"].keys()  # type: ignore[attr-defined]
    assert len((photos.parent / "out.csv").read_text().splitlines()) == 3


def test_piped_output_is_plain_and_json_is_one_object_a_line(headstone: Run, photos: Path) -> None:
    plain = headstone("read", photos).stdout.splitlines()
    assert plain[0].split("\t")[:3] == ["photo", "name", "hometown"]
    assert [line.split("\t")[0] for line in plain[1:]] == ["1.jpg", "2.png"]
    objects = headstone("read", photos / "1.jpg", "-o", "json").stdout.splitlines()
    assert json.loads(objects[0])["photo"] == "1.jpg"


def test_a_folder_read_before_is_left_as_it_is_by_content(headstone: Run, photos: Path) -> None:
    out = photos.parent / "out.jsonl"
    headstone("read", photos, "--jsonl", out)
    before = readings(out)
    (photos / "1.jpg").rename(photos / "renamed.jpg")
    write_stone(photos / "3.jpg", "VO VAN TU")
    again = headstone("read", photos, "--jsonl", out)
    assert "2 of 3 photos were read before" in again.stderr
    after = readings(out)
    assert after["renamed.jpg"]["timings_ms"] == before["1.jpg"]["timings_ms"]
    assert after["2.png"] == before["2.png"]
    assert "3.jpg" in after


def test_what_cannot_be_read_is_named_with_its_reason_and_the_rest_goes_on(headstone: Run, photos: Path) -> None:
    (photos / "empty.jpg").write_bytes(b"")
    (photos / "text.jpg").write_text("not a photo")
    (photos / "letter.txt").write_text("Kính gửi")
    jpeg = (photos / "1.jpg").read_bytes()
    (photos / "half.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    out = photos.parent / "out.jsonl"
    done = headstone("read", photos, "--jsonl", out, ok=1)
    found = readings(out)
    assert {name: reading["reason"] for name, reading in found.items()} == {
        "1.jpg": None,
        "2.png": None,
        "empty.jpg": "empty",
        "text.jpg": "not_an_image",
        "letter.txt": "not_an_image",
        "half.jpg": "truncated",
    }
    assert all(reading["detail"] for reading in found.values() if reading["status"] == "rejected")
    assert "2 photos read, 4 rejected" in done.stderr


def test_a_photo_without_read_permission_is_rejected_with_the_cause(headstone: Run, photos: Path) -> None:
    (photos / "secret.jpg").symlink_to("/proc/self/mem")  # refuses to be read even for root
    out = photos.parent / "out.jsonl"
    headstone("read", photos, "--jsonl", out, ok=1)
    assert readings(out)["secret.jpg"]["reason"] == "unreadable_file"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["read", "nowhere"], 2, "does not exist"),
        (["read", "."], 2, "no photos in"),
        (["read", "photos", "--bundle", "nonsense"], 3, "nonsense"),
        (["read", "photos", "--profile", "instant"], 3, "choose one of accurate, fast"),
        (["serve", "--bundle", "nonsense", "--port", "0"], 3, "nonsense"),
        (["demo", "--no-serve", "--profile", "instant"], 3, "choose one of accurate, fast"),
        (["read", "photos", "--jsonl", "photos/1.jpg"], 2, "not a reading"),
        (["read", "photos", "--jsonl", "photos/1.jpg/x"], 4, "choose another place"),
        (["evaluate", "nowhere"], 2, "nowhere"),
        (["evaluate", "photos", "--bundle", "nonsense"], None, ""),
        (["parse", "--jsonl"], 2, "line 1"),
    ],
)
def test_errors_are_one_line_that_says_what_is_wrong(
    headstone: Run, tmp_path: Path, arguments: list[str], code: int | None, message: str
) -> None:
    if "photos" in arguments:
        write_stone(tmp_path / "photos" / "1.jpg", "LE VAN NAM")
    done = subprocess.run(
        [*COMMAND, *arguments], input="oops\n", capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == code if code is not None else done.returncode in {2, 3}
    assert message in done.stderr
    assert done.stderr.startswith("headstone: ")
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("command", [["read", "photos"], ["serve", "--port", "0"], ["demo", "--no-serve"]])
def test_an_engine_that_is_not_installed_says_what_to_run(photos: Path, command: list[str]) -> None:
    without_torch = "import sys; sys.modules['torch'] = None; from ocr_service.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", without_torch, *command, "--engine", "torch"],
        capture_output=True, text=True, cwd=photos.parent, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.startswith("headstone: Engine 'torch' is not installed")
    assert "pip install '.[torch]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_engine_or_device_that_nobody_knows_is_wrong_usage(headstone: Run, photos: Path) -> None:
    assert "onnxruntime" in headstone("read", photos, "--engine", "abacus", ok=2).stderr
    assert "cuda" in headstone("read", photos, "--device", "abacus", ok=2).stderr


def test_the_reader_is_chosen_by_the_environment_too_and_options_win(
    headstone: Run, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSTONE_ENGINE", "abacus")
    assert "HEADSTONE_ENGINE" in headstone("read", photos, ok=2).stderr
    monkeypatch.setenv("HEADSTONE_PROFILE", "instant")
    assert "'instant'" in headstone("read", photos, "--engine", "onnxruntime", ok=3).stderr
    monkeypatch.setenv("HEADSTONE_BUNDLE", "interim")
    done = headstone("read", photos / "1.jpg", "--engine", "onnxruntime", "-o", "json")
    assert json.loads(done.stdout)["bundle"] == "interim@1"


def test_help_of_evaluate_names_every_reader(headstone: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = headstone("evaluate", "--help").stdout
    assert [name for name in PEERS if name not in text] == []


def test_runtimes_are_imported_only_by_commands_that_read() -> None:
    code = "import sys, ocr_service.cli; sys.exit(bool({'onnxruntime', 'cv2', 'torch'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_parse_writes_one_flat_object_for_each_it_reads(headstone: Run) -> None:
    items = [{"text": "LIỆT SĨ\nLÊ VĂN NAM\nHS: 12-5-1968"}, {"text": "KB", "ctx": {"field": "unit", "unknown": 1}}]
    stdin = "".join(json.dumps(item) + "\n" for item in items)
    found = [json.loads(line) for line in headstone("parse", "--jsonl", stdin=stdin).stdout.splitlines()]
    assert len(found) == 2
    assert found[0]["name"] == "Lê Văn Nam"
    assert found[0]["death"] == "1968-05-12"


def test_parse_takes_a_byte_order_mark_empty_lines_and_halves_of_surrogate_pairs(tmp_path: Path) -> None:
    stdin = b'\xef\xbb\xbf{"text": "NS: 1943"}\r\n\n{"text": "L\\ud800 NS: 1944"}\n'
    done = subprocess.run([*COMMAND, "parse", "--jsonl"], input=stdin, capture_output=True, cwd=tmp_path, check=True)
    assert [json.loads(line)["birth"] for line in done.stdout.splitlines()] == ["1943", "1944"]


def test_parse_says_which_line_is_not_utf8(tmp_path: Path) -> None:
    stdin = b'{"text": "NS: 1943"}\n{"text": "\xff"}\n'
    done = subprocess.run([*COMMAND, "parse", "--jsonl"], input=stdin, capture_output=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert b"line 2 is not UTF-8" in done.stderr
    assert len(done.stdout.splitlines()) == 1


def test_a_reader_of_the_output_that_goes_is_no_error_but_a_full_disk_is(tmp_path: Path) -> None:
    stdin = b'{"text": "NS: 1943"}\n' * 3000
    into_head = f"{shlex.join(COMMAND)} parse --jsonl | head -1; exit ${{PIPESTATUS[0]}}"
    piped = subprocess.run(["bash", "-c", into_head], input=stdin, capture_output=True, cwd=tmp_path, check=False)
    assert (piped.returncode, piped.stderr) == (0, b"")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, "parse", "--jsonl"], input=stdin, stdout=full, stderr=subprocess.PIPE, cwd=tmp_path, check=False
        )
    assert done.returncode == 4
    assert b"No space left" in done.stderr


def test_a_data_folder_that_is_full_ends_the_run_with_its_own_exit_code(photos: Path) -> None:
    limited = f"ulimit -f 40; {shlex.join(COMMAND)} read {photos} --data {photos.parent / 'data'}"
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    assert "cannot" in done.stderr


def test_demo_looks_at_its_port_before_it_works(headstone: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = headstone("demo", "--port", str(taken.getsockname()[1]), ok=2)
    assert "choose another with --port" in done.stderr
    assert "photos read" not in done.stderr


def test_parse_takes_a_single_text_too(headstone: Run) -> None:
    found = json.loads(headstone("parse", "LIỆT SĨ / LÊ VĂN NAM / Sinh năm 1945").stdout)
    assert (found["name"], found["birth"]) == ("Lê Văn Nam", "1945")


def test_vietnamese_text_survives_a_locale_that_knows_none(headstone: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "POSIX")
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONCOERCECLOCALE", "0")
    assert "Lê Văn Đức" in headstone("parse", "--jsonl", stdin='{"text": "LIỆT SĨ\\nLÊ VĂN ĐỨC"}\n').stdout


@pytest.mark.timeout(180)
def test_a_run_that_is_killed_loses_nothing_that_was_finished(photos: Path) -> None:
    for number in range(10):
        write_stone(photos / f"more{number}.jpg", "LIET SI", f"LE VAN {number}")
    out, data = photos.parent / "out.jsonl", photos.parent / "data"
    command = [*COMMAND, "read", str(photos), "--jsonl", str(out), "--data", str(data), "--workers", "2"]
    survived: dict[str, dict[str, object]] = {}
    for round_number in range(2):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_until(lambda: line_count(out) >= 2 * (round_number + 1), process)  # noqa: B023 - used at once
        process.send_signal(signal.SIGKILL)
        process.wait()
        finished = out.read_bytes().rpartition(b"\n")[0].decode()
        now = {reading["photo"]: reading for reading in map(json.loads, finished.splitlines())}
        assert survived.items() <= now.items()
        survived = now
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    final = readings(out)
    assert survived.items() <= final.items()
    assert len(final) == len(out.read_text().splitlines()) == 12


def test_the_first_interrupt_finishes_the_photos_in_work(photos: Path) -> None:
    for number in range(30):
        write_stone(photos / f"more{number}.jpg", "LIET SI", f"LE VAN {number}")
    out = photos.parent / "out.jsonl"
    process = subprocess.Popen(
        [*COMMAND, "read", str(photos), "--jsonl", str(out), "--workers", "1"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    wait_until(lambda: line_count(out) >= 1, process)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in errors
    assert 1 <= len(readings(out)) < 32


def line_count(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert process.poll() is None, "the command ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
