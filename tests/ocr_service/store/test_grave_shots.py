from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
from sqlalchemy import select

from ocr_service import intake, verification
from ocr_service.database import Database, drafts
from ocr_service.database.models import Photo
from ocr_service.fields import parse_lines
from ocr_service.records import Context, Line, PhotoType, Reading, ReadingStatus
from ocr_service.storage import LocalStore

STONE = ("LIỆT SĨ", "NGUYỄN VĂN MẪU", "SINH NĂM: 1948", "HY SINH: 12-5-1968")
OTHER = ("LIỆT SĨ", "TRẦN ĐÌNH CHIẾN", "SINH NĂM: 1951", "HY SINH: 30-4-1975")
PLACE = ((0.0, 0.0), (9.0, 0.0), (9.0, 1.0), (0.0, 1.0))
Receive = Callable[[str | None, int], list[int]]
Upload = Callable[..., list[int]]


def reading_of(photo: str, sha256: str, texts: Sequence[str], sure: float = 0.9) -> Reading:
    lines = tuple(Line(text, sure, PLACE) for text in texts)
    return Reading(
        photo, sha256, ReadingStatus.READ, photo_type=PhotoType.HEADSTONE, size_px=(10, 10), lines=lines,
        record=parse_lines(lines).record, bundle="test@1",
    )  # fmt: skip


@pytest.fixture
def receive(database: Database, store: LocalStore, now: datetime) -> Receive:
    """Receives photos in one batch, or in none; gives their ids."""

    def take(label: str | None, count: int) -> list[int]:
        with database.writing() as session:
            batch_id = intake.open_batch(session, label, "thu", now=now) if label else None
            received = [
                intake.receive(
                    session, store, f"\xff\xd8\xff\xe0{label}{place}".encode("latin1", "ignore"),
                    filename=f"{place}.jpg", received_by="thu", context=Context(), batch_id=batch_id, now=now,
                )
                for place in range(count)
            ]  # fmt: skip
        return [one.photo_id for one in received if one.photo_id is not None]

    return take


@pytest.fixture
def upload(database: Database, receive: Receive, now: datetime) -> Upload:
    """Receives photos in one batch and reads them in the given order; gives the ids of the photos."""

    def take(
        stones: Sequence[tuple[tuple[str, ...], float]], order: Sequence[int], *, batched: bool = True
    ) -> list[int]:
        ids = receive("hàng 3" if batched else None, len(stones))
        for place in order:
            with database.writing() as session:
                sha256 = intake.get_photo(session, ids[place]).sha256
                intake.store_reading(session, reading_of(f"{place}.jpg", sha256, *stones[place]), now=now)
        return ids

    return take


def others_of(database: Database, photo_id: int) -> list[str]:
    with database.reading() as session:
        draft_id = drafts.id_of_photo(session, photo_id)
        assert draft_id is not None
        return [other.filename for other in verification.get_record(session, draft_id).other_shots]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_shots_of_one_grave_find_each_other_in_whatever_order_they_are_read(
    database: Database, upload: Upload, order: tuple[int, ...]
) -> None:
    ids = upload([(STONE, 0.6), (STONE, 0.95), (OTHER, 0.9), (STONE, 0.7)], order)
    assert [others_of(database, photo_id) for photo_id in ids] == [
        ["1.jpg", "3.jpg"],
        ["0.jpg", "3.jpg"],
        [],
        ["1.jpg", "0.jpg"],
    ]


def test_photos_of_no_batch_are_not_compared(database: Database, upload: Upload) -> None:
    ids = upload([(STONE, 0.9), (STONE, 0.9)], (0, 1), batched=False)
    assert [others_of(database, photo_id) for photo_id in ids] == [[], []]


def test_every_photo_keeps_its_own_draft(database: Database, upload: Upload) -> None:
    upload([(STONE, 0.9), (STONE, 0.8)], (0, 1))
    with database.reading() as session:
        assert len(session.scalars(select(Photo)).all()) == verification.count_waiting(session) == 2


def finish_all(database: Database, stones: Sequence[tuple[str, ...]], now: datetime) -> None:
    """Claim everything and finish it in one chunk, as a reading process does."""
    with database.writing() as session:
        claims = intake.claim_photos(session, "w1", limit=100, lease_s=60, max_attempts=3, now=now)
        readings = [reading_of(claim.filename, claim.sha256, stones[at]) for at, claim in enumerate(claims)]
        assert all(intake.finish_many(session, list(zip(claims, readings, strict=True)), now=now))


def group(database: Database, now: datetime, limit: int = 64) -> int:
    with database.writing() as session:
        return intake.group_shots(session, limit=limit, now=now)


@pytest.mark.parametrize("limit", [1, 2, 64])
def test_shots_are_told_after_the_chunk_however_many_at_a_time(
    database: Database, receive: Receive, now: datetime, limit: int
) -> None:
    ids = [*receive("hàng 3", 4), *receive("hàng 4", 2)]
    finish_all(database, [STONE, STONE, OTHER, STONE, STONE, STONE], now)
    assert [others_of(database, photo_id) for photo_id in ids] == [[]] * 6
    told = []
    while count := group(database, now, limit):
        told.append(count)
    assert sum(told) == 6
    assert max(told) <= limit
    assert [others_of(database, photo_id) for photo_id in ids] == [
        ["1.jpg", "3.jpg"],
        ["0.jpg", "3.jpg"],
        [],
        ["0.jpg", "1.jpg"],
        ["1.jpg"],
        ["0.jpg"],
    ]


def test_shots_that_a_crash_left_untold_stay_due(database: Database, receive: Receive, now: datetime) -> None:
    ids = receive("hàng 3", 2)
    finish_all(database, [STONE, STONE], now)

    def tell_and_crash() -> None:
        with database.writing() as session:
            assert intake.group_shots(session, now=now) == 2
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        tell_and_crash()
    assert others_of(database, ids[0]) == []
    assert group(database, now) == 2
    assert others_of(database, ids[0]) == ["1.jpg"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # in SQLite the second waits for the first
def test_two_that_tell_at_once_do_not_tell_of_the_same_batch(
    database: Database, receive: Receive, now: datetime
) -> None:
    receive("hàng 3", 2)
    receive("hàng 4", 2)
    finish_all(database, [STONE] * 4, now)
    with database.writing() as first, database.writing() as second, database.writing() as third:
        assert [intake.group_shots(session, now=now) for session in (first, second, third)] == [2, 2, 0]
