"""One soak: send, kill, revive, until every photo has come to an end."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from bench.soak.account import Account, is_at_an_end, settled, take_account
from bench.soak.photos import write_photos
from bench.soak.programs import Program
from bench.soak.setups import COMMAND_LINE, Setup, Victim, embedded, service
from ocr_service.database import Database
from ocr_service.states import PhotoState

DEFAULT_PHOTOS = 10_000
SETUPS: Mapping[str, Callable[[Path, random.Random], AbstractContextManager[Setup]]] = {
    "service": service,
    "embedded": embedded,
}
PROGRESS = Path(__file__).parents[2] / "out" / "soak"

_SECONDS_A_PHOTO = 0.6
"""Of both cores of a two-core machine, with everything that is killed and started again."""
_LEAST_BETWEEN_KILLS, _KILLS = 40, 100
"""Kills are spaced by what was done, not by time, so that a slow machine is not killed to a standstill: files that came
plus photos that were read. Few photos allow for few kills, many for about a hundred."""
_DOWN_S = (0.5, 4.0)
_TICK_S = 0.5
_SAY_EVERY_S = 20.0
_BYTES_A_SECOND = "1M"
"""What the uploader may send: about as fast as photos are read, so that what is killed hits both ends of the way."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one run ended."""

    name: str
    photos: int
    account: Account
    kills: int
    seconds: float

    @property
    def is_complete(self) -> bool:
        """Whether every photo is accounted for, once."""
        account = self.account
        return account.accounted == self.photos and not account.lost and not account.double


def run(console: Console) -> dict[str, float]:
    """Both runs with ``HEADSTONE_SOAK_PHOTOS`` photos each (10,000 by default); gives the worse of their figures."""
    photos = int(os.environ.get("HEADSTONE_SOAK_PHOTOS", DEFAULT_PHOTOS))
    results = soak(console, photos, seed=1968, names=sorted(SETUPS))
    accounts = [result.account for result in results]
    return {
        "photos": photos,
        "accounted": min(account.accounted for account in accounts),
        "lost": max(account.lost for account in accounts),
        "double": max(account.double for account in accounts),
        "failed": max(account.failed for account in accounts),
        "kills": sum(result.kills for result in results),
        "seconds": round(sum(result.seconds for result in results)),
    }


def soak(console: Console, photos: int, seed: int, names: Sequence[str]) -> list[Result]:
    """Run the setups one after the other."""
    for number in (signal.SIGTERM, signal.SIGINT):  # whoever ends it also ends what it started
        signal.signal(number, lambda *_: sys.exit(130))
    minutes = photos * _SECONDS_A_PHOTO * len(names) / 60
    console.print(f"{photos} photos in each of {len(names)} runs: about {minutes:.0f} minutes on two cores")
    results = []
    for name in names:
        with tempfile.TemporaryDirectory(prefix="headstone-soak-") as folder:
            results.append(_Run(console, name, photos, seed, Path(folder)).carry_out())
        console.print(f"{name}: {json.dumps(dataclasses.asdict(results[-1]), ensure_ascii=False)}", soft_wrap=True)
    return results


