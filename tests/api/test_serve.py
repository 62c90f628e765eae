"""The whole service as a process of its own, with the real reader beside it, killed at the worst moments."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

SAMPLES = sorted((Path(__file__).parents[2] / "datasets" / "samples").glob("*.jpg"))[:3]

Start = Callable[..., "Service"]


class Service:
    """One ``python -m api.serve`` and a browser that shows its pages."""

    def __init__(self, data: Path, *arguments: str) -> None:
        command = [sys.executable, "-P", "-m", "api.serve", "--data", str(data), "--port", "0", *arguments]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said.startswith("Serving on http://"), said
        origin = said.split()[2].rstrip("/")
        self.http = httpx.Client(base_url=f"{origin}/api/v1", headers={"Origin": origin}, timeout=30)

    def get(self, path: str, **asked: Any) -> Any:
        answer = self.http.get(path, params=asked)
        answer.raise_for_status()
        return answer.json()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def group(self) -> list[str]:
        """Commands that still run in the service's session."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                state, _parent, _group, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (OSError, ValueError):
                continue
            if session == str(self.process.pid) and state != "Z":
                found.append(command)
        return found


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Service] = []

    def run(*arguments: str) -> Service:
        started.append(Service(tmp_path / "data", *arguments))
        return started[-1]

    yield run
    for service in started:
        service.http.close()
        service.process.kill()
        service.process.wait()
        if service.group():
            os.killpg(service.process.pid, signal.SIGKILL)


def until(true: Callable[[], bool], limit_s: float = 90.0) -> None:
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


def in_verification(service: Service) -> int:
    return len(service.get("/photos", state="in_verification")["items"])


def test_a_photo_goes_from_upload_to_the_portal_though_the_service_is_killed_at_every_step(start: Start) -> None:
    service = start()
    files = [("files", (path.name, path.read_bytes())) for path in SAMPLES]
    answer = service.http.post("/photos", files=files)
    assert answer.status_code == 202
    service.kill()  # right after the answer

    service = start()
    assert len(service.get("/photos")["items"]) == 3
    until(lambda: in_verification(service) >= 1)
    service.kill()  # while the next photo is read
    until(lambda: service.group() == [])

    service = start()
    until(lambda: in_verification(service) == 3)
    drafts = service.get("/queue")["items"]
    assert sorted(draft["photo"]["id"] for draft in drafts) == [1, 2, 3]
    lines = [line["text"] for draft in drafts for line in draft["reading"]["lines"]]
    assert lines
    decision = {"verdict": "correct", "expected_version": 1, "values": {"name": {"raw": "NGUYỄN VĂN MẪU"}}}
    answer = service.http.post(f"/drafts/{drafts[0]['id']}/decisions", json=decision)
    assert answer.status_code == 200
    service.kill()  # right after the decision

    service = start("--no-reader")
    (record,) = service.get("/records", q="nguyen mau")["items"]
    assert record["fields"]["name"]["raw"] == "NGUYỄN VĂN MẪU"
    assert service.get("/audit/chain")["intact"]


def test_a_polite_stop_ends_the_reader_too_and_says_success(start: Start) -> None:
    service = start()
    until(lambda: sum("workers.embedded" in command for command in service.group()) > 0)
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(60) == 0
    until(lambda: service.group() == [])


@pytest.mark.parametrize("after_s", [0.0, 0.4, 1.5])
def test_ctrl_c_while_the_reader_is_still_starting_stops_all_without_a_word(tmp_path: Path, after_s: float) -> None:
    command = [sys.executable, "-P", "-m", "api.serve", "--data", str(tmp_path), "--port", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Serving on")
        time.sleep(after_s)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to everything that runs in it
        _, said = process.communicate(timeout=80)
    assert process.returncode == 0
    assert "Traceback" not in said
    assert "KeyboardInterrupt" not in said


@pytest.mark.parametrize(
    "arguments",
    [["--host", "0.0.0.0"], ["--data", "/proc/nowhere"], ["--data", "/dev/null"], ["--port", "99999"]],
)
def test_what_cannot_start_says_why_in_one_line(tmp_path: Path, arguments: list[str]) -> None:
    command = [sys.executable, "-P", "-m", "api.serve", "--data", str(tmp_path), "--port", "0", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stderr
    assert "[Errno" not in ended.stderr
