from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from workers.lanes import Lanes


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_as_many_photos_as_there_are_lanes_are_in_work_at_a_time(threads: ThreadPoolExecutor) -> None:
    lanes, together = Lanes(3, lambda since: None), threading.Barrier(3)
    counted, most, lock = [0], [0], threading.Lock()

    def work() -> None:
        with lanes.take(alone=False):
            with lock:
                counted[0] += 1
                most[0] = max(most[0], counted[0])
            together.wait(20)  # passes only with three in work
            with lock:
                counted[0] -= 1

    for done in [threads.submit(work) for _ in range(6)]:
        done.result(30)
    assert most == [3]


def test_a_photo_that_is_read_alone_has_no_neighbours_and_nobody_waits_for_ever(threads: ThreadPoolExecutor) -> None:
    lanes, in_work, lock = Lanes(3, lambda since: None), set[int](), threading.Lock()
    neighbours: list[int] = []

    def work(photo: int) -> None:
        with lanes.take(alone=photo % 2 == 0):
            with lock:
                in_work.add(photo)
            threading.Event().wait(0.002)
            with lock:
                if photo % 2 == 0:
                    neighbours.append(len(in_work) - 1)
                in_work.remove(photo)

    for done in [threads.submit(work, photo) for photo in range(40)]:
        done.result(30)
    assert neighbours == [0] * 20


def test_the_oldest_photo_in_work_is_told_and_zero_when_none_is_left(threads: ThreadPoolExecutor) -> None:
    said: list[float] = []
    lanes, first_may_end = Lanes(2, said.append), threading.Event()
    first_has_begun = threading.Event()

    def first() -> None:
        with lanes.take(alone=False):
            first_has_begun.set()
            assert first_may_end.wait(20)

    begun = threads.submit(first)
    assert first_has_begun.wait(20)
    with lanes.take(alone=False):
        pass
    first_may_end.set()
    begun.result(20)
    assert said[0] > 0
    assert said == [said[0], said[0], said[0], 0.0]


def test_a_photo_that_breaks_makes_room_again() -> None:
    said: list[float] = []
    lanes = Lanes(1, said.append)
    with pytest.raises(ValueError, match="broken"), lanes.take(alone=True):
        raise ValueError("broken")
    with lanes.take(alone=False):
        pass
    assert said[1] == said[3] == 0.0
