from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preprocess.level import level_lines, unsheared_lines
from preprocess.lines import quad_angle_deg

TEXTS = ("LIET SI", "NGUYEN VAN AN", "SINH NAM 1946", "QUE QUAN: NAM DINH", "NHAP NGU 2 - 1965", "HY SINH 1968")
WIDTH, HEIGHT = 1000, 800


def carved_face() -> tuple[np.ndarray, list[np.ndarray]]:
    """A face with six lines of letters, and the boxes around them."""
    face = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    boxes = []
    for row, text in enumerate(TEXTS):
        (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 1.5, 3)
        left, foot = (WIDTH - width) // 2, 150 + 100 * row
        cv2.putText(face, text, (left, foot), cv2.FONT_HERSHEY_DUPLEX, 1.5, (210, 220, 225), 3, cv2.LINE_AA)
        top, bottom = foot - height - below, foot + below
        boxes.append(np.array([[left, top], [left + width, top], [left + width, bottom], [left, bottom]], np.float32))
    return face, boxes


FACE, BOXES = carved_face()


def to_picture(yaw: float, pitch: float, roll_deg: float) -> np.ndarray:
    """Homography from the face to where it is seen from the side and from above."""
    to_middle = np.array([[1, 0, -WIDTH / 2], [0, 1, -HEIGHT / 2], [0, 0, 1.0]])
    tilt = np.array([[1, 0, 0], [0, 1, 0], [yaw * 1e-4, pitch * 1e-4, 1.0]])
    roll = np.vstack([cv2.getRotationMatrix2D((0, 0), -roll_deg, 0.8), [0, 0, 1]])
    return np.asarray(np.linalg.inv(to_middle) @ roll @ tilt @ to_middle)


def seen(yaw: float, pitch: float, roll_deg: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """A picture of the face, and rectangles along the true directions of its lines."""
    view = to_picture(yaw, pitch, roll_deg)
    picture = cv2.warpPerspective(FACE, view, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    return picture, [along_its_line(quad) for quad in cv2.perspectiveTransform(np.stack(BOXES), view)]


def along_its_line(quad: np.ndarray) -> np.ndarray:
    right = (quad[1] - quad[0] + quad[2] - quad[3]) / 4
    down = np.array([-right[1], right[0]]) / np.linalg.norm(right) * np.linalg.norm(quad[3] - quad[0]) / 2
    middle = quad.mean(axis=0)
    corners = [middle - right - down, middle + right - down, middle + right + down, middle - right + down]
    return np.asarray(corners, np.float32)


def spun(quad: np.ndarray, angle_deg: float) -> np.ndarray:
    (x, y) = quad.mean(axis=0)
    matrix = cv2.getRotationMatrix2D((float(x), float(y)), -angle_deg, 1.0)
    return np.asarray(cv2.transform(quad[None], matrix)[0], np.float32)


def off_deg(lines: list[np.ndarray], true: list[np.ndarray]) -> list[float]:
    return [abs(quad_angle_deg(a) - quad_angle_deg(b)) for a, b in zip(lines, true, strict=True)]


views = {"yaw": st.floats(-3, 3), "pitch": st.floats(-3, 3), "roll_deg": st.floats(-8, 8)}
errors_deg = st.lists(st.floats(-1.2, 1.2), min_size=len(TEXTS), max_size=len(TEXTS))


@settings(max_examples=30, deadline=None)
@given(**views, errors_deg=errors_deg)
def test_lines_of_an_oblique_face_come_out_level_within_half_a_degree(
    yaw: float, pitch: float, roll_deg: float, errors_deg: list[float]
) -> None:
    picture, true = seen(yaw, pitch, roll_deg)
    found = [spun(line, error_deg) for line, error_deg in zip(true, errors_deg, strict=True)]
    assert max(off_deg(level_lines(picture, found), true)) < 0.5


@pytest.mark.parametrize("polarity", ["light on dark", "dark on light"])
@pytest.mark.parametrize("count", [1, 2])
def test_one_line_or_two_are_turned_by_their_own_letters(polarity: str, count: int) -> None:
    picture, true = seen(1, 2, 4)
    few = true[1 : 1 + count]
    found = [spun(line, 1.5) for line in few]
    shown = picture if polarity == "light on dark" else 255 - picture
    assert max(off_deg(level_lines(shown, found), few)) < 0.4


def test_a_grey_picture_does_as_well() -> None:
    picture, true = seen(-2, 1, 3)
    found = [spun(line, error_deg) for line, error_deg in zip(true, (1, -1, 0.5, 0, -0.5, 1), strict=True)]
    assert max(off_deg(level_lines(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), found), true)) < 0.5


def test_a_short_line_that_is_far_off_follows_the_others() -> None:
    picture, true = seen(0, 0, 5)
    top_left, top_right, bottom_right, bottom_left = true[0]
    right = (top_right - top_left) / 3
    short = np.stack([top_left + right, top_right - right, bottom_right - right, bottom_left + right])
    (*_, turned) = level_lines(picture, [*true[1:], spun(short, 7)])
    assert quad_angle_deg(turned) == pytest.approx(5, abs=0.5)


def test_lines_keep_their_place_and_size() -> None:
    picture, true = seen(1, 1, 2)
    for before, after in zip(true, level_lines(picture, [spun(line, 1) for line in true]), strict=True):
        assert np.allclose(before.mean(axis=0), after.mean(axis=0), atol=0.01)
        assert np.allclose(np.linalg.norm(before[1] - before[0]), np.linalg.norm(after[1] - after[0]), atol=0.01)


def test_a_watermark_across_the_lines_keeps_its_direction() -> None:
    picture, true = seen(0, 0, 0)
    across = spun(true[3], 25)
    *lines, watermark = level_lines(picture, [*true, across])
    assert quad_angle_deg(watermark) == pytest.approx(25, abs=3)
    assert max(off_deg(lines, true)) < 0.3


def test_boxes_that_stand_on_end_stay_as_they_are() -> None:
    picture, true = seen(0, 0, 3)
    upended = np.array([[100, 100], [140, 102], [120, 402], [80, 400]], np.float32)
    assert np.array_equal(level_lines(picture, [*true, upended])[-1], upended)
    assert np.array_equal(level_lines(picture, [upended])[0], upended)


def test_on_a_bare_face_boxes_are_as_likely_right_as_wrong() -> None:
    (line,) = level_lines(np.full((200, 400, 3), 128, np.uint8), [BOXES[0] - BOXES[0][0] + 30])
    assert quad_angle_deg(line) == pytest.approx(0, abs=0.01)


def test_nothing_is_level() -> None:
    assert level_lines(np.zeros((10, 10, 3), np.uint8), []) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-500, 1500)] * 8), max_size=8))
