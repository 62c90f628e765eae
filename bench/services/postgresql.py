"""PostgreSQL of the system's packages, as a server of one's own."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from bench.services.process import HOST, Service, free_ports

_USER = "headstone"


class PostgreSQL(Service):
    """A cluster that trusts loopback. An acknowledged commit is on disk, unless ``durable`` is False.

    Without it a kill of the server still loses nothing, only one of the machine would; many small databases are made
    faster so.
    """

    user = "postgres"

    def __init__(self, *, durable: bool = True) -> None:
        super().__init__()
        self._durable = durable
        (self.port,) = free_ports(1)

    @classmethod
    def missing(cls) -> str | None:
        """See ``Service``."""
        return None if _programs() else "PostgreSQL is not installed: apt-get install postgresql"

    def preparation(self) -> Sequence[Sequence[str]]:
        """See ``Service``."""
        given = (f"--username={_USER}", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        return ((self._program("initdb"), "--pgdata=data", *given),)

    def command(self) -> Sequence[str]:
        """See ``Service``."""
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "on" if self._durable else "off",
            "max_connections": "200",
            "shared_buffers": "64MB",
        }
        given = (part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
        return (self._program("postgres"), "-D", "data", *given)

    def is_ready(self) -> bool:
        """See ``Service``."""
        psycopg.connect(self._conninfo(), connect_timeout=2).close()
        return True

    def url(self, database: str) -> str:
        """SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://{_USER}@{HOST}:{self.port}/{database}"

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """Make a database, empty or as a copy of one that nobody uses at the moment; gives its SQLAlchemy URL."""
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        self._execute("DROP DATABASE {} WITH (FORCE)", name)

    def _execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self._conninfo(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _conninfo(self) -> str:
        return f"host={HOST} port={self.port} user={_USER} dbname=postgres"

    def _program(self, name: str) -> str:
        programs = _programs()
        assert programs is not None
        return str(programs / name)


def _programs() -> Path | None:
    """The folder of the newest server: Debian keeps it off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).parent if on_path else None
