from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.worker_cost import LARGE_SIDE_PX, SMALL_SIDE_PX, _at_size

SAMPLE = sorted((Path(__file__).parents[2] / "datasets" / "samples").glob("*.jpg"))[0]


@pytest.mark.parametrize(("side_px", "megapixels"), [(SMALL_SIDE_PX, 2), (LARGE_SIDE_PX, 12)])
def test_a_photo_is_enlarged_to_the_megapixels_that_the_figure_names(side_px, megapixels):
    picture = cv2.imdecode(np.frombuffer(_at_size(SAMPLE, side_px), np.uint8), cv2.IMREAD_COLOR)
    assert max(picture.shape[:2]) == side_px
    assert picture.shape[0] * picture.shape[1] / 1e6 == pytest.approx(megapixels, rel=0.1)


def test_what_is_no_picture_is_named(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"text")
    with pytest.raises(ValueError, match="is no picture"):
        _at_size(tmp_path / "a.jpg", SMALL_SIDE_PX)
