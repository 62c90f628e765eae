from __future__ import annotations

from random import Random

import numpy as np
import pytest

from datasets.other_pictures import Subject, draw_picture
from ocr_service.records import PhotoType


@pytest.mark.parametrize("subject", list(Subject))
def test_every_subject_is_drawn(subject: Subject) -> None:
    picture = draw_picture(Random(2), subject, long_side_px=360)
    assert picture.subject is subject
    assert picture.image.dtype == np.uint8
    assert max(picture.image.shape) in (360, round(1.15 * 360))
    assert picture.image.std() > 3


def test_a_seed_draws_the_same_picture_again() -> None:
    one, other = (draw_picture(Random(2), Subject.NAME_BOARD, long_side_px=360) for _ in range(2))
    assert np.array_equal(one.image, other.image)


def test_subjects_are_the_kinds_of_pictures_that_readings_tell() -> None:
    assert {str(subject) for subject in Subject} == {str(kind) for kind in PhotoType}
