from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preprocess.lines import (
    assign_stones,
    crop_line,
    enclose,
    expand_quad,
    order_lines,
    quad_angle_deg,
    quad_size,
    split_columns,
    split_rows,
)


def box(x: float, y: float, width: float, height: float) -> np.ndarray:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], dtype=np.float32)


def turned(quads: list[np.ndarray], angle_deg: float) -> list[np.ndarray]:
    matrix = cv2.getRotationMatrix2D((500, 500), -angle_deg, 1.0)
    return [cv2.transform(q[None], matrix)[0].astype(np.float32) for q in quads]


INSCRIPTION = [box(400, 100, 200, 40), box(250, 170, 500, 60), box(350, 260, 300, 30), box(200, 310, 600, 30)]
PAIR = [box(x + dx, y, w, 30) for dx in (0, 520) for x, y, w in ((80, 50, 240), (40, 100, 320), (100, 150, 200))]


def test_a_crop_of_an_upright_quad_is_the_picture_itself() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (32, 120, 3), dtype=np.uint8)
    crop = crop_line(picture, box(0, 0, 120, 32), 32)
    assert np.abs(crop.astype(int) - picture).max() <= 1


@settings(max_examples=60, deadline=None)
@given(
    width=st.floats(20, 900),
    height=st.floats(16, 120),
    angle=st.floats(-30, 30),
    height_px=st.integers(16, 64),
)
def test_crops_have_the_asked_height_and_keep_the_aspect(
    width: float, height: float, angle: float, height_px: int
) -> None:
    quad = turned([box(100, 400, width, height)], angle)[0]
    crop = crop_line(np.zeros((1000, 1200, 3), np.uint8), quad, height_px)
    assert crop.shape[0] == height_px
    assert crop.shape[1] == pytest.approx(max(height_px * width / height, height_px // 2), abs=1.01)


@pytest.mark.parametrize("angle", [-25.0, -8.0, 0.0, 12.0, 30.0])
@pytest.mark.parametrize("zoom", [0.4, 1.0, 3.0])
def test_a_turned_line_is_cut_out_level(angle: float, zoom: float) -> None:
    line = np.full((40, 300, 3), 230, np.uint8)
    cv2.putText(line, "NGUYEN VAN A", (8, 30), cv2.FONT_HERSHEY_DUPLEX, 1.0, (20, 20, 20), 2, cv2.LINE_AA)
    quad = turned([box(300, 400, 300, 40)], angle)[0] * zoom
    to_picture = cv2.getPerspectiveTransform(box(0, 0, 300, 40), quad.astype(np.float32))
    size = (int(1000 * zoom), int(1000 * zoom))
    picture = cv2.warpPerspective(
        line, to_picture, size, borderMode=cv2.BORDER_CONSTANT, borderValue=(230, 230, 230), flags=cv2.INTER_CUBIC
    )
    crop = crop_line(picture, quad, 40)
    assert np.corrcoef(crop.ravel(), line.ravel())[0, 1] > 0.8


def test_a_crop_beyond_the_picture_repeats_its_edge() -> None:
    crop = crop_line(np.full((50, 50, 3), 200, np.uint8), box(-20, -10, 90, 70), 32)
    assert crop.min() == 200


def test_a_margin_shows_more_than_the_quad() -> None:
    grown = expand_quad(box(100, 100, 200, 40), 0.25)
    assert np.allclose(grown, box(90, 90, 220, 60))


@given(order=st.permutations(range(len(INSCRIPTION))), angle=st.floats(-20, 20))
def test_rows_are_read_from_top_to_bottom(order: list[int], angle: float) -> None:
    quads = turned([INSCRIPTION[i] for i in order], angle)
    assert [order[i] for i in order_lines(quads)] == list(range(len(INSCRIPTION)))


@given(order=st.permutations(range(len(PAIR))), angle=st.floats(-8, 8))
def test_the_left_of_two_inscriptions_is_read_first(order: list[int], angle: float) -> None:
    quads = turned([PAIR[i] for i in order], angle)
    assert [order[i] for i in order_lines(quads)] == list(range(len(PAIR)))


def test_two_columns_within_an_inscription_are_read_row_by_row() -> None:
    quads = [box(300, 50, 400, 50), box(100, 130, 250, 30), box(600, 130, 250, 30), box(100, 180, 250, 30)]
    assert split_rows(quads) == [[0], [1, 2], [3]]
    assert order_lines(quads) == [0, 1, 2, 3]


def test_a_table_is_read_row_by_row() -> None:
    quads = [box(x, 60 + 40 * row, w, 25) for row in range(4) for x, w in ((20, 30), (100, 250), (400, 80), (560, 250))]
    assert order_lines(quads) == list(range(16))
    assert len(split_columns(quads)) == 1


def test_letters_of_unequal_height_share_a_row() -> None:
    assert split_rows([box(300, 95, 100, 50), box(100, 100, 150, 30)]) == [[1, 0]]


def test_nothing_to_order_is_in_order() -> None:
    assert order_lines([]) == []
    assert split_rows([]) == []


@given(st.lists(st.tuples(*[st.floats(-500, 1500)] * 8), max_size=12))
def test_any_quads_are_ordered_once_each(numbers: list[tuple[float, ...]]) -> None:
    quads = [np.array(n, dtype=np.float32).reshape(4, 2) for n in numbers]
    assert sorted(order_lines(quads)) == list(range(len(quads)))


def test_lines_belong_to_the_stone_that_holds_them() -> None:
    stones = [box(0, 0, 400, 600), box(450, 0, 400, 600)]
    assert assign_stones([box(500, 50, 100, 20), box(100, 50, 100, 20), box(860, 50, 60, 20)], stones) == [1, 0, 1]
    assert assign_stones([box(0, 0, 10, 10)], []) == [0]


@given(angle=st.floats(-44, 44))
def test_size_and_angle_of_a_turned_quad_are_recovered(angle: float) -> None:
    quad = turned([box(200, 200, 300, 50)], angle)[0]
    assert quad_size(quad) == pytest.approx((300, 50), abs=0.01)
    assert quad_angle_deg(quad) == pytest.approx(angle, abs=0.01)


@given(angle=st.floats(-30, 30))
def test_an_enclosing_quad_holds_its_pieces(angle: float) -> None:
    whole = enclose(turned([box(100, 100, 80, 30), box(200, 100, 150, 30)], angle))
    assert np.allclose(whole, turned([box(100, 100, 250, 30)], angle)[0], atol=0.1)
