"""Checks of the machine and of the settings: nothing here needs a database, a store or a network."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

from ocr_service.operations.findings import Finding, broken, warning, well
from ocr_service.settings import Settings

OLDEST_PYTHON = (3, 11)
THE_OPENCV = "opencv-python-headless"

LITTLE_SPACE_BYTES = 5 * 1024**3
"""Some 25,000 photos of 200 KB: a day of one collector, so a warning comes while there is time."""
NO_SPACE_BYTES = 512 * 1024**2

OTHERS_MAY = stat.S_IRWXO | stat.S_IWGRP
"""Whoever writes the file of API keys lets himself in, whoever reads it learns names and roles."""

_MOUNTED = "/run/secrets"
"""Orchestrators mount files here for one container alone, readable by whoever runs in it."""


def check_python(version: tuple[int, int] | None = None) -> Finding:
    """The interpreter is one that the service is made for."""
    version = version or sys.version_info[:2]
    seen = f"Python {version[0]}.{version[1]}"
    if version < OLDEST_PYTHON:
        return broken("python", seen, "install Python 3.11 or newer and make the environment anew (make install)")
    return well("python", seen)


def check_distributions(installed: frozenset[str] | None = None) -> Finding:
    """One OpenCV, the right one, and nothing that takes the name of one of our packages."""
    if installed is None:
        installed = frozenset(found.name.lower() for found in distributions() if found.name)
    opencv = sorted(name for name in installed if name.startswith("opencv"))
    if opencv != [THE_OPENCV]:
        others = [name for name in opencv if name != THE_OPENCV]
        fix = f"pip uninstall --yes {' '.join(opencv)}; pip install {THE_OPENCV}" if others else "run make install"
        return broken("opencv", f"installed: {', '.join(opencv) or 'none'}", fix)
    if "datasets" in installed:
        return broken("opencv", "the third-party package datasets hides ours", "pip uninstall --yes datasets")
    return well("opencv", THE_OPENCV)


def check_disk(folder: Path, free_bytes: int | None = None) -> Finding:
    """There is room in the data folder."""
    there = next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())
    free = shutil.disk_usage(there).free if free_bytes is None else free_bytes
    seen = f"{free / 1024**3:.1f} GiB free at {there}"
    if free < NO_SPACE_BYTES:
        return broken("disk", seen, "make room or move the data folder (HEADSTONE_DATA_DIR)")
    if free < LITTLE_SPACE_BYTES:
        return warning("disk", seen, "make room before the next batch: photos are refused where they cannot be kept")
    return well("disk", seen)


def check_keys_file(path: Path | None) -> Finding:
    """The file of API keys can be read by the service and by nobody else."""
    if path is None:
        return well("api keys", "none: only this machine may ask")
    try:
        mode = path.stat().st_mode
        count = len(tomllib.loads(path.read_text("utf-8")).get("key", []))
    except OSError as error:
        return broken("api keys", f"{path}: {error.strerror}", f"let the user {_me()} read it: chown and chmod 640")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return broken("api keys", f"{path}: {error}", "make its entries with python -m api.keys --name … --role …")
    if mode & OTHERS_MAY and not path.is_relative_to(_MOUNTED):
        return warning("api keys", f"{path} is open to others ({stat.filemode(mode)})", f"chmod 640 {path}")
    return well("api keys", f"{count} in {path}")


def check_settings(settings: Settings) -> list[Finding]:
    """Settings that contradict each other, one finding each; one that all is well where there are none."""
    return list(_contradictions(settings)) or [well("settings", "no contradiction")]


def _contradictions(settings: Settings) -> Iterator[Finding]:
    name = "settings"
    if not settings.listens_on_loopback and settings.api_keys_file is None:
        yield broken(
            name, f"HEADSTONE_HOST={settings.host} without API keys", "name their file in HEADSTONE_API_KEYS_FILE"
        )
    if not settings.listens_on_loopback and not settings.allowed_hosts:
        yield warning(
            name, "any Host header is answered", 'name this service: HEADSTONE_ALLOWED_HOSTS=["headstone.example.vn"]'
        )
    if settings.lease_s <= settings.photo_timeout_s:
        seen = f"HEADSTONE_LEASE_S={settings.lease_s:g} is not above HEADSTONE_PHOTO_TIMEOUT_S"
        fix = f"more than {settings.photo_timeout_s:g}, or photos are read twice and one result is thrown away"
        yield broken(name, seen, f"set HEADSTONE_LEASE_S to {fix}")
    on_sqlite = settings.resolved_database_url.startswith("sqlite")
    if settings.broker_url is not None and on_sqlite:
        fix = "name PostgreSQL in HEADSTONE_DATABASE_URL, or leave HEADSTONE_BROKER_URL out"
        yield broken(name, "a broker for workers that cannot reach a database in a file", fix)
    if settings.broker_url is not None and settings.s3_endpoint is None:
        fix = "name a store in HEADSTONE_S3_ENDPOINT, unless all workers share HEADSTONE_DATA_DIR"
        yield warning(name, "a broker for workers, and photos in a folder of this machine", fix)
    cores = os.cpu_count() or 1
    if settings.worker_processes > cores:
        seen = f"HEADSTONE_WORKER_PROCESSES={settings.worker_processes} on {cores} cores"
        yield warning(name, seen, f"a reader takes a whole core: set it to {cores} or less")


def _me() -> str:
    return str(os.getuid())
