"""Calls from several threads joined into one batch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Gatherer(Generic[Item, Result]):
    """Runs one batch at a time; what is handed in while one runs goes together into the next.

    So batches grow with the load by themselves, across photos that are read side by side, and a single caller never
    waits for company. ``run`` gives one result for each item, in order; what it raises reaches every caller of a batch.
    """

    def __init__(self, run: Callable[[list[Item]], list[Result]]) -> None:
        self._run = run
        self._running = threading.Lock()
        self._handing_in = threading.Lock()
        self._waiting: list[tuple[Sequence[Item], Future[list[Result]]]] = []

    def submit(self, items: Sequence[Item]) -> list[Result]:
        """Return the results for ``items``; blocks until their batch has run."""
        answer: Future[list[Result]] = Future()
        with self._handing_in:
            self._waiting.append((items, answer))
        with self._running:
            # the caller before may have taken these items along
            if not answer.done():
                self._run_waiting()
        return answer.result()

    def _run_waiting(self) -> None:
        with self._handing_in:
            taken, self._waiting = self._waiting, []
        try:
            results = self._run([item for items, _ in taken for item in items])
        except Exception as error:
            for _, answer in taken:
                answer.set_exception(error)
            return
        start = 0
        for items, answer in taken:
            answer.set_result(results[start : start + len(items)])
            start += len(items)
