"""One upload from beginning to end: hash → announce → send → check → receipt. Running it again goes on."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath

from ocr_service.states import FileState
from ocr_service.upload.announcing import announce_all, announce_anew, withdraw_missing, withdraw_replaced
from ocr_service.upload.bandwidth import TokenBucket
from ocr_service.upload.columns import MAX_TEXT_CHARS
from ocr_service.upload.hashing import hash_files
from ocr_service.upload.journal import Entry, Journal
from ocr_service.upload.line import GaveUpError, StoppedError
from ocr_service.upload.plan import Plan, Task
from ocr_service.upload.receipt import compare, parse_receipt, problems_csv, save
from ocr_service.upload.sending import Shipment, complete_placed, send_all
from ocr_service.upload.server import BatchWish, Server
from ocr_service.upload.tally import Phase, Tally
from ocr_service.upload.tar import send_as_tar

_CHECKS = 3
"""A server that forgets what it acknowledged is sent it again, this often."""

_TOLD_BEFORE = "the service keeps what it was told of this file before; correct it on its pages"
_GONE = "it was announced before and is gone from the folder; if it will not come, run again with --withdraw-missing"
_LEFT_OUT = "it was announced before and is left out now; the service still waits for it"
_TURNED_AWAY = frozenset({FileState.REFUSED, FileState.REJECTED, FileState.FAILED})


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


def upload(plan: Plan, *, tally: Tally, stop: threading.Event) -> Outcome:
    """Carry a plan out until everything is answered for, or ``stop`` is set.

    Raises ``UsageError`` (wrong key, another run at work), ``StorageError`` (the journal cannot be written).
    """
    task = plan.task
    with Journal(plan.state_dir / "journal.sqlite3") as journal:
        server = Server(
            task.server,
            task.api_key,
            allow_plain_http=task.allow_plain_http,
            stop=stop,
            tally=tally,
            backoff=task.backoff,
            give_up_after_s=task.give_up_after_s,
            connections=task.threads,
        )
        troubles: dict[str, str] = {}
        unheard: set[str] = set()
        ending, why, receipt = Ending.FINISHED, None, None
        try:
            files = {file.path: file for file in plan.files}
            batch_id = _open_batch(plan, server, journal)
            shipment = Shipment(
                server, batch_id, journal, task.folder, files, plan.facts, tally, stop, troubles, unheard
            )
            troubles.update(hash_files(plan.files, journal, tally, stop))
            withdraw_replaced(shipment)
            if task.withdraw_missing:
                withdraw_missing(shipment, _missing(plan, journal))
            announce_anew(shipment)
            receipt = _until_confirmed(plan, shipment)
        except StoppedError:
            ending = Ending.INTERRUPTED
        except GaveUpError as error:
            ending, why = Ending.GAVE_UP, str(error)
        finally:
            server.close()
        problems = _problems(plan, journal, troubles, unheard)
        save(plan.state_dir / "problems.csv", problems_csv((p.path, p.state, p.reason) for p in problems))
        entries = [journal.entries.get(file.path) for file in plan.files if file.path not in troubles]
        counts = Counter(entry.state for entry in entries if entry is not None and entry.is_settled)
        return Outcome(
            ending=ending,
            batch_id=int(journal.fact("batch") or 0) or None,
            counts={state: count for state, count in counts.items() if state is not None},
            problems=problems,
            left=len(plan.files) - len(troubles) - counts.total(),
            sent_bytes=tally.wire_bytes,
            receipt=receipt,
            why=why,
        )


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


def _problems(plan: Plan, journal: Journal, troubles: Mapping[str, str], unheard: Iterable[str]) -> tuple[Problem, ...]:
    """Everything that somebody should look at, in the order of paths."""
    paths = {file.path for file in plan.files}
    missing = {entry.path for entry in _missing(plan, journal)}
    found = [Problem(item.path, "left_out", item.why) for item in plan.left_out if item.is_problem]
    found += [Problem(path, "not_sent", why) for path, why in troubles.items()]
    found += [Problem(path, "not_changed", _TOLD_BEFORE) for path in unheard]
    for path, entry in journal.entries.items():
        if path in paths and path not in troubles and entry.state in _TURNED_AWAY:
            found.append(Problem(path, str(entry.state), entry.detail or ""))
        elif path not in paths and entry.state is FileState.ANNOUNCED:
            found.append(Problem(path, "not_sent", _GONE if path in missing else _LEFT_OUT))
    return tuple(sorted(found, key=lambda problem: problem.path))


def _missing(plan: Plan, journal: Journal) -> list[Entry]:
    """Files that were announced, did not go, and lie in the folder no more; what cannot be looked at may be there."""
    seen = {file.path for file in plan.files} | {item.path for item in plan.left_out}
    return [
        entry
        for path, entry in journal.entries.items()
        if entry.state is FileState.ANNOUNCED
        and seen.isdisjoint([path, *(str(folder) for folder in PurePosixPath(path).parents)])
    ]
