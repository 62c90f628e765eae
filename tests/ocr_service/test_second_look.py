from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bundle import DetectorSpec
from models.detector import DetectedLine
from models.recogniser import RecognisedLine
from ocr_service.reading.second_look import best_of, look_again
from ocr_service.reading.sight import Sight, in_more_light

HEIGHT_PX = 48
QUAD = np.array([[100, 100], [400, 100], [400, 150], [100, 150]], dtype=np.float32)


def line(text: str, confidence: float) -> RecognisedLine:
    return RecognisedLine(text, confidence, (confidence,) * len(text), (confidence,) * len(text), ())


class Dictated:
    """A recogniser that says what it is told, and remembers what it was shown."""

    height_px = HEIGHT_PX

    def __init__(self, *says: RecognisedLine) -> None:
        self.says, self.shown = list(says), list[np.ndarray]()

    def read(self, crop: np.ndarray) -> RecognisedLine:
        return self.read_many([crop])[0]

    def read_many(self, crops: Sequence[np.ndarray]) -> list[RecognisedLine]:
        self.shown += crops
        return [self.says.pop(0) for _ in crops]


class SeesInLight:
    """A detector that finds its line only where the darkest pixel is light enough."""

    spec = DetectorSpec("ppocr", __file__)  # type: ignore[arg-type]

    def __init__(self) -> None:
        self.looks = 0

    def detect(self, image: np.ndarray, side_px: int | None = None) -> list[DetectedLine]:
        self.looks += 1
        corners = [(float(x), float(y)) for x, y in QUAD]
        return [DetectedLine((corners[0], corners[1], corners[2], corners[3]), 0.9)] if image.min() > 40 else []


def dark_picture() -> np.ndarray:
    return np.full((300, 500, 3), 20, np.uint8)


def test_a_line_in_larger_letters_than_the_others_is_read_again_with_more_ground() -> None:
    small = [QUAD * 0.5 + np.float32([0, y]) for y in (0, 40, 80)]
    recogniser = Dictated(line("NGUYỄN VĂN A", 0.99))
    first = [line("NGUYÊN VĂN A", 0.97), *(line(f"HÀNG {row}", 0.97) for row in range(3))]
    seen = look_again(dark_picture(), [QUAD, *small], first, recogniser)
    assert [reading.text for reading in seen] == ["NGUYỄN VĂN A", "HÀNG 0", "HÀNG 1", "HÀNG 2"]
    assert seen[0].confidence < 0.9  # two sure readings that differ are no sure reading
    assert "NGUYÊN VĂN A" in [rival.text for rival in seen[0].alternatives]
    assert len(recogniser.shown) == 1


def test_only_doubtful_lines_are_read_again() -> None:
    recogniser = Dictated(line("NGUYỄN VĂN A", 0.8))
    first = [line("LIỆT SĨ", 0.99), line("NGUYÊN VĂN A", 0.5), line("", 0.0), line("9II", 0.01)]
    seen = look_again(dark_picture(), [QUAD] * 4, first, recogniser)
    assert [reading.text for reading in seen] == ["LIỆT SĨ", "NGUYỄN VĂN A", "", "9II"]
    assert seen[0] is first[0]
    assert len(recogniser.shown) == 1


def test_a_second_look_shows_the_ground_around_a_line() -> None:
    recogniser = Dictated(line("A", 0.1))
    look_again(dark_picture(), [QUAD], [line("A", 0.2)], recogniser)
    (wider,) = recogniser.shown
    assert wider.shape[0] == HEIGHT_PX
    assert wider.shape[1] / HEIGHT_PX == pytest.approx(310 / 60, rel=0.05)


def test_agreement_makes_sure_and_contradiction_doubtful() -> None:
    agreed = best_of([line("A", 0.8), line("A", 0.9), line("A", 0.85)])
    contradicted = best_of([line("B", 0.8), line("A", 0.9), line("C", 0.85)])
    assert agreed.text == contradicted.text == "A"
    assert agreed.confidence > 0.85
    assert contradicted.confidence < 0.6


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.floats(0, 1)), min_size=1, max_size=4))
def test_no_choice_is_surer_than_its_surest_reading(said: list[tuple[str, float]]) -> None:
    best = best_of([line(text, confidence) for text, confidence in said])
    surest = max(confidence for _, confidence in said)
    assert 0.0 <= best.confidence <= surest + 1e-9
    assert any(text == best.text and confidence == surest for text, confidence in said)


def test_a_dark_picture_is_looked_at_in_more_light() -> None:
    sight = Sight(dark_picture(), np.eye(3), ())
    found = in_more_light(sight, [], SeesInLight(), Dictated(line("LIỆT SĨ", 0.95)))
    assert found is not None
    lit, seen = found
    assert [reading.text for reading in seen] == ["LIỆT SĨ"]
    assert np.allclose(lit.quads[0], QUAD)
    assert lit.image is sight.image  # lines are cut from the picture as it is


def test_a_picture_that_is_read_for_sure_is_not_looked_at_again() -> None:
    detector = SeesInLight()
    seen = [line("LIỆT SĨ", 0.95), line("NGUYỄN VĂN A", 0.9), line("1950 - 1972", 0.8)]
    assert in_more_light(Sight(dark_picture(), np.eye(3), (QUAD,) * 3), seen, detector, Dictated()) is None
    assert detector.looks == 0


def test_more_light_that_shows_less_is_not_believed() -> None:
    seen = [line("NGUYỄN VĂN A", 0.6)]
    assert (
        in_more_light(Sight(dark_picture(), np.eye(3), (QUAD,)), seen, SeesInLight(), Dictated(line("N", 0.9))) is None
    )
