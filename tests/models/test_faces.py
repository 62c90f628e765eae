from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models import faces
from models.errors import BundleError
from models.faces import load_segmenter, shipped_weights
from preprocess.stone import PLANES, VIEW_PX


def test_each_pixel_of_a_view_gets_a_chance() -> None:
    chances = load_segmenter()(np.zeros((PLANES, VIEW_PX, VIEW_PX), np.float32))
    assert chances.shape == (VIEW_PX, VIEW_PX)
    assert 0 <= chances.min() <= chances.max() <= 1


def test_weights_that_were_changed_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "faces.onnx"
    damaged.write_bytes(shipped_weights().read_bytes()[:-1] + b"?")
    monkeypatch.setattr(faces, "_WEIGHTS", damaged)
    with pytest.raises(BundleError, match="checksum"):
        shipped_weights()
