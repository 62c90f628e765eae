from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preprocess.outline import outline_scores

STONE, GRASS, PAINT = (120, 118, 125), (60, 120, 80), (40, 40, 200)
TEXT = [np.array([[200, y], [312, y], [312, y + 20], [200, y + 20]], float) for y in (180, 220, 260)]
HULL = np.array([[200, 180], [312, 180], [312, 280], [200, 280]], float)


def lab_of(picture: np.ndarray) -> np.ndarray:
    lab = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2LAB), np.float32)
    lab[..., 0] *= 100.0 / 255.0
    return lab


def framed_stone() -> np.ndarray:
    """A stone from 120 to 392 across and 100 to 380 down, with a frame 10 px wide that begins 14 px inside its edge."""
    picture = np.full((512, 512, 3), GRASS, np.uint8)
    picture[100:380, 120:392] = STONE
    cv2.rectangle(picture, (139, 119), (373, 361), PAINT, 10)
    return picture


def scores(picture: np.ndarray, boxes: list[tuple[float, float, float, float]]) -> np.ndarray:
    """Scores of upright boxes left, top, right, bottom."""
    left, top, right, bottom = (np.array(values, float) for values in zip(*boxes, strict=True))
    one, none = np.ones(len(boxes)), np.zeros(len(boxes))
    sides = [np.stack(line, axis=1) for line in ((none, one, -top), (one, none, -right), (none, one, -bottom))]
    sides.append(np.stack((one, none, -left), axis=1))
    corners = np.stack([[left, top], [right, top], [right, bottom], [left, bottom]]).transpose(2, 0, 1)
    choices = np.tile(np.arange(len(boxes)), (4, 1))
    return outline_scores(lab_of(picture), sides, choices, corners, TEXT, HULL)


EDGE = (120, 100, 392, 380)


@pytest.mark.parametrize("inset", [14, 19, 24])
def test_the_edge_of_a_stone_beats_the_frame_painted_inside_it(inset: int) -> None:
    frame = (120 + inset, 100 + inset, 392 - inset, 380 - inset)
    edge_score, frame_score = scores(framed_stone(), [EDGE, frame])
    assert edge_score > 0.5 and edge_score > frame_score


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(12, 60), min_size=4, max_size=4))
def test_no_box_beyond_the_edge_scores_more(grown: list[int]) -> None:
    box = (EDGE[0] - grown[0], EDGE[1] - grown[1], EDGE[2] + grown[2], EDGE[3] + grown[3])
    edge_score, box_score = scores(framed_stone(), [EDGE, box])
    assert edge_score > box_score


def test_where_no_colour_changes_no_outline_convinces() -> None:
    assert scores(np.full((512, 512, 3), STONE, np.uint8), [EDGE])[0] < 0.5
