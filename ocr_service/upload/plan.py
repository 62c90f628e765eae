"""What is to be uploaded: a task as it was asked for, and the plan that it becomes: folder seen, manifest checked."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ocr_service.errors import UsageError
from ocr_service.upload.backoff import Backoff
from ocr_service.upload.columns import FileFacts
from ocr_service.upload.folder import LeftOut, LocalFile, find_files
from ocr_service.upload.manifest import read_manifest


@dataclass(frozen=True, slots=True)
class Task:
    """What to hand in, where, and how. Sizes in bytes, times in seconds."""

    folder: Path
    server: str
    api_key: str | None = field(default=None, repr=False)
    facts: FileFacts = field(default_factory=FileFacts)
    label: str | None = None
    key: str | None = None
    batch_id: int | None = None
    manifest: Path | None = None
    only_listed: bool = False
    state_dir: Path | None = None
    threads: int = 4
    bytes_per_s: float | None = None
    give_up_after_s: float | None = None
    as_tar: bool = False
    withdraw_missing: bool = False
    allow_plain_http: bool = False
    backoff: Backoff = field(default_factory=Backoff)


@dataclass(frozen=True, slots=True)
class Plan:
    """A task that was checked: the files that go, what is said of them, and where the journal lies."""

    task: Task
    files: tuple[LocalFile, ...]
    facts: Mapping[str, FileFacts]
    left_out: tuple[LeftOut, ...]
    unlisted: tuple[str, ...]
    key: str
    state_dir: Path

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(file.size_bytes for file in self.files)


def plan_upload(task: Task, *, now: datetime) -> Plan:
    """Look at the folder and check the manifest; nothing is sent. Raises ``UsageError``, ``ManifestError``."""
    folder = find_files(task.folder)
    if not folder.files:
        raise UsageError(f"no photos in {task.folder}")
    manifest = None
    if task.manifest is not None:
        manifest = read_manifest(task.manifest, [file.path for file in folder.files], now=now)
    listed = manifest.facts if manifest else {}
    unlisted = manifest.unlisted if manifest else ()
    key = task.key or _key_of(task)
    return Plan(
        task,
        tuple(file for file in folder.files if not task.only_listed or file.path in listed),
        listed,
        folder.left_out + _not_listed(unlisted if task.only_listed else ()),
        unlisted,
        key,
        task.state_dir or _state_dir(task, key),
    )


def _not_listed(paths: Iterable[str]) -> tuple[LeftOut, ...]:
    return tuple(LeftOut(path, "the manifest does not list it") for path in paths)


def _key_of(task: Task) -> str:
    """What finds the batch again: this folder of this machine, for this cemetery."""
    where = [platform.node(), str(task.folder.resolve())]
    place = [task.facts.cemetery, task.facts.province, task.facts.commune]
    return hashlib.sha256(json.dumps([where, place]).encode()).hexdigest()[:32]


def _state_dir(task: Task, key: str) -> Path:
    """Where the journal lies by default: not in the folder, which may be a card that cannot be written.

    One a folder, cemetery and server (XDG Base Directory Specification: state).
    """
    home = Path.home()
    if sys.platform == "win32":
        state = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    else:
        state = Path(os.environ.get("XDG_STATE_HOME") or home / ".local" / "state")
    name = re.sub(r"\W+", "-", task.folder.resolve().name).strip("-") or "photos"
    which = hashlib.sha256(f"{key} {task.server} {task.batch_id}".encode()).hexdigest()[:12]
    return state / "headstone" / "uploads" / f"{name[:40]}-{which}"