def test_any_quads_come_back_finite(numbers: list[tuple[float, ...]]) -> None:
    quads = [np.array(n, dtype=np.float32).reshape(4, 2) for n in numbers]
    lines = level_lines(FACE, quads)
    assert len(lines) == len(quads) and all(np.isfinite(line).all() for line in lines)


def upright_deg(quad: np.ndarray) -> float:
    """Direction of a quad's sides; 90° is straight down."""
    down = quad[3] - quad[0] + quad[2] - quad[1]
    return float(np.degrees(np.arctan2(down[1], down[0])))


FRAME = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]], np.float32)


@settings(max_examples=40, deadline=None)
@given(**views)
def test_sides_of_lines_lean_as_the_letters_of_their_face_do(yaw: float, pitch: float, roll_deg: float) -> None:
    view = to_picture(yaw, pitch, roll_deg)
    (face, *true) = cv2.perspectiveTransform(np.stack([FRAME, *BOXES]), view)
    lines = [along_its_line(quad) for quad in true]
    for line, right, leant in zip(lines, true, unsheared_lines(lines, [0] * len(lines), [face]), strict=True):
        assert upright_deg(leant) == pytest.approx(upright_deg(right), abs=0.4)  # of two sides that converge
        assert quad_angle_deg(leant) == pytest.approx(quad_angle_deg(line), abs=0.01)
        assert np.allclose(leant.mean(axis=0), line.mean(axis=0), atol=0.01)
        assert cv2.contourArea(leant) == pytest.approx(cv2.contourArea(line), rel=0.001)


def test_each_line_leans_with_its_own_face_and_two_inscriptions_with_the_one_they_share() -> None:
    lines = [BOXES[0], BOXES[1]]
    slanted = FRAME + np.array([[100, 0], [100, 0], [0, 0], [0, 0]], np.float32)
    upright, leant = unsheared_lines(lines, [0, 1], [FRAME, slanted])
    assert upright_deg(upright) == pytest.approx(90, abs=0.01)
    assert upright_deg(leant) == pytest.approx(90 + np.degrees(np.arctan(100 / HEIGHT)), abs=0.01)
    assert np.allclose(unsheared_lines(lines, [0, 1], [slanted])[1], leant)


def test_without_a_face_or_across_it_lines_keep_their_sides() -> None:
    across = spun(BOXES[2], 20)
    assert np.array_equal(unsheared_lines([across], [0], [FRAME])[0], across)
    assert np.array_equal(unsheared_lines([across], [0], [])[0], across)
