"""The verification page tells apart what a stone does not say, what nobody can read, and what the photo lost."""

from __future__ import annotations

from datetime import UTC, datetime

from api.i18n import Texts
from api.pages.drafts import ATTENTION, show_draft
from ocr_service.database.documents import proposed
from ocr_service.database.values import PhotoView, RecordView
from ocr_service.fields import parse_lines
from ocr_service.reading.outcome import settle
from ocr_service.records import Context, Line, PhotoType, Reading, ReadingStatus
from ocr_service.states import PhotoState, RecordState

NOW = datetime(2026, 4, 1, tzinfo=UTC)
PLACE = ((0.0, 0.0), (9.0, 0.0), (9.0, 1.0), (0.0, 1.0))
TEXTS = Texts("en")


def notes(*said: str, sure: float = 0.95, kind: PhotoType = PhotoType.HEADSTONE, quality: tuple[str, ...] = ()) -> str:
    lines = tuple(Line(text, sure, PLACE) for text in said)
    record = settle(parse_lines(lines).record, kind, quality, unread_count=0)
    reading = Reading("a", "0", ReadingStatus.READ, photo_type=kind, lines=lines, record=record, quality=quality)
    photo = PhotoView(
        1,
        "0",
        9,
        "a.jpg",
        PhotoState.IN_VERIFICATION,
        None,
        None,
        kind,
        (9, 9),
        1,
        None,
        None,
        Context(),
        NOW,
        "thu",
        NOW,
        1,
    )
    view = RecordView(1, RecordState.DRAFT, 1, proposed(record), photo, reading, NOW, None, None, None, None)
    return " · ".join(note.text for note in show_draft(view, TEXTS, "/photo/{}".format).notes)


def test_unknown_blank_and_illegible_stones_are_told_apart() -> None:
    unknown, blank = notes("LIỆT SĨ", "CHƯA XÁC ĐỊNH ĐƯỢC THÔNG TIN"), notes("LIỆT SĨ")
    illegible = notes("LIET 1I", "NCUYN V4N", sure=0.05)
    assert TEXTS("flag.illegible") in illegible
    assert TEXTS("flag.blank_stone") in blank
    assert TEXTS("flag.illegible") not in unknown + blank
    assert TEXTS("flag.blank_stone") not in unknown + illegible


def test_a_photo_that_lost_text_is_to_be_taken_again_and_says_why() -> None:
    shown = notes("LIỆT SĨ", "NGUYỄN VĂN", quality=("cut_off",))
    assert TEXTS("flag.needs_rephotograph") in shown
    assert TEXTS("quality.cut_off") in shown


def test_a_picture_of_something_else_is_named() -> None:
    assert TEXTS("photo_type.gate") in notes("NGHĨA TRANG LIỆT SĨ XÃ A", kind=PhotoType.GATE)
    assert TEXTS("photo_type.other") not in notes("LIỆT SĨ", "NGUYỄN VĂN MẪU")


def test_what_could_not_be_read_asks_for_a_person() -> None:
    assert {"illegible", "needs_rephotograph"} <= ATTENTION
