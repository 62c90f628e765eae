"""Pictures for screens, made anew from originals: smaller, upright, without EXIF and so without the place."""

from __future__ import annotations

from http import HTTPStatus

import cv2
import numpy as np

from api.problems import ProblemError
from ocr_service.records import Line
from preprocess.decode import PhotoRejectedError, UprightPhoto, decode_photo
from preprocess.lines import crop_line

JPEG_QUALITY = 85
CROP_SOURCE_SIDE_PX = 4096  # letters of a full phone photo stay as sharp as they are, huge ones are not decoded in full
CROP_MARGIN = 0.25  # people want to see the marks above and what stands around; the reader's own margin is tighter


def photo_jpeg(data: bytes, max_side_px: int) -> bytes:
    """A photo as JPEG, at most ``max_side_px`` on its longest side. Raises ``ProblemError`` 422 for no picture."""
    return _jpeg(_decode(data, max_side_px).image)


def line_jpeg(data: bytes, line: Line, height_px: int) -> bytes:
    """One line of a photo as JPEG, level, ``height_px`` high. Raises ``ProblemError`` 422 where it is no picture."""
    photo = _decode(data, CROP_SOURCE_SIDE_PX)
    quad = np.asarray(line.quad, dtype=np.float32) * np.float32(photo.scale)
    return _jpeg(crop_line(photo.image, quad, height_px, margin=CROP_MARGIN))


def _decode(data: bytes, max_side_px: int) -> UprightPhoto:
    try:
        return decode_photo(data, max_side_px=max_side_px)
    except PhotoRejectedError as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, error.detail) from error


def _jpeg(image: np.ndarray) -> bytes:
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "The picture cannot be shown as JPEG.")
    return encoded.tobytes()
