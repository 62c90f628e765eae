"""Perceptual hashes: pictures that look alike have hashes that differ in few bits.

Zauner 2010, "Implementation and benchmarking of perceptual image hash functions" (DCT hash). The bytes of a picture
change when it is saved again, shrunk or brightened; its coarse pattern of light and dark does not.
"""

from __future__ import annotations

import cv2
import numpy as np

FINGERPRINT_BITS = 64
_SIDE_PX = 32
_WAVES = 8  # a way: the lowest frequencies but those that are even along one axis, which follow the light


def fingerprint(image: np.ndarray) -> int:
    """Hash of an upright BGR picture (H, W, 3), ``FINGERPRINT_BITS`` wide."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    waves = cv2.dct(small)[1 : _WAVES + 1, 1 : _WAVES + 1].ravel()
    return int.from_bytes(np.packbits(waves > np.median(waves)).tobytes(), "big")


def distance_bits(one: int, other: int) -> int:
    """How many bits of two hashes differ."""
    return (one ^ other).bit_count()