@dataclass(slots=True)
class _Run:
    console: Console
    name: str
    photos: int
    seed: int
    folder: Path
    chance: random.Random = field(init=False)
    started: float = field(init=False)
    kills: Counter[str] = field(default_factory=Counter)
    reviving: list[tuple[float, Victim]] = field(default_factory=list)
    starting: dict[str, tuple[Victim, Future[object]]] = field(default_factory=dict)
    is_sent: bool = False

    def carry_out(self) -> Result:
        self.chance = random.Random(f"{self.seed} {self.name}")
        self.started = time.monotonic()
        write_photos(self.folder / "photos", self.photos, self.seed)
        with SETUPS[self.name](self.folder, self.chance) as setup, ThreadPoolExecutor(4) as starters:
            database = setup.database()
            uploader = self._uploader(setup)
            uploader.start()
            try:
                self._until_the_end(setup, uploader, database, starters)
                while self.reviving or self.starting:
                    self._revive(starters, at_once=True)
                    time.sleep(_TICK_S)
                account = take_account(database, setup.store())
            finally:
                uploader.stop(5.0)
                database.close()
        seconds = round(time.monotonic() - self.started, 1)
        return Result(self.name, self.photos, account, self.kills.total(), seconds)

    def _uploader(self, setup: Setup) -> Program:
        arguments = [*COMMAND_LINE, "upload", str(self.folder / "photos"), "--server", setup.url]
        arguments += ["--cemetery", "NTLS Mẫu", "--journal", str(self.folder / "journal")]
        arguments += ["--limit", _BYTES_A_SECOND, "--output", "plain"]
        return Program("uploader", arguments, {}, self.folder / "uploader.log")

    def _until_the_end(self, setup: Setup, uploader: Program, database: Database, starters: ThreadPoolExecutor) -> None:
        deck = self._deck([*setup.victims, Victim("uploader", lambda: self._kill_uploader(uploader), uploader.start)])
        between = max(_LEAST_BETWEEN_KILLS, 2 * self.photos // _KILLS)
        kill_at = self.chance.uniform(0.5, 1.5) * between
        say_at = 0.0
        deadline = self.started + 300.0 + self.photos * _SECONDS_A_PHOTO * 4
        while time.monotonic() < deadline:
            self._revive(starters)
            self._send_on(uploader)
            states = self._states(database)
            if self.is_sent and states is not None and is_at_an_end(states, self.photos):
                return
            if time.monotonic() >= say_at and states is not None:
                self._say(states)
                say_at = time.monotonic() + _SAY_EVERY_S
            if states is not None and (done := _done(states) + states.total()) >= kill_at and self._kill(next(deck)):
                kill_at = done + self.chance.uniform(0.5, 1.5) * between
            time.sleep(_TICK_S)
        self.console.print(f"{self.name}: not at an end after {time.monotonic() - self.started:.0f} s")

    def _deck(self, victims: Sequence[Victim]) -> Iterator[Victim]:
        """Everything in turn, in another order each time: few kills hit all of it."""
        while True:
            yield from self.chance.sample(victims, len(victims))

    def _kill(self, victim: Victim) -> bool:
        if victim.name in self.starting or any(victim.name == waiting.name for _, waiting in self.reviving):
            return False
        if not victim.kill():
            return False
        self.kills[victim.name] += 1
        down_s = self.chance.uniform(*_DOWN_S)
        at_s = time.monotonic() - self.started
        if victim.revive is not None:
            self.reviving.append((time.monotonic() + down_s, victim))
        away = f", back in {down_s:.1f} s" if victim.revive is not None else ""
        self.console.print(f"{self.name} {at_s:7.1f} s  kill -9 {victim.name}{away}")
        return True

    def _revive(self, starters: ThreadPoolExecutor, *, at_once: bool = False) -> None:
        for name, (victim, started) in list(self.starting.items()):
            if started.done():
                del self.starting[name]
                if (error := started.exception()) is not None:
                    self.console.print(f"{self.name}: {name} did not start, again: {error}")
                    self.reviving.append((time.monotonic() + 1.0, victim))
        due = [entry for entry in self.reviving if at_once or time.monotonic() >= entry[0]]
        for entry in due:
            victim = entry[1]
            self.reviving.remove(entry)
            if victim.revive is not None:
                self.starting[victim.name] = (victim, starters.submit(victim.revive))

    def _kill_uploader(self, uploader: Program) -> bool:
        if self.is_sent or not uploader.is_running:
            return False
        uploader.kill()
        return True

    def _send_on(self, uploader: Program) -> None:
        """The collector starts the same command again until it says that everything is there."""
        if self.is_sent or uploader.is_running or any(victim.name == "uploader" for _, victim in self.reviving):
            return
        if uploader.exit_code == 0:
            self.is_sent = True
        elif "uploader" not in self.starting:
            uploader.start()

    def _states(self, database: Database) -> Counter[PhotoState] | None:
        try:
            return settled(database)
        except SQLAlchemyError:  # it is down at the moment, or has no tables yet
            return None

    def _say(self, states: Counter[PhotoState]) -> None:
        seconds = time.monotonic() - self.started
        done = _done(states)
        left = f", about {(self.photos - done) * seconds / done / 60:.0f} min left" if done > 20 else ""
        counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        self.console.print(f"{self.name} {seconds:7.1f} s  {counts}{left}")
        progress = {"run": self.name, "photos": self.photos, "seconds": round(seconds), "kills": dict(self.kills)}
        PROGRESS.mkdir(parents=True, exist_ok=True)
        text = json.dumps(progress | {"states": dict(states)}, indent=2) + "\n"
        (PROGRESS / f"{self.name}.json").write_text(text, encoding="utf-8")


def _done(states: Counter[PhotoState]) -> int:
    return states.total() - states[PhotoState.RECEIVED] - states[PhotoState.READING]
