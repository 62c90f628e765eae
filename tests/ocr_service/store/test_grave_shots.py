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
Upload = Callable[..., list[int]]


@pytest.fixture
def upload(database: Database, store: LocalStore, now: datetime) -> Upload:
    """Receives photos in one batch and reads them in the given order; gives the ids of the photos."""

    def take(
        stones: Sequence[tuple[tuple[str, ...], float]], order: Sequence[int], *, batched: bool = True
    ) -> list[int]:
        with database.writing() as session:
            batch_id = intake.open_batch(session, "hàng 3", "thu", now=now) if batched else None
            received = [
                intake.receive(
                    session, store, b"\xff\xd8\xff\xe0" + bytes([place]), filename=f"{place}.jpg", received_by="thu",
                    context=Context(), batch_id=batch_id, now=now,
                )
                for place in range(len(stones))
            ]  # fmt: skip
        for place in order:
            texts, sure = stones[place]
            lines = tuple(Line(text, sure, PLACE) for text in texts)
            reading = Reading(
                f"{place}.jpg", received[place].sha256 or "", ReadingStatus.READ, photo_type=PhotoType.HEADSTONE,
                size_px=(10, 10), lines=lines, record=parse_lines(lines).record, bundle="test@1",
            )  # fmt: skip
            with database.writing() as session:
                intake.store_reading(session, reading, now=now)
        return [one.photo_id for one in received if one.photo_id is not None]

    return take


def others_of(database: Database, photo_id: int) -> list[str]:
    with database.reading() as session:
        draft_id = drafts.id_of_photo(session, photo_id)
        assert draft_id is not None
        return [filename for _, filename in verification.get_record(session, draft_id).other_shots]


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
