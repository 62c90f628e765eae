from __future__ import annotations

import numpy as np
import pytest

from ocr_service.certainty import WEAK_BELOW, certain_from
from ocr_service.fields import parse_lines
from ocr_service.fields.confidence import with_chances
from ocr_service.reading.outcome import Outcome, count_alike, needs_rephotograph, outcome, settle
from ocr_service.records import Line, PhotoType, Reading, ReadingStatus, RejectReason
from preprocess.quality import QualityReason

NAMED = (("LIỆT SĨ", 0.99), ("NGUYỄN VĂN MẪU", 0.98), ("HY SINH: 12-5-1968", 0.97))
UNKNOWN = (("LIỆT SĨ", 0.99), ("CHƯA XÁC ĐỊNH ĐƯỢC THÔNG TIN", 0.97))
HEADER = (("LIỆT SĨ", 0.99),)
GARBAGE = (("LIET 1I", 0.05), ("NCUYN V4N", 0.04))


def lines_of(*said: tuple[str, float]) -> list[Line]:
    return [Line(text, sure, ((0, 0), (9, 0), (9, 1), (0, 1))) for text, sure in said]


def reading_of(
    *said: tuple[str, float],
    reasons: tuple[QualityReason, ...] = (),
    unread: int = 0,
    kind: PhotoType = PhotoType.HEADSTONE,
) -> Reading:
    lines = lines_of(*said)
    record = settle(parse_lines(lines).record, kind, reasons, unread)
    return Reading("a.jpg", "00", ReadingStatus.READ, photo_type=kind, lines=tuple(lines), record=record)


def box(x: float, y: float, width: float, height: float) -> np.ndarray:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)


def test_unknown_blank_illegible_and_failed_are_four_outcomes() -> None:
    failed = Reading("a.jpg", "00", ReadingStatus.REJECTED, RejectReason.READER_FAILED, "the reader failed")
    found = [outcome(reading_of(*said)) for said in (NAMED, UNKNOWN, HEADER, GARBAGE)]
    assert found == [Outcome.READ, Outcome.UNKNOWN, Outcome.BLANK, Outcome.ILLEGIBLE]
    assert outcome(failed) is Outcome.FAILED


def test_a_header_with_unread_lines_below_is_illegible_not_blank() -> None:
    reading = reading_of(*HEADER, unread=2)
    assert outcome(reading) is Outcome.ILLEGIBLE
    assert reading.record["kind"].value == "partial"
    assert "blank_stone" not in reading.record["flags"].value


def test_a_header_that_was_guessed_is_illegible_not_blank() -> None:
    reading = reading_of(("LIỆT SĨ", 0.25))
    assert outcome(reading) is Outcome.ILLEGIBLE
    assert reading.record["kind"].value != "unknown"


@pytest.mark.parametrize("reason", [QualityReason.GLARE, QualityReason.COVERED, QualityReason.CUT_OFF])
def test_a_header_beside_what_hides_the_rest_is_illegible_and_to_be_photographed_again(reason: QualityReason) -> None:
    reading = reading_of(*HEADER, reasons=(reason,))
    assert outcome(reading) is Outcome.ILLEGIBLE
    assert needs_rephotograph(reading)


def test_a_wording_of_the_unknown_that_was_guessed_is_illegible() -> None:
    reading = reading_of(("LIỆT SĨ", 0.9), ("CHƯA XÁC ĐỊNH ĐƯỢC THÔNG TIN", 0.1))
    assert outcome(reading) is Outcome.ILLEGIBLE
    assert reading.record["kind"].value != "unknown"


def test_nothing_read_is_illegible_and_a_spoilt_photo_to_be_taken_again() -> None:
    assert outcome(reading_of(kind=PhotoType.OTHER)) is Outcome.ILLEGIBLE
    spoilt = reading_of(reasons=(QualityReason.NO_TEXT, QualityReason.BLURRED), kind=PhotoType.OTHER)
    assert outcome(spoilt) is Outcome.ILLEGIBLE
    assert needs_rephotograph(spoilt)


def test_no_name_of_a_spoilt_photo_is_certain() -> None:
    record = reading_of(*NAMED, reasons=(QualityReason.CUT_OFF,)).record
    assert record["name"].value == "Nguyễn Văn Mẫu"
    assert record["name"].confidence <= WEAK_BELOW < certain_from("name")


@pytest.mark.parametrize("rest", ["TÙNG", "THỊ TÂN", "ỌNG LIÊM"])
def test_what_is_left_of_a_name_without_its_family_name_is_not_certain(rest: str) -> None:
    record = with_chances(reading_of(("LIỆT SĨ", 0.99), (rest, 0.99), ("Sinh năm 1945", 0.99)).record)
    assert record["name"].value == rest.title()
    assert record["name"].confidence < certain_from("name")
    whole = with_chances(reading_of(("LIỆT SĨ", 0.99), (f"LÊ {rest}", 0.99), ("Sinh năm 1945", 0.99)).record)
    assert whole["name"].confidence > record["name"].confidence


def test_a_good_photo_changes_nothing() -> None:
    lines = lines_of(*NAMED)
    record = parse_lines(lines).record
    assert settle(record, PhotoType.HEADSTONE, (), 0) == dict(record)


def test_missing_text_alone_is_no_fault_of_the_photo() -> None:
    assert not needs_rephotograph(reading_of(reasons=(QualityReason.NO_TEXT,), kind=PhotoType.OTHER))


@pytest.mark.parametrize("kind", [PhotoType.GATE, PhotoType.OVERVIEW, PhotoType.MONUMENT, PhotoType.PLAN])
def test_pictures_of_no_grave_are_neither_illegible_nor_taken_again(kind: PhotoType) -> None:
    reading = reading_of(("NGHĨA TRANG LIỆT SĨ", 0.3), reasons=(QualityReason.TOO_SMALL,), kind=kind)
    assert outcome(reading) is Outcome.NO_GRAVE
    assert not needs_rephotograph(reading)


def test_nobody_lies_at_a_gate() -> None:
    record = reading_of(("NTLS", 0.99), ("LÊ BÌNH", 0.99), kind=PhotoType.GATE).record
    assert (record["kind"].value, record["name"].value) == ("other", None)
    assert "not_a_grave" in record["flags"].value
    monument = reading_of(("ĐỜI ĐỜI NHỚ ƠN CÁC LIỆT SĨ", 0.99), kind=PhotoType.MONUMENT).record
    assert (monument["kind"].value, "blank_stone" in monument["flags"].value) == ("other", False)


def test_a_name_among_the_stones_of_an_overview_is_not_certain() -> None:
    record = reading_of(*NAMED, kind=PhotoType.OVERVIEW).record
    assert record["name"].value == "Nguyễn Văn Mẫu"
    assert record["name"].confidence < certain_from("name")


def test_unread_regions_count_where_they_look_like_the_lines_that_were_read() -> None:
    lines = [box(0, 50 * row, 300, 30) for row in range(4)]
    leaf, face, line = box(9, 9, 20, 25), box(0, 0, 900, 700), box(0, 300, 250, 28)
    assert count_alike([leaf, face, line], lines) == 1
    assert count_alike([leaf, face], []) == 2
