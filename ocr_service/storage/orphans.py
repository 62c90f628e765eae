"""Objects that no row names: bytes that were durable when the process was killed, before their row was committed.

An upload of the same bytes may find such an object there and count on it, at the very moment at which it would be
deleted. So an orphan leaves in two steps: it is set aside, and each later sweep asks again whether a row names it. One
that is named, or read, comes back; nothing that a row names is ever deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from ocr_service.storage.objects import Entry, ObjectStore

ORPHAN_AGE = timedelta(hours=24)
"""A row follows its object within seconds; the rest allows for clocks that differ and transactions that hang."""
ASIDE_AGE = timedelta(days=30)
"""A database that was restored from an older backup names less than it did: there must be time to notice."""
LEFTOVER_AGE = timedelta(days=7)
"""A collector whose line was down for days may still say that what it put is complete."""
PREFIXES = 256
_ASKED_AT_ONCE = 500

Named = Callable[[Collection[str]], Collection[str]]
"""Which of these names of objects stand in rows."""


@dataclass(frozen=True, slots=True)
class Swept:
    """How many objects left and came back, and how many unfinished ones were removed."""

    set_aside: int
    put_back: int
    deleted: int
    leftovers: int


def sweep_orphans(store: ObjectStore, named: Named, now: datetime, prefix: int) -> Swept:
    """Look through one part of the store (0…255) and through all that was set aside. Raises ``StorageError``."""
    put_back = deleted = set_aside = 0
    for entries in _groups(store.objects_aside()):
        known = named([entry.name for entry in entries])
        for entry in entries:
            if entry.name in known:
                store.put_back(entry.name)
                put_back += 1
            elif entry.since < now - ASIDE_AGE:
                store.delete_aside(entry.name)
                deleted += 1
    old = (entry for entry in store.objects(f"{prefix:02x}") if entry.since < now - ORPHAN_AGE)
    for entries in _groups(old):
        known = named([entry.name for entry in entries])
        orphans = [entry.name for entry in entries if entry.name not in known]
        for name in orphans:
            store.set_aside(name)
        # a row may have been committed since we asked; the sweeps to come see to those that are committed later
        back = named(orphans) if orphans else ()
        for name in back:
            store.put_back(name)
        set_aside += len(orphans) - len(back)
        put_back += len(back)
    return Swept(set_aside, put_back, deleted, store.delete_leftovers(now - LEFTOVER_AGE))


def prefix_of_hour(now: datetime) -> int:
    """The part of the store whose turn it is, so that hourly sweeps see all of it in eleven days."""
    return int(now.timestamp() // 3600) % PREFIXES


def _groups(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    rest = iter(entries)
    while group := list(islice(rest, _ASKED_AT_ONCE)):
        yield group
