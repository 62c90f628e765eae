"""One upload from beginning to end: plan → hash → announce → send → check → receipt. Running it again goes on."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from ocr_service.errors import UsageError
from ocr_service.states import FileState
from ocr_service.upload.backoff import Backoff
from ocr_service.upload.bandwidth import TokenBucket
from ocr_service.upload.columns import MAX_TEXT_CHARS, FileFacts
from ocr_service.upload.folder import Folder, LeftOut, LocalFile, find_files
from ocr_service.upload.hashing import hash_files
from ocr_service.upload.journal import Journal
from ocr_service.upload.line import GaveUpError, StoppedError
from ocr_service.upload.manifest import read_manifest
from ocr_service.upload.receipt import compare, parse_receipt, problems_csv, save
from ocr_service.upload.sending import Shipment, announce_all, complete_placed, send_all
from ocr_service.upload.server import BatchWish, Server
from ocr_service.upload.tally import Phase, Tally
from ocr_service.upload.tar import send_as_tar

_CHECKS = 3
"""A server that forgets what it acknowledged is sent it again, this often."""

_TURNED_AWAY = frozenset({FileState.REFUSED, FileState.REJECTED, FileState.FAILED})


@dataclass(frozen=True, slots=True)
class Task:
    """What to hand in, where, and how. Sizes in bytes, times in seconds."""

    folder: Path
    server: str
    api_key: str | None = None
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


class Ending(StrEnum):
    """How a run ended."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    GAVE_UP = "gave_up"


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that did not go, or was turned away."""

    path: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a plan. ``counts`` are the files of the folder by the server's last word."""

    ending: Ending
    batch_id: int | None
    counts: Mapping[FileState, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    left: int = 0
    sent_bytes: int = 0
    receipt: Path | None = None
    why: str | None = None


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
        _all_left_out(folder, unlisted if task.only_listed else ()),
        unlisted,
        key,
        task.state_dir or _state_dir(task, key),
    )


def upload(plan: Plan, *, tally: Tally, stop: threading.Event) -> Outcome:
    """Carry a plan out until everything is answered for, or ``stop`` is set.

    Raises ``UsageError`` (wrong key, another run at work), ``StorageError`` (the journal cannot be written).
    """
    with Journal(plan.state_dir / "journal.sqlite3") as journal:
        server = Server(
            plan.task.server,
            plan.task.api_key,
            allow_plain_http=plan.task.allow_plain_http,
            stop=stop,
            tally=tally,
            backoff=plan.task.backoff,
            give_up_after_s=plan.task.give_up_after_s,
            connections=plan.task.threads,
        )
        shipment: Shipment | None = None
        ending, why, receipt = Ending.FINISHED, None, None
        try:
            batch_id = _open_batch(plan, server, journal)
            shipment = Shipment(
                server, batch_id, journal, {file.path: file for file in plan.files}, plan.facts, tally, stop
            )
            shipment.troubles.update(hash_files(plan.files, journal, tally, stop))
            receipt = _until_confirmed(plan, shipment)
        except StoppedError:
            ending = Ending.INTERRUPTED
        except GaveUpError as error:
            ending, why = Ending.GAVE_UP, str(error)
        finally:
            server.close()
        return _outcome(plan, journal, shipment, ending, why, receipt, tally)


def _until_confirmed(plan: Plan, shipment: Shipment) -> Path:
    """Send until the server's own receipt names every file; returns where the receipt was saved."""
    path = plan.state_dir / "receipt.csv"
    for _ in range(_CHECKS):
        _until_settled(plan.task, shipment)
        shipment.tally.begin(Phase.CHECKING)
        receipt = shipment.server.receipt(shipment.batch_id)
        save(path, receipt)
        settled = [e for p in shipment.files if (e := shipment.journal.entries.get(p)) and e.is_settled]
        found = compare(settled, parse_receipt(receipt))
        shipment.journal.note([*found.confirmed, *(replace(entry, state=None) for entry in found.missing)])
        if not found.missing:
            return path
    for entry in found.missing:
        shipment.troubles[entry.path] = "the server took it, but its receipt does not name it; ask who runs the server"
    return path


def _until_settled(task: Task, shipment: Shipment) -> None:
    bucket = TokenBucket(task.bytes_per_s)
    complete_placed(shipment)
    while pending := shipment.pending():
        announce_all(shipment)
        if task.as_tar:
            send_as_tar(shipment, bucket)
        else:
            send_all(shipment, threads=task.threads, bucket=bucket)
        if len(shipment.pending()) == len(pending):
            for entry in shipment.pending():
                shipment.troubles[entry.path] = "the server still waits for it; run the same command again"


def _open_batch(plan: Plan, server: Server, journal: Journal) -> int:
    task = plan.task
    if task.batch_id is not None:
        batch_id = server.find_batch(task.batch_id)
    else:
        label = task.label or task.facts.cemetery or plan.task.folder.resolve().name or "photos"
        label = label[:MAX_TEXT_CHARS]
        batch_id, _ = server.open_batch(BatchWish(label, plan.key, task.facts))
    if journal.fact("batch") not in (None, str(batch_id)):
        journal.forget_answers()  # the server was set up anew, or this is another batch: what it said no longer holds
    journal.note_fact("batch", str(batch_id))
    return batch_id


def _outcome(
    plan: Plan,
    journal: Journal,
    shipment: Shipment | None,
    ending: Ending,
    why: str | None,
    receipt: Path | None,
    tally: Tally,
) -> Outcome:
    troubles = shipment.troubles if shipment else {}
    entries = [journal.entries.get(file.path) for file in plan.files]
    known = [entry for entry in entries if entry is not None and entry.is_settled and entry.path not in troubles]
    problems = [Problem(item.path, "left_out", item.why) for item in plan.left_out if item.is_problem]
    problems += [Problem(path, "not_sent", why) for path, why in troubles.items()]
    problems += [
        Problem(entry.path, str(entry.state), entry.detail or "") for entry in known if entry.state in _TURNED_AWAY
    ]
    problems += [
        Problem(path, "not_sent", "it was announced and is gone from the folder")
        for path, entry in journal.entries.items()
        if shipment and entry.state is FileState.ANNOUNCED and not shipment.has(path)
    ]
    problems.sort(key=lambda problem: problem.path)
    save(plan.state_dir / "problems.csv", problems_csv((p.path, p.state, p.reason) for p in problems))
    return Outcome(
        ending,
        shipment.batch_id if shipment else None,
        Counter(entry.state for entry in known if entry.state is not None),
        tuple(problems),
        len(plan.files) - len(known) - len(troubles),
        tally.wire_bytes,
        receipt,
        why,
    )


def _all_left_out(folder: Folder, unlisted: tuple[str, ...]) -> tuple[LeftOut, ...]:
    return folder.left_out + tuple(LeftOut(path, "the manifest does not list it") for path in unlisted)


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
