"""PostgreSQL's own tools, which alone dump and restore everything: ``pg_dump`` and ``pg_restore``."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from ocr_service.errors import StorageError, UsageError

_ENVIRONMENT = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "host": "PGHOST", "port": "PGPORT"}


def dump(url: str, target: Path, snapshot: str) -> None:
    """Write the database as it is in an exported snapshot. Raises ``StorageError``."""
    # -Fc: compressed, and restored in one transaction; owners and grants are the matter of the place it is restored to
    _run(
        url,
        "pg_dump",
        ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={target}"],
    )


def restore(url: str, source: Path) -> None:
    """Fill an empty database. Raises ``StorageError``; then nothing was changed."""
    name = make_url(url).database or ""
    arguments = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", f"--dbname={name}"]
    _run(url, "pg_restore", [*arguments, str(source)])


@contextmanager
def scratch_database(url: str) -> Iterator[str]:
    """URL of an empty database beside the one in use, which is dropped in the end. Raises ``StorageError``."""
    parsed = make_url(url)
    name = f"{parsed.database}_drill_{os.getpid()}"
    quoted = '"' + name.replace('"', '""') + '"'
    server = create_engine(parsed, isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {quoted} TEMPLATE template0"))
        try:
            yield parsed.set(database=name).render_as_string(hide_password=False)
        finally:
            with server.connect() as connection:
                connection.execute(text(f"DROP DATABASE {quoted} WITH (FORCE)"))
    except DBAPIError as error:
        why = str(error.orig).splitlines()[0]
        raise StorageError(
            f"no scratch database for the drill: {why}; let its user make one (ALTER ROLE … CREATEDB)"
        ) from error
    finally:
        server.dispose()


def _run(url: str, tool: str, arguments: Sequence[str]) -> None:
    program = shutil.which(tool)
    if program is None:
        raise UsageError(f"{tool} is not on the path; install postgresql-client of the server's version")
    command = [program, "--no-password", *arguments]
    ended = subprocess.run(  # noqa: S603 - our own arguments; the password is in the environment, where ps shows none
        command, env=os.environ | _environment(make_url(url)), capture_output=True, text=True, check=False
    )
    if ended.returncode:
        said = next(iter(ended.stderr.strip().splitlines()), f"exit code {ended.returncode}")
        raise StorageError(f"{said}; look at HEADSTONE_DATABASE_URL, and at the versions of {tool} and of the server")


def _environment(url: URL) -> dict[str, str]:
    known = {"PGHOST": url.host, "PGUSER": url.username, "PGDATABASE": url.database}
    known |= {"PGPASSWORD": None if url.password is None else str(url.password)}
    known |= {"PGPORT": None if url.port is None else str(url.port)}
    known |= {_ENVIRONMENT[name]: str(value) for name, value in url.query.items() if name in _ENVIRONMENT}
    return {name: value for name, value in known.items() if value is not None}
