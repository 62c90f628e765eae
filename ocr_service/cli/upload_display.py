"""What an upload shows: a moving bar on a terminal, a line a minute in a log, JSON lines for programs."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ocr_service.cli.output import OutputFormat, emit
from ocr_service.cli.read import stop_on_interrupt
from ocr_service.states import FileState

if TYPE_CHECKING:
    from ocr_service.upload import Outcome, Plan
    from ocr_service.upload.tally import Progress, Tally

messages = Console(stderr=True)

_LINE_EVERY_S = 60.0
_FRAME_S = 0.5
_SHOWN_PROBLEMS = 50
_REFUSED = frozenset({FileState.REFUSED, FileState.REJECTED, FileState.FAILED})


def size_text(size_bytes: float) -> str:
    """Bytes for people, in decimal units: ``8.1 GB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}" if unit in ("B", "kB") else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"


def time_text(seconds: float) -> str:
    """Seconds for people: ``2 d 4 h``, ``35 min``, ``20 s``."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 90:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if hours < 36 else f"{hours // 24} d {hours % 24} h"


def progress_line(progress: Progress) -> str:
    """One moment in one line."""
    if progress.trouble is not None:
        return f"{progress.phase}: {progress.trouble}; asking again since {time_text(progress.silent_s)}"
    parts = [str(progress.phase)]
    if progress.files_total:
        parts.append(f"{progress.files_done} of {progress.files_total} files")
    if progress.bytes_total:
        parts.append(f"{size_text(progress.bytes_done)} of {size_text(progress.bytes_total)}")
        parts.append(f"{size_text(progress.bytes_per_s)}/s")
    if progress.left_s is not None and progress.files_done < progress.files_total:
        parts.append(f"{time_text(progress.left_s)} left")
    return " · ".join(parts)


def show_plan(plan: Plan, output: OutputFormat) -> None:
    """Print what would be sent."""
    wanted = output.resolve()
    for file in plan.files if wanted is not OutputFormat.TABLE else ():
        facts = plan.facts[file.path].to_json() if file.path in plan.facts else {}
        asked = {"path": file.path, "size_bytes": file.size_bytes, **facts}
        emit((json.dumps(asked, ensure_ascii=False) if wanted is OutputFormat.JSON else _tabbed(asked)) + "\n")
    _say(_plan_line(plan))
    _show_left_out(plan)
    _say(f"nothing was sent; it would go to {plan.task.server}, the journal would be in {plan.state_dir}")


def carry_out(plan: Plan, output: OutputFormat, report: Path | None) -> int:
    """Upload with progress on standard error and the outcome on standard output; returns the exit code."""
    from ocr_service.upload import upload
    from ocr_service.upload.receipt import problems_csv, save
    from ocr_service.upload.tally import Tally

    tally = Tally()
    wanted = output.resolve()
    _say(_plan_line(plan))
    _show_left_out(plan)
    with stop_on_interrupt("stopping: what was sent is kept") as stop, _showing(tally, wanted):
        outcome = upload(plan, tally=tally, stop=stop)
    if report is not None:
        save(report, problems_csv((p.path, p.state, p.reason) for p in outcome.problems))
    return _conclude(plan, outcome, wanted)


@contextlib.contextmanager
def _showing(tally: Tally, output: OutputFormat) -> Iterator[None]:
    """Show how far it is, from a thread of its own, until the block ends."""
    ended = threading.Event()
    watch = _watch_terminal if messages.is_terminal and output is not OutputFormat.JSON else _watch_log
    thread = threading.Thread(target=watch, args=(tally, output, ended), daemon=True, name="display")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _watch_terminal(tally: Tally, _output: OutputFormat, ended: threading.Event) -> None:
    with Live(console=messages, transient=True, auto_refresh=False) as live:
        while not ended.wait(_FRAME_S):
            progress = tally.progress()
            total = progress.bytes_total or progress.files_total
            done = progress.bytes_done if progress.bytes_total else progress.files_done
            bar = ProgressBar(total=total or None, completed=done, pulse=not total, width=24)
            shown = Table.grid(padding=(0, 1))
            style = "yellow" if progress.trouble else ""
            shown.add_row(bar, Text(progress_line(progress), style=style))
            live.update(shown, refresh=True)


def _watch_log(tally: Tally, output: OutputFormat, ended: threading.Event) -> None:
    while not ended.wait(_LINE_EVERY_S):
        progress = tally.progress()
        if output is OutputFormat.JSON:
            emit(json.dumps({"event": "progress", **asdict(progress)}, ensure_ascii=False) + "\n")
        else:
            _say(f"{datetime.now():%Y-%m-%d %H:%M} {progress_line(progress)}")


def _conclude(plan: Plan, outcome: Outcome, output: OutputFormat) -> int:
    from ocr_service.upload import Ending

    if output is OutputFormat.JSON:
        emit(json.dumps(_outcome_json(plan, outcome), ensure_ascii=False) + "\n")
    else:
        emit("".join(f"{count}\t{what}\n" for what, count in _summary(plan, outcome)))
    for problem in outcome.problems[:_SHOWN_PROBLEMS]:
        _say(f"{problem.path}: {problem.state}: {problem.reason}", "red")
    if outcome.problems:
        more = len(outcome.problems) - _SHOWN_PROBLEMS
        _say((f"… and {more} more; " if more > 0 else "") + f"all of them: {plan.state_dir / 'problems.csv'}", "red")
    if outcome.receipt is not None:
        _say(f"the receipt of batch {outcome.batch_id}: {outcome.receipt}")
    match outcome.ending:
        case Ending.INTERRUPTED:
            _say("interrupted: what was sent is kept; the same command goes on from there", "yellow")
            return 130
        case Ending.GAVE_UP:
            _say(f"given up: {outcome.why}; what was sent is kept, the same command goes on from there", "red")
            return 1
    return 1 if outcome.problems else 0


def _summary(plan: Plan, outcome: Outcome) -> list[tuple[str, int]]:
    counts = outcome.counts
    refused = sum(counts.get(state, 0) for state in _REFUSED)
    duplicates = counts.get(FileState.DUPLICATE, 0)
    not_sent = len(plan.files) - sum(counts.values()) - outcome.left
    rows = [
        ("files in the folder", len(plan.files)),
        ("taken by the server", sum(counts.values()) - refused - duplicates),
        ("duplicates: the same bytes as another photo", duplicates),
        ("refused", refused),
        ("could not be sent", not_sent),
        ("left to send", outcome.left),
    ]
    return [(what, count) for what, count in rows if count or what.startswith(("files", "taken"))]


def _outcome_json(plan: Plan, outcome: Outcome) -> dict[str, object]:
    return {
        "event": str(outcome.ending),
        "batch_id": outcome.batch_id,
        "files": len(plan.files),
        "counts": {str(state): count for state, count in outcome.counts.items()},
        "left": outcome.left,
        "sent_bytes": outcome.sent_bytes,
        "problems": [asdict(problem) for problem in outcome.problems],
        "receipt": None if outcome.receipt is None else str(outcome.receipt),
    }


def _plan_line(plan: Plan) -> str:
    listed = f", {len(plan.facts)} listed in the manifest" if plan.task.manifest else ""
    return f"{len(plan.files)} photos, {size_text(plan.size_bytes)}{listed}"


def _show_left_out(plan: Plan) -> None:
    """Say what stays behind, by reason; a file that somebody should look at is named at the end of the run too."""
    for why, count in Counter(item.why for item in plan.left_out).most_common():
        _say(f"{count} left out: {why}", "yellow")
    if plan.unlisted and not plan.task.only_listed:
        shown = ", ".join(plan.unlisted[:3]) + (", …" if len(plan.unlisted) > 3 else "")
        _say(
            f"{len(plan.unlisted)} go without a word in the manifest: {shown} (--only-listed leaves them out)", "yellow"
        )


def _tabbed(asked: dict[str, str | float]) -> str:
    return "\t".join(str(asked[name]) for name in ("path", "size_bytes"))


def _say(text: str, style: str = "") -> None:
    messages.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
