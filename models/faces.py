"""Which pixels of a photo belong to the stone face that carries marked text: a small U-Net by ONNX Runtime.

Ronneberger et al. 2015, "U-Net: convolutional networks for biomedical image segmentation". What it sees is made by
``preprocess.stone.face_view``; ``models.training.faces`` trains it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.bundle import WEIGHTS_DIR, sha256_of
from models.errors import BundleError
from models.onnx_session import open_session

_WEIGHTS = WEIGHTS_DIR / "faces" / "stone-face-1.onnx"
_SHA256 = "483731ee6a6d3f84a4511ff593bf2ade1ca7d1a2690392bd012e8e4430753187"


class FaceSegmenter:
    """Marks faces. Holds one ONNX Runtime session; safe to call from several threads."""

    def __init__(self, threads: int = 1) -> None:
        self._session = open_session(shipped_weights(), threads)

    def __call__(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the chance of each pixel, (height, width), of a view's ``planes`` (5, height, width)."""
        chances: NDArray[np.float32] = self._session.run(None, {"view": planes[None]})[0][0]
        return chances


@lru_cache(maxsize=1)
def load_segmenter() -> FaceSegmenter:
    """Open the shipped network, once a process; raises BundleError."""
    return FaceSegmenter()


def shipped_weights() -> Path:
    """Return the file of the weights after checking it; raises BundleError."""
    if not _WEIGHTS.is_file() or sha256_of(_WEIGHTS) != _SHA256:
        raise BundleError(f"Model {_WEIGHTS} is missing or does not match its checksum; install the project again.")
    return _WEIGHTS
