import threading

import pytest

from models.engines.gather import Gatherer


def test_a_single_caller_gets_its_results_in_order():
    gatherer = Gatherer(lambda items: [item * 10 for item in items])
    assert gatherer.submit([3, 1, 2]) == [30, 10, 20]
    assert gatherer.submit([]) == []


def test_what_is_handed_in_while_a_batch_runs_shares_the_next_one():
    batches, running, proceed = [], threading.Event(), threading.Event()

    def run(items):
        batches.append(sorted(items))
        if items == ["first"]:
            running.set()
            assert proceed.wait(10)
        return [item.upper() for item in items]

    gatherer = Gatherer(run)
    answers = {}

    def call(*items):
        answers[items] = gatherer.submit(list(items))

    first = threading.Thread(target=call, args=("first",))
    first.start()
    assert running.wait(10)
    others = [threading.Thread(target=call, args=items) for items in (("a", "b"), ("c",), ("d",))]
    for thread in others:
        thread.start()
    while len(gatherer._waiting) < 3:
        others[0].join(0.01)
    proceed.set()
    for thread in (first, *others):
        thread.join(10)
    assert batches == [["first"], ["a", "b", "c", "d"]]
    assert answers == {("first",): ["FIRST"], ("a", "b"): ["A", "B"], ("c",): ["C"], ("d",): ["D"]}


def test_a_failing_batch_reaches_its_caller_and_the_next_one_runs():
    def run(items):
        return [1 / item for item in items]

    gatherer = Gatherer(run)
    with pytest.raises(ZeroDivisionError):
        gatherer.submit([0])
    assert gatherer.submit([2]) == [0.5]
