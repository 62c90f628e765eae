from __future__ import annotations

from ocr_service.cli.upload_display import progress_line, size_text, time_text
from ocr_service.upload.tally import Phase, Tally


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_rate_and_time_left_come_from_what_went_lately() -> None:
    clock = Clock()
    tally = Tally(clock)
    tally.begin(Phase.SENDING, files=100, size_bytes=100_000)
    assert tally.progress().left_s is None
    for _ in range(10):
        clock.now_s += 1
        tally.sent(1000)
        tally.done(size_bytes=1000)
        progress = tally.progress()
    assert progress.bytes_per_s == 1000
    assert progress.left_s == 90
    assert progress_line(progress) == "sending · 10 of 100 files · 10 kB of 100 kB · 1 kB/s · 2 min left"


def test_bytes_that_were_sent_in_vain_count_for_the_line_and_not_for_the_progress() -> None:
    clock = Clock()
    tally = Tally(clock)
    tally.begin(Phase.SENDING, files=1, size_bytes=5000)
    clock.now_s += 10
    tally.sent(4000)
    progress = tally.progress()
    assert (progress.bytes_per_s, progress.bytes_done, progress.left_s) == (400, 0, None)


def test_the_rate_forgets_what_is_longer_ago_than_a_minute() -> None:
    clock = Clock()
    tally = Tally(clock)
    tally.begin(Phase.SENDING, files=1, size_bytes=10**9)
    for _ in range(300):
        clock.now_s += 1
        tally.sent(1000)
        tally.done(size_bytes=1000)
        tally.progress()
    for _ in range(120):
        clock.now_s += 1
        progress = tally.progress()
    assert progress.bytes_per_s == 0
    assert progress.left_s is not None


def test_a_log_that_looks_once_a_minute_sees_the_rate_of_that_minute() -> None:
    clock = Clock()
    tally = Tally(clock)
    tally.begin(Phase.SENDING, files=1, size_bytes=10**9)
    for minute in range(20):
        clock.now_s += 60.1
        tally.sent(1000 * minute)
        tally.done(size_bytes=1000 * minute)
        assert round(tally.progress().bytes_per_s) == round(1000 * minute / 60.1)


def test_trouble_is_shown_until_something_goes_through_and_knows_its_age() -> None:
    clock = Clock()
    tally = Tally(clock)
    assert tally.note_trouble("the line is down") == 0
    clock.now_s += 30
    assert tally.note_trouble("the line is still down") == 30
    assert progress_line(tally.progress()) == "connecting: the line is still down; asking again since 30 s"
    tally.note_answer()
    assert tally.progress().trouble is None
    assert tally.note_trouble("down again") == 0


def test_sizes_and_times_are_written_for_people() -> None:
    assert [size_text(n) for n in (0, 999, 8_100_000_000, 200_000)] == ["0 B", "999 B", "8.1 GB", "200 kB"]
    assert [time_text(s) for s in (20, 35 * 60, 3 * 3600 + 300, 52 * 3600)] == [
        "20 s",
        "35 min",
        "3 h 05 min",
        "2 d 4 h",
    ]
