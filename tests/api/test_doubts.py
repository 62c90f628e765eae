from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from api.pages.doubts import DOUBTFUL_BELOW, Run, doubtful_runs, letter_chances
from ocr_service import intake, verification
from ocr_service.records import Field, Line, Reading, ReadingStatus
from ocr_service.states import Verdict

QUAD = ((0.0, 0.0), (9.0, 0.0), (9.0, 3.0), (0.0, 3.0))


def line(text: str, *doubtful: int, sure: float = 0.99) -> Line:
    """A line with a chance for each character, low for those at the given places."""
    chances = tuple(0.4 if at in doubtful else sure for at in range(len(text)))
    return Line(text, 0.8, QUAD, char_confidences=chances)


def marked(cut: str, *lines: Line) -> list[str]:
    return [run.text for run in doubtful_runs(cut, lines) if run.doubtful]


def test_doubtful_letters_are_marked_where_they_stand() -> None:
    runs = doubtful_runs("NGUYỄN VĂN MẪU", [line("NGUYỄN VĂN MẪU", 8, 12)])
    assert runs == (
        Run("NGUYỄN V", False),
        Run("Ă", True),
        Run("N M", False),
        Run("Ẫ", True),
        Run("U", False),
    )


def test_nothing_is_said_where_nothing_is_doubtful() -> None:
    assert doubtful_runs("NGUYỄN VĂN MẪU", [line("NGUYỄN VĂN MẪU")]) == ()
    assert doubtful_runs("NGUYỄN", [line("NGUYỄN", sure=DOUBTFUL_BELOW)]) == ()
    assert doubtful_runs("", [line("NGUYỄN", 0)]) == ()


def test_old_readings_say_nothing_of_letters() -> None:
    assert doubtful_runs("1948", [Line("SN: 1948", 0.3, QUAD)]) == ()
    assert doubtful_runs("1948", [Line("SN: 1948", 0.3, QUAD, char_confidences=(0.1, 0.2))]) == ()


def test_a_field_within_a_line_takes_its_own_letters() -> None:
    read = line("Sinh: 1948 HS: 1968", 0, 9, 15)
    assert marked("1948", read) == ["8"]
    assert doubtful_runs("1968", [read])[0] == Run("1", True)


def test_words_that_stand_twice_are_as_doubtful_as_the_worse_of_them() -> None:
    assert marked("1968", line("1968 - 1968", 10)) == ["8"]
    assert marked("ANAN", line("ANANAN", 5)) == ["N"]


def test_signs_are_never_marked() -> None:
    assert doubtful_runs("12-5-1968", [line("12-5-1968", 2, 4)]) == ()


def test_spaces_that_the_page_does_not_show_shift_nothing() -> None:
    assert marked("TRẦN BA", line(" TRẦN   BA", 9)) == ["A"]


def test_a_field_over_two_lines_is_followed_into_both() -> None:
    first, second = line("QUÊ: TÂN PHÚ", 11), line("BẾN TRE", 1)
    for cut in ("TÂN PHÚ BẾN TRE", "TÂN PHÚ, BẾN TRE", "TÂN PHÚ / BẾN TRE"):
        assert marked(cut, first, second) == ["Ú", "Ế"]


def test_words_from_elsewhere_are_not_marked() -> None:
    assert letter_chances("NAM ĐỊNH", [line("NAN ĐỊNH", 0, 1, 2, 4)]) == [None] * 4 + [0.4, 0.99, 0.99, 0.99]


def test_decomposed_words_are_matched_with_the_composed_line() -> None:
    assert marked("MA\u0302\u0303U", line("MẪU", 1)) == ["Ẫ"]


@given(st.text(alphabet="AĂẪÊỘ19-, ", max_size=12).map(lambda text: " ".join(text.split())), st.data())
def test_the_runs_spell_the_text_and_take_turns(text: str, data: st.DataObject) -> None:
    chances = tuple(data.draw(st.floats(0, 1)) for _ in text)
    runs = doubtful_runs(text, [Line(text, 0.5, QUAD, char_confidences=chances)])
    assert not runs or "".join(run.text for run in runs) == text
    assert all(before.doubtful != after.doubtful for before, after in pairwise(runs))
    assert bool(runs) == any(
        chance < DOUBTFUL_BELOW and letter.isalnum()
        for letter, chance in zip(
            text, letter_chances(text, [Line(text, 0.5, QUAD, char_confidences=chances)]), strict=True
        )
        if chance is not None
    )


def store(app: FastAPI) -> int:
    """A draft of one name, of which one letter is doubtful."""
    picture = np.full((60, 200, 3), 90, np.uint8)
    with app.state.database.writing() as session:
        photo = intake.receive(
            session, app.state.store, cv2.imencode(".png", picture)[1].tobytes(), filename="a.png", received_by="thu"
        )
        reading = Reading(
            "a.png",
            photo.sha256 or "",
            ReadingStatus.READ,
            size_px=(200, 60),
            lines=(line("TRẦN <B>", 6),),
            record={"name": Field("Trần B", "TRẦN <B>", 0.8, (0,)), "kind": Field("named", "TRẦN <B>", 0.8, (0,))},
            bundle="invented@1",
        )
        draft_id = intake.store_reading(session, reading)
    assert draft_id is not None
    return draft_id


def test_the_page_marks_doubtful_letters_without_scripts_too(app: FastAPI, client: TestClient) -> None:
    draft_id = store(app)
    page = client.get(f"/verify/{draft_id}").text
    assert "TRẦN &lt;<mark>B</mark>&gt;" in page
    assert page.count("<mark>") == 1
    assert "Chữ không chắc: B" in page
    english = client.get(f"/verify/{draft_id}", headers={"Cookie": "language=en"}).text
    assert "Uncertain letters: B" in english


def test_what_a_person_has_vouched_for_is_not_doubted(app: FastAPI, client: TestClient) -> None:
    draft_id = store(app)
    with app.state.database.writing() as session:
        verification.decide(session, draft_id, Verdict.ACCEPT, reviewer="lan", expected_version=1)
    assert "<mark>" not in client.get(f"/verify/{draft_id}").text
