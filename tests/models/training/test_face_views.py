from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.training.faces.views import Stone, load_stones, plain_example, render, varied_example
from preprocess.stone import PLANES, VIEW_PX


@pytest.fixture
def stone() -> Stone:
    """A white face on black ground with one dark line."""
    picture = np.zeros((240, 320, 3), np.uint8)
    face = np.array([[90.0, 40.0], [230.0, 52.0], [226.0, 200.0], [94.0, 190.0]])
    cv2.fillConvexPoly(picture, face.astype(np.int32), (255, 255, 255))
    line = np.array([[[120.0, 100.0], [200.0, 104.0], [200.0, 124.0], [120.0, 120.0]]])
    cv2.fillConvexPoly(picture, line[0].astype(np.int32), (90, 90, 90))
    return Stone(picture, face, line)


def test_the_face_of_an_example_covers_the_face_in_its_picture(stone: Stone) -> None:
    example = plain_example(stone)
    bright = (example.planes[:3].mean(axis=0) > 0.3) | (example.planes[3] > 0.5)
    assert (bright == (example.face > 0.5)).mean() > 0.99


def test_however_a_stone_is_varied_its_face_stays_where_its_picture_shows_it(stone: Stone) -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        example = varied_example([stone], rng)
        assert example.planes.shape == (PLANES, VIEW_PX, VIEW_PX)
        assert not example.face[example.planes[4] == 0].any()
        inside = cv2.erode((example.face > 0.9).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        outside = (example.face < 0.1) & (example.planes[4] > 0)
        if inside.sum() > 400 and outside.sum() > 400:
            brightness = example.planes[:3].mean(axis=0)
            assert np.median(brightness[inside]) > np.median(brightness[outside])


def test_most_examples_mark_some_text_on_the_face(stone: Stone) -> None:
    rng = np.random.default_rng(4)
    marked = [(e.planes[3] * e.face).sum() for e in (varied_example([stone], rng) for _ in range(40))]
    assert sum(area > 10 for area in marked) >= 36


def test_stones_are_drawn_once_and_read_back_with_their_faces(tmp_path: Path) -> None:
    render(tmp_path, 1)
    (file,) = tmp_path.glob("*.jpg")
    written = file.stat().st_mtime_ns
    render(tmp_path, 1)
    assert file.stat().st_mtime_ns == written
    (stone,) = load_stones(tmp_path)
    assert max(stone.picture.shape) == 320
    assert cv2.contourArea(stone.face.astype(np.float32)) > 0.1 * stone.picture[..., 0].size
    assert all(
        cv2.pointPolygonTest(stone.face.astype(np.float32), tuple(line.mean(axis=0)), False) > 0 for line in stone.lines
    )
