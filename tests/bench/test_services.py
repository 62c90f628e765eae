from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from bench.services import PostgreSQL, Service
from bench.services.process import free_ports


class Sleeper(Service):
    """Starts a child in a group of its own, as some servers do."""

    @classmethod
    def missing(cls) -> str | None:
        return None

    def command(self) -> tuple[str, ...]:
        return ("sh", "-c", "setsid sleep 1000 & echo $! > child; sleep 1000 & wait")

    def is_ready(self) -> bool:
        return (self.folder / "child").read_text() != ""


class Broken(Sleeper):
    def command(self) -> tuple[str, ...]:
        return ("sh", "-c", "echo no room; exit 1")


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_a_kill_takes_all_that_the_server_started_along() -> None:
    with Sleeper() as server:
        child = int((server.folder / "child").read_text())
        assert is_alive(child)
        server.kill()
        end = time.monotonic() + 20.0
        while is_alive(child) and time.monotonic() < end:  # the system takes its time to bury it
            time.sleep(0.05)
        assert not is_alive(child)
        assert not server.is_running
    assert not server.folder.exists()


def test_a_server_that_does_not_start_says_what_it_said() -> None:
    server = Broken()
    with pytest.raises(RuntimeError, match="no room"), server:
        pass
    assert not server.folder.exists()


def test_ports_are_free_and_differ() -> None:
    assert len(set(free_ports(20))) == 20


def test_what_postgresql_committed_is_there_after_its_kill(own_service: Callable[..., PostgreSQL]) -> None:
    server = own_service(PostgreSQL, durable=False)
    template = server.create_database("template")
    conninfo = template.replace("+psycopg", "")
    with psycopg.connect(conninfo) as connection:
        connection.execute("CREATE TABLE stones (name text)")
    server.create_database("copy", template="template")
    other = psycopg.connect(conninfo.replace("/template", "/copy"))
    other.execute("INSERT INTO stones VALUES ('a')")
    other.commit()
    server.kill()
    with pytest.raises(psycopg.OperationalError):
        other.execute("SELECT 1")
    server.start()
    with psycopg.connect(conninfo.replace("/template", "/copy")) as connection:
        assert connection.execute("SELECT name FROM stones").fetchall() == [("a",)]
