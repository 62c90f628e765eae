from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from ocr_service import intake
from ocr_service.database import Database
from ocr_service.database.models import Arrival, Cemetery, Grave, ReadingRow, RecordRow
from ocr_service.database.values import Claim
from ocr_service.errors import ConflictError, NotFoundError
from ocr_service.records import Context, Reading, ReadingStatus, RejectReason
from ocr_service.states import PhotoState
from ocr_service.storage import LocalStore

JPEG = b"\xff\xd8\xff\xe0 a stone"
TAKE: dict[str, Any] = {"limit": 4, "lease_s": 60.0, "max_attempts": 3}


def receive(database: Database, store: LocalStore, data: bytes = JPEG, **more: Any) -> intake.ReceivedPhoto:
    with database.writing() as session:
        return intake.receive(session, store, data, filename=more.pop("filename", "a.jpg"), received_by="thu", **more)


def claim(database: Database, now: datetime, owner: str = "w1", **more: Any) -> list[Claim]:
    with database.writing() as session:
        return intake.claim_photos(session, owner, now=now, **{**TAKE, **more})


def begin(database: Database, held: Claim, now: datetime) -> Claim:
    with database.writing() as session:
        begun = intake.begin(session, held, lease_s=60.0, now=now)
    assert begun is not None
    return begun


def photo_of(database: Database, photo_id: int | None) -> Any:
    assert photo_id is not None
    with database.reading() as session:
        return intake.get_photo(session, photo_id)


def count(database: Database, table: Any) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_asking_whether_a_photo_is_there_notes_no_arrival(database: Database, store: LocalStore) -> None:
    received = receive(database, store)
    assert received.sha256 is not None
    with database.reading() as session:
        found = intake.find_photo(session, received.sha256)
        assert intake.find_photo(session, "0" * 64) is None
    assert found is not None
    assert (found.id, found.sha256) == (received.photo_id, received.sha256)
    assert count(database, Arrival) == 1


def test_the_same_bytes_twice_are_one_photo_and_the_duplicate_is_noted(database: Database, store: LocalStore) -> None:
    first, second = receive(database, store), receive(database, store, filename="copy.jpg")
    assert (first.photo_id, first.duplicate) == (second.photo_id, False)
    assert second.duplicate
    with database.reading() as session:
        arrivals = session.execute(select(Arrival.filename, Arrival.duplicate).order_by(Arrival.id)).all()
    assert list(arrivals) == [("a.jpg", False), ("copy.jpg", True)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", RejectReason.EMPTY),
        (b"\0" * 500, RejectReason.EMPTY),
        (b"just text", RejectReason.NOT_AN_IMAGE),
        (b"%PDF-1.7 ...", RejectReason.UNSUPPORTED_TYPE),
        (JPEG + b"x" * 1000, RejectReason.TOO_LARGE_FILE),
    ],
)
def test_what_is_no_picture_is_refused_noted_and_not_kept(
    database: Database, store: LocalStore, tmp_path: Path, data: bytes, reason: RejectReason
) -> None:
    refused = receive(database, store, data, max_bytes=1000)
    assert (refused.photo_id, refused.reason) == (None, reason)
    assert refused.detail
    with database.reading() as session:
        assert session.scalars(select(Arrival.reason)).all() == [reason]
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []


def test_a_picture_in_small_pieces_is_judged_by_its_beginning_as_a_whole(store: LocalStore) -> None:
    taking = intake.Taking(store, 10_000)
    for index in range(len(JPEG)):
        taking.write(JPEG[index : index + 1])
    assert store.read(taking.finish().sha256) == JPEG  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("C:\\ảnh\\bia.jpg", "bia.jpg"),
        ("../../x.jpg", "x.jpg"),
        ("", "photo"),
        ("a\nb\0.jpg", "a_b_.jpg"),
        ("/", "photo"),
    ],
)
def test_only_the_last_part_of_a_file_name_is_kept(
    database: Database, store: LocalStore, given: str, kept: str
) -> None:
    assert receive(database, store, filename=given).filename == kept


def test_cemetery_and_grave_are_found_again_by_name_whatever_the_marks(database: Database, store: LocalStore) -> None:
    receive(database, store, JPEG + b"1", context=Context(cemetery="NTLS Tân Phú", plot="A1-02"))
    receive(database, store, JPEG + b"2", context=Context(cemetery="ntls  TÂN PHÚ", plot="a1 02"))
    receive(database, store, JPEG + b"3", context=Context(cemetery="NTLS Tân Phú", plot="A1-03"))
    assert (count(database, Cemetery), count(database, Grave)) == (1, 2)


