"""The two ways in which the service runs, with everything in them that can be killed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.services import PostgreSQL, RabbitMQ, Service, Weed
from bench.services.process import HOST, free_ports
from bench.soak.programs import Program
from ocr_service.database import Database, connect_database
from ocr_service.settings import Settings, load_settings
from ocr_service.storage import ObjectStore, open_store

READER = b"spawn_main"
"""How ``multiprocessing`` starts reading processes; its trackers are started otherwise."""
COMMAND_LINE = ("-c", "from ocr_service.cli import main; main()")
"""``headstone``, by the interpreter that runs this."""
_SUPERVISOR = b"workers.embedded"

_HASTE = {
    # what was killed is taken back soon; a photo takes less than a second
    "HEADSTONE_LEASE_S": "30",
    "HEADSTONE_QUEUE_STALE_S": "30",
    "HEADSTONE_PROFILE": "fast",
    "HEADSTONE_WORKER_PROCESSES": "1",
}


@dataclass(frozen=True, slots=True)
class Victim:
    """Something to kill. ``kill`` says whether there was anything; ``revive`` is None where others start it again."""

    name: str
    kill: Callable[[], bool]
    revive: Callable[[], object] | None


@dataclass(frozen=True, slots=True)
class Setup:
    """A running service."""

    url: str
    programs: Sequence[Program]
    victims: Sequence[Victim]
    settings: Settings

    def database(self) -> Database:
        """Its rows."""
        return connect_database(self.settings.resolved_database_url)

    def store(self) -> ObjectStore:
        """Its objects."""
        return open_store(self.settings)


@contextmanager
def service(folder: Path, chance: random.Random) -> Iterator[Setup]:
    """API, S3 store, PostgreSQL, RabbitMQ, sweeper and two workers."""
    with PostgreSQL() as postgresql, RabbitMQ() as rabbitmq, Weed() as weed:
        environment = _HASTE | {
            "HEADSTONE_DATA_DIR": str(folder / "data"),
            "HEADSTONE_DATABASE_URL": postgresql.create_database("soak"),
            "HEADSTONE_BROKER_URL": rabbitmq.url,
            "HEADSTONE_S3_ENDPOINT": weed.endpoint,
            "HEADSTONE_S3_SECURE": "false",
            "HEADSTONE_S3_ACCESS_KEY": weed.access_key,
            "HEADSTONE_S3_SECRET_KEY": weed.secret_key,
        }
        migrate = [sys.executable, "-P", *COMMAND_LINE, "migrate"]
        subprocess.run(migrate, env={**os.environ, **environment}, check=True)
        (port,) = free_ports(1)
        api = Program("api", [*_SERVE, "--port", str(port), "--no-reader"], environment, folder / "api.log")
        workers = [
            Program(f"worker {number}", ["-m", "workers"], environment, folder / f"worker{number}.log")
            for number in (1, 2)
        ]
        sweeper = Program("sweeper", ["-m", "workers.sweeper"], environment, folder / "sweeper.log")
        programs = [api, *workers, sweeper]
        victims = [
            *(_program(program) for program in programs),
            *(_below(worker, "reader", READER, chance) for worker in workers),
            _server("broker", rabbitmq),
            _server("store", weed),
            _server("database", postgresql),
        ]
        with _running(programs):
            yield Setup(f"http://{HOST}:{port}", programs, victims, _settings(environment))


@contextmanager
def embedded(folder: Path, chance: random.Random) -> Iterator[Setup]:
    """What ``headstone serve`` runs: pages, API and readers over SQLite and a folder."""
    data = folder / "data"
    environment = _HASTE | {"HEADSTONE_DATA_DIR": str(data), "HEADSTONE_WORKER_PROCESSES": "2"}
    (port,) = free_ports(1)
    serve = Program("serve", [*_SERVE, "--port", str(port), "--data", str(data)], environment, folder / "serve.log")
    victims = [
        _program(serve),
        _below(serve, "supervisor", _SUPERVISOR, chance),
        _below(serve, "reader", READER, chance),
        _below(serve, "reader", READER, chance),
    ]
    with _running([serve]):
        yield Setup(f"http://{HOST}:{port}", [serve], victims, _settings(environment))


_SERVE = ("-m", "api.serve", "--host", HOST)


def _settings(environment: Mapping[str, str]) -> Settings:
    prefix = "HEADSTONE_"
    return load_settings(**{name.removeprefix(prefix).lower(): value for name, value in environment.items()})


@contextmanager
def _running(programs: Sequence[Program]) -> Iterator[None]:
    try:
        for program in programs:
            program.start()
        yield
    finally:
        for program in reversed(programs):
            program.stop()


def _program(program: Program) -> Victim:
    def kill() -> bool:
        was_running = program.is_running
        program.kill()
        return was_running

    return Victim(program.name, kill, program.start)


def _below(program: Program, name: str, command: bytes, chance: random.Random) -> Victim:
    return Victim(f"{name} of {program.name}", lambda: program.kill_below(command, chance), None)


def _server(name: str, server: Service) -> Victim:
    def kill() -> bool:
        was_running = server.is_running
        server.kill()
        return was_running

    return Victim(name, kill, server.start)
