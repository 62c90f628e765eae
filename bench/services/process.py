"""A server in a process group, a folder and on ports of its own."""

from __future__ import annotations

import abc
import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Self

HOST = "127.0.0.1"
_LOWEST_PORT, _HIGHEST_PORT = 20_000, 30_000
"""Below the ports that Linux gives to outgoing connections (32768…), so that a killed server finds its own free."""
_READY_S = 60.0
_STOP_S = 15.0
_POLL_S = 0.05


class Service(abc.ABC):
    """One server. ``with`` starts it and, in the end, stops it and removes its folder."""

    user: str | None = None
    """Who runs it where the tests run as root: some servers refuse to be root."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"headstone-{type(self).__name__.lower()}-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._prepared = False

    @classmethod
    @abc.abstractmethod
    def missing(cls) -> str | None:
        """What to install so that it can be started; None when it is there."""

    @abc.abstractmethod
    def command(self) -> Sequence[str]:
        """The program in the foreground."""

    @abc.abstractmethod
    def is_ready(self) -> bool:
        """Whether it serves; an exception means that it does not."""

    def environment(self) -> Mapping[str, str]:
        """Variables besides those of this process."""
        return {}

    def preparation(self) -> Sequence[Sequence[str]]:
        """Programs to run once, before the first start."""
        return ()

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start it, or start it again on the same ports and folder; returns when it serves."""
        if not self._prepared:
            if self.user is not None and os.geteuid() == 0:
                shutil.chown(self.folder, self.user)
            for command in self.preparation():
                self._run(command)
            self._prepared = True
        with (self.folder / "server.log").open("ab") as log:
            self._process = self._popen(self.command(), log)
        deadline = time.monotonic() + _READY_S
        while not self._serves():
            if not self.is_running or time.monotonic() > deadline:
                self.kill()
                tail = (self.folder / "server.log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{type(self).__name__} does not start in {self.folder}:\n{tail}")
            time.sleep(_POLL_S)
        return self

    def kill(self) -> None:
        """End it by SIGKILL, with everything that it started."""
        if self._process is not None:
            # not by its group alone: each backend of PostgreSQL leads one of its own
            for process in _family(self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self) -> None:
        """End it in order, or by force after a while."""
        if self.is_running:
            assert self._process is not None
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_S)
        self.kill()

    def remove(self) -> None:
        """End it, for it is not needed again, and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.remove()
            raise

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _run(self, command: Sequence[str]) -> None:
        with tempfile.TemporaryFile() as said:
            if self._popen(command, said).wait() != 0:
                said.seek(0)
                raise RuntimeError(f"{command[0]}: {said.read().decode(errors='replace')}")

    def _popen(self, command: Sequence[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
        other = self.user if os.geteuid() == 0 else None
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, "HOME": str(self.folder), "LC_ALL": "C.UTF-8", **self.environment()},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=other,
            group=pwd.getpwnam(other).pw_gid if other else None,
            extra_groups=[] if other else None,
        )

    def _serves(self) -> bool:
        try:
            return self.is_ready()
        except Exception:  # whatever a client raises while the server comes up
            return False


def _family(pid: int) -> list[int]:
    """A process and all that descend from it, the eldest first."""
    children: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            children += map(int, task.read_text().split())
    return [pid, *(member for child in children for member in _family(child))]


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    ports: list[int] = []
    while len(ports) < count:
        port = random.randint(_LOWEST_PORT, _HIGHEST_PORT)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            if port not in ports:
                ports.append(port)
    return ports