def test_photos_are_claimed_oldest_first_and_once(database: Database, store: LocalStore, now: datetime) -> None:
    ids = [receive(database, store, JPEG + bytes([i])).photo_id for i in range(5)]
    assert [c.photo_id for c in claim(database, now)] == ids[:4]
    assert [c.photo_id for c in claim(database, now, "w2")] == ids[4:]
    assert claim(database, now, "w3") == []


def test_a_reading_becomes_a_draft_in_the_same_transaction(
    database: Database, store: LocalStore, now: datetime, reading_of: Callable[..., Reading]
) -> None:
    receive(database, store)
    (held,) = claim(database, now)
    begun = begin(database, held, now)
    with database.writing() as session:
        assert intake.finish(session, begun, reading_of(begun.sha256), now=now)
    photo = photo_of(database, begun.photo_id)
    assert photo.state is PhotoState.IN_VERIFICATION
    assert photo.record_id is not None
    assert photo.size_px == (100, 80)
    with database.reading() as session:
        assert intake.get_reading(session, photo.id) == reading_of(begun.sha256)


def test_a_result_that_comes_after_the_lease_was_lost_is_dropped(
    database: Database, store: LocalStore, now: datetime, reading_of: Callable[..., Reading]
) -> None:
    receive(database, store)
    (slow,) = claim(database, now)
    later = now + timedelta(seconds=61)
    (fast,) = claim(database, later, "w2")
    assert fast.token > slow.token
    with database.writing() as session:
        assert intake.begin(session, slow, lease_s=60, now=later) is None
        assert not intake.finish(session, slow, reading_of(slow.sha256), now=later)
        assert intake.finish(session, fast, reading_of(fast.sha256), now=later)
        assert not intake.finish(session, fast, reading_of(fast.sha256), now=later)
    assert (count(database, ReadingRow), count(database, RecordRow)) == (1, 1)


def test_the_same_owner_with_an_old_token_is_fenced_off(
    database: Database, store: LocalStore, now: datetime, reading_of: Callable[..., Reading]
) -> None:
    receive(database, store)
    (old,) = claim(database, now)
    (new,) = claim(database, now + timedelta(seconds=61))
    assert new.owner == old.owner
    with database.writing() as session:
        assert not intake.finish(session, old, reading_of(old.sha256))
        assert intake.finish(session, new, reading_of(new.sha256))


def test_a_rejected_photo_shows_its_reason_and_can_be_retried(
    database: Database, store: LocalStore, now: datetime
) -> None:
    receive(database, store)
    (held,) = claim(database, now)
    cut = Reading("a.jpg", held.sha256, ReadingStatus.REJECTED, RejectReason.TRUNCATED, "The picture breaks off.")
    with database.writing() as session:
        assert intake.finish(session, held, cut, now=now)
    photo = photo_of(database, held.photo_id)
    assert (photo.state, photo.reason) == (PhotoState.REJECTED, RejectReason.TRUNCATED)
    assert photo.detail == "The picture breaks off."
    assert count(database, RecordRow) == 0
    with database.writing() as session:
        again = intake.retry(session, held.photo_id, now=now)
    assert (again.state, again.reason, again.attempts) == (PhotoState.RECEIVED, None, 0)


def test_a_photo_in_verification_cannot_be_retried(database: Database, add_draft: Callable[..., int]) -> None:
    add_draft()
    with database.writing() as session, pytest.raises(ConflictError):
        intake.retry(session, 1)


def test_a_photo_that_breaks_its_reader_three_times_is_set_aside_with_the_evidence(
    database: Database, store: LocalStore, now: datetime
) -> None:
    received = receive(database, store)
    for attempt in (1, 2, 3):
        (held,) = claim(database, now)
        begun = begin(database, held, now)
        assert begun.attempts == attempt
        with database.writing() as session:
            assert intake.fail(session, begun, "ValueError: broken", max_attempts=3, now=now)
    photo = photo_of(database, received.photo_id)
    assert (photo.state, photo.reason, photo.detail) == (
        PhotoState.FAILED,
        RejectReason.READER_FAILED,
        "ValueError: broken",
    )
    assert claim(database, now) == []


