"""Our own programs as things to kill: the main process alone, or one of the processes that it started."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


class Program:
    """A Python module as a process of its own; what it says goes to a file."""

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._command = [sys.executable, "-P", *arguments]
        self._environment = {**os.environ, **environment}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._started: list[subprocess.Popen[bytes]] = []

    @property
    def is_running(self) -> bool:
        """Whether its main process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How its main process ended; None while it runs."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start it, or a successor."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started.append(self._process)

    def kill(self) -> None:
        """End its main process by SIGKILL; those that it started find out for themselves."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def kill_below(self, command: bytes, chance: random.Random) -> bool:
        """End one of the processes below it whose command line holds ``command``; False where there is none."""
        if not self.is_running or self._process is None:
            return False
        below = [pid for pid in _below(self._process.pid) if command in _command_line(pid)]
        if below:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(sorted(below)), signal.SIGKILL)
        return bool(below)

    def stop(self, grace_s: float = 30.0) -> None:
        """End it in order, then by force, with whatever successors and orphans of it are left."""
        if self._process is not None and self.is_running:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_s)
        for process in self._started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # each led a session of its own


def _below(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text(encoding="ascii").split()):
                found += [child, *_below(child)]
    return found


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
