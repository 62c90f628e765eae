from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from models.training.course import CURVES, Moment, draw_curves, read_course, record

START = Moment(0.0, 0, 0, 0.0, 0.0, 0.0, cer=0.2, bare_cer=0.1, exact_share=0.1)
LATER = Moment(600.0, 500, 8000, 13.3, 0.7, 1e-3, cer=0.05, bare_cer=0.03, exact_share=0.6)


def test_a_course_is_read_back_as_it_was_recorded(tmp_path: Path) -> None:
    for moment in (START, LATER):
        record(tmp_path, moment)
    assert read_course(tmp_path) == [START, LATER]


def test_curves_are_drawn_anew_with_each_moment(tmp_path: Path) -> None:
    record(tmp_path, START)
    record(tmp_path, LATER)
    drawn = cv2.imread(str(tmp_path / CURVES))
    assert drawn is not None
    assert np.array_equal(drawn, draw_curves([START, LATER]))


def test_a_falling_error_is_a_falling_line() -> None:
    course = [replace(START, elapsed_s=s, cer=cer) for s, cer in ((0.0, 0.4), (1.0, 0.4), (2.0, 0.1))]
    red = np.all(draw_curves(course) == (30, 30, 200), axis=2)[45:, :]
    columns = np.flatnonzero(red.any(axis=0))
    first, last = (int(np.flatnonzero(red[:, column])[0]) for column in (columns[0] + 3, columns[-1] - 3))
    assert first < last