def test_only_the_photo_that_was_begun_answers_for_a_dead_reader(
    database: Database, store: LocalStore, now: datetime
) -> None:
    poison = receive(database, store, JPEG + b"1").photo_id
    innocent = receive(database, store, JPEG + b"2").photo_id
    for death in range(3):
        held = {c.photo_id: c for c in claim(database, now, f"w{death}")}
        begin(database, held[poison], now)  # type: ignore[index]
        with database.writing() as session:
            gone = intake.give_back_claims(session, f"w{death}", "killed by SIGKILL", max_attempts=3, now=now)
        assert gone == 2
    assert photo_of(database, poison).state is PhotoState.FAILED
    assert "SIGKILL" in photo_of(database, poison).detail
    assert (photo_of(database, innocent).state, photo_of(database, innocent).attempts) == (PhotoState.RECEIVED, 0)


def test_an_expired_lease_of_the_last_try_fails_the_photo(database: Database, store: LocalStore, now: datetime) -> None:
    received = receive(database, store)
    for attempt in range(3):
        then = now + timedelta(hours=attempt)
        (held,) = claim(database, then)
        begin(database, held, then)
    assert claim(database, now + timedelta(hours=3)) == []
    assert photo_of(database, received.photo_id).state is PhotoState.FAILED


def test_a_photo_released_untouched_is_free_at_once(database: Database, store: LocalStore, now: datetime) -> None:
    receive(database, store)
    (held,) = claim(database, now)
    with database.writing() as session:
        assert intake.release(session, held, now=now)
    assert [c.attempts for c in claim(database, now, "w2")] == [0]


def test_work_is_seen_without_a_lock(database: Database, store: LocalStore, now: datetime) -> None:
    with database.reading() as session:
        assert not intake.has_work(session, now=now)
    receive(database, store)
    with database.reading() as session:
        assert intake.has_work(session, now=now)
    claim(database, now)
    with database.reading() as session:
        assert not intake.has_work(session, now=now)
        assert intake.has_work(session, now=now + timedelta(seconds=61))


def test_a_reading_from_elsewhere_is_stored_once(
    database: Database, store: LocalStore, reading_of: Callable[..., Reading]
) -> None:
    received = receive(database, store)
    with database.writing() as session:
        first = intake.store_reading(session, reading_of(received.sha256))
        assert intake.store_reading(session, reading_of(received.sha256)) == first
    assert (count(database, ReadingRow), count(database, RecordRow)) == (1, 1)


def test_a_reading_from_elsewhere_overtakes_the_reader_that_holds_the_photo(
    database: Database, store: LocalStore, now: datetime, reading_of: Callable[..., Reading]
) -> None:
    receive(database, store)
    (held,) = claim(database, now)
    with database.writing() as session:
        assert intake.store_reading(session, reading_of(held.sha256), now=now)
        assert not intake.finish(session, held, reading_of(held.sha256), now=now)


def test_a_better_reading_brings_a_rejected_photo_back(
    database: Database, store: LocalStore, reading_of: Callable[..., Reading]
) -> None:
    received = receive(database, store)
    assert received.sha256 is not None
    broken = Reading("a.jpg", received.sha256, ReadingStatus.REJECTED, RejectReason.READER_FAILED, "crashed")
    with database.writing() as session:
        assert intake.store_reading(session, broken) is None
        assert intake.store_reading(session, reading_of(received.sha256)) is not None
    photo = photo_of(database, received.photo_id)
    assert (photo.state, photo.reason) == (PhotoState.IN_VERIFICATION, None)


def test_a_reading_of_a_photo_that_never_came_is_not_found(
    database: Database, reading_of: Callable[..., Reading]
) -> None:
    with database.writing() as session, pytest.raises(NotFoundError):
        intake.store_reading(session, reading_of("0" * 64))


def test_every_photo_is_in_exactly_one_state(database: Database, store: LocalStore, now: datetime) -> None:
    for index in range(6):
        receive(database, store, JPEG + bytes([index]))
    claim(database, now, limit=2)
    with database.reading() as session:
        counts = intake.count_photos(session)
    assert counts[PhotoState.READING] == 2
    assert counts[PhotoState.RECEIVED] == 4
    assert sum(counts.values()) == 6


def test_photos_are_listed_newest_first_by_keyset(database: Database, store: LocalStore) -> None:
    ids = [receive(database, store, JPEG + bytes([i])).photo_id for i in range(5)]
    with database.reading() as session:
        first = intake.list_photos(session, limit=2)
        second = intake.list_photos(session, limit=10, before_id=first[-1].id)
    assert [p.id for p in (*first, *second)] == ids[::-1]
