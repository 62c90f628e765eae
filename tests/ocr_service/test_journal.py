import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.contract import reading_from_json, reading_to_json, reading_to_line
from ocr_service.errors import StorageError, UsageError
from ocr_service.journal import Journal
from ocr_service.records import Alternative, Field, Line, PhotoType, Reading, ReadingStatus, RejectReason

QUAD = ((1.0, 2.0), (30.5, 2.0), (30.5, 9.0), (1.0, 9.0))


def reading(photo: str = "a.jpg", bundle: str = "test@1", **changes: object) -> Reading:
    values: dict[str, object] = {
        "sha256": "ab" * 32,
        "status": ReadingStatus.READ,
        "photo_type": PhotoType.HEADSTONE,
        "size_px": (40, 30),
        "stone_quads": (QUAD,),
        "lines": (
            Line("LIỆT SĨ", 0.91, QUAD, 0, (Alternative("LIỆT SỸ", 0.05),), (0.9, 0.8, 1.0, 1.0, 1.0, 0.95, 0.7)),
        ),
        "record": {"death": Field("1968-05-12", "12-5-68", 0.8, (0,), ("two_digit_year",))},
        "timings_ms": {"decode": 1.5},
    }
    return Reading(photo=photo, bundle=bundle, **(values | changes))  # type: ignore[arg-type]


def test_a_reading_survives_the_journey_to_json_and_back() -> None:
    assert reading_from_json(reading_to_json(reading())) == reading()


def test_a_rejected_photo_keeps_every_key_of_the_contract() -> None:
    rejected = Reading("x.txt", "", ReadingStatus.REJECTED, reason=RejectReason.EMPTY, detail="nothing", bundle="b@1")
    keys = reading_to_json(rejected).keys()
    assert keys == reading_to_json(reading()).keys()
    assert reading_to_json(rejected)["sha256"] is None


def test_quads_and_sizes_are_written_as_plain_lists_in_the_contract() -> None:
    data = reading_to_json(reading())
    assert data["size_px"] == [40, 30]
    assert data["lines"][0]["quad"] == [[1.0, 2.0], [30.5, 2.0], [30.5, 9.0], [1.0, 9.0]]
    assert data["record"]["death"] == {
        "value": "1968-05-12", "raw": "12-5-68", "confidence": 0.8, "lines": [0], "flags": ["two_digit_year"],
    }  # fmt: skip


def test_a_journal_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "out.jsonl"
    with Journal(path) as journal:
        journal.append(reading("a.jpg"))
    with Journal(path) as journal:
        assert list(journal.readings) == ["a.jpg"]
        journal.append(reading("b.jpg"))
    assert len(path.read_text().splitlines()) == 2


@given(cut=st.integers(0, 10_000))
def test_a_line_cut_off_by_a_kill_is_dropped_and_no_other(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("journal") / "out.jsonl"
    lines = [reading_to_line(reading(name)).encode() + b"\n" for name in ("a.jpg", "b.jpg")]
    whole = b"".join(lines)
    kept = min(cut, len(whole))
    path.write_bytes(whole[:kept])
    finished = (kept >= len(lines[0])) + (kept >= len(whole))
    with Journal(path) as journal:
        assert len(journal.readings) == finished
    assert path.read_bytes() == b"".join(lines[:finished])


@pytest.mark.parametrize("content", [b"name,birth\n", b"hello", b'{"photo":"a"}\n', b"\xff\xd8\xff\xe0", b"[1, 2]\n"])
def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="is not a reading"):
        Journal(path)
    assert path.read_bytes() == content


def test_a_second_reading_of_a_photo_replaces_the_first_when_the_journal_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with Journal(path) as journal:
        journal.append(reading("a.jpg", bundle="old@1"))
        journal.append(reading("a.jpg", bundle="new@2"))
    with Journal(path) as journal:
        assert [found.bundle for found in journal.readings.values()] == ["new@2"]
    assert len(path.read_text().splitlines()) == 1


def test_two_runs_cannot_write_one_file_at_a_time(tmp_path: Path) -> None:
    with Journal(tmp_path / "out.jsonl"), pytest.raises(UsageError, match="another run"):
        Journal(tmp_path / "out.jsonl")


def test_a_full_disk_is_reported_and_loses_nothing_written_before(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Journal(path) as journal:
        journal.append(reading("a.jpg"))
        before = path.read_bytes()
        # The kernel refuses to let files grow past the limit half way through the next line, as a full disk does.
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 50, hard))
        try:
            with pytest.raises(StorageError, match="make room"):
                journal.append(reading("b.jpg"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before


def test_a_device_is_no_place_for_results() -> None:
    with pytest.raises(UsageError, match="not a regular file"):
        Journal(Path("/dev/null"))


def test_results_that_cannot_be_placed_are_reported_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="choose another place"):
        Journal(tmp_path / "file" / "out.jsonl")
