"""What other shots of a grave read is offered with its photo, and makes nothing certain."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ocr_service.database.values import OtherShot, PhotoView, RecordField, RecordView
from ocr_service.records import Context, Reading, ReadingStatus
from ocr_service.states import PhotoState, RecordState
from ocr_service.verification import Proposal, contested, proposals

NOW = datetime(2026, 4, 1, tzinfo=UTC)
PHOTO = PhotoView(
    1, "0", 9, "1.jpg", PhotoState.IN_VERIFICATION, None, None, None, None, 1, 1, None, Context(), NOW, "thu", NOW, 1
)
READING = Reading("1.jpg", "0", ReadingStatus.READ)


def year(text: str, confidence: float = 0.9, decided_by: str | None = None) -> RecordField:
    return RecordField(text, text, None, confidence, (0,), (), decided_by)


def shot(photo_id: int, state: RecordState = RecordState.DRAFT, **fields: RecordField) -> OtherShot:
    return OtherShot(photo_id, f"{photo_id}.jpg", photo_id, state, 1, fields)


def draft(*shots: OtherShot, state: RecordState = RecordState.DRAFT, **fields: RecordField) -> RecordView:
    return RecordView(1, state, 1, fields, PHOTO, READING, NOW, None, None, None, None, shots)


def offered(view: RecordView, name: str) -> list[tuple[str, str]]:
    return [(one.raw, one.filename) for one in proposals(view).get(name, ())]


def test_what_a_draft_leaves_blank_is_offered_with_its_photo_and_stays_blank() -> None:
    view = draft(shot(2, birth=year("1948")), birth=RecordField(None, None))
    assert offered(view, "birth") == [("1948", "2.jpg")]
    assert view.fields["birth"].value is None
    assert offered(draft(shot(2, birth=year("1948"))), "birth") == [("1948", "2.jpg")]


def test_other_readings_are_offered_once_the_surest_first() -> None:
    shots = (shot(2, birth=year("1943", 0.7)), shot(3, birth=year("1949", 0.8)), shot(4, birth=year("1943", 0.6)))
    assert offered(draft(*shots, birth=year("1948")), "birth") == [("1949", "3.jpg"), ("1943", "2.jpg")]


def test_what_says_the_same_is_no_proposal() -> None:
    assert proposals(draft(shot(2, birth=year("1948", 0.5)), birth=year("1948"))) == {}


def test_what_has_no_normal_form_or_a_person_has_decided_is_not_contested() -> None:
    unlikely = RecordField("19 48", "19 48", None, 0.9)
    assert proposals(draft(shot(2, birth=unlikely))) == {}
    assert proposals(draft(shot(2, birth=year("1943")), birth=year("1948", decided_by="lan"))) == {}


def test_only_shots_that_wait_propose_and_only_to_drafts() -> None:
    assert proposals(draft(shot(2, RecordState.CANNOT_READ, birth=year("1943")))) == {}
    assert proposals(draft(shot(2, birth=year("1943")), state=RecordState.ACCEPTED)) == {}


def test_two_sure_readings_that_disagree_leave_nobody_certain() -> None:
    assert contested(year("1948", 0.97), [Proposal("1943", "1943", 0.97, 2, "2.jpg")]).confidence < 0.5 + 1e-9


@given(st.floats(0, 1), st.lists(st.floats(0, 1), max_size=3))
def test_what_others_say_never_makes_a_field_surer(own: float, others: list[float]) -> None:
    told = contested(year("1948", own), [Proposal("1943", "1943", other, 2, "2.jpg") for other in others])
    assert -1e-9 <= told.confidence <= own + 1e-9
