"""Bytes become an upright BGR picture, or a ``PhotoRejectedError`` that says what is wrong and what to do.

Pillow decodes every format: it reports a picture that breaks off, where OpenCV returns it half grey, and it scales
JPEG inside the decoder. Size is checked on the header, before a pixel is allocated. The content decides, not the name.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import cv2
import numpy as np
import pillow_heif
from PIL import Image

from preprocess.sniff import name_other_type, says_image_sequence, starts_like_image

# Pillow warns on standard error about odd metadata and about big pictures; both are judged here instead.
warnings.filterwarnings("ignore", module=r"PIL\..*")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
pillow_heif.register_heif_opener()

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # a JPEG with further pictures behind it (gain map, stereo); the first one is the photo
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
    "GIF": "image/gif",
    "HEIF": "image/heic",
    "AVIF": "image/avif",
}

_OPENED = tuple(name for name in MEDIA_TYPES if name != "MPO")  # Pillow opens MPO as a kind of JPEG

_HEADERS_IN_PYTHON = ("JPEG", "PNG", "GIF", "BMP", "TIFF")  # Pillow gives the others to C libraries at once

DEFAULT_MAX_SIDE_PX = 2048
"""Longest side kept: a 12-megapixel phone photo (4032 px) becomes 2016 px inside the JPEG decoder."""

_MAX_JPEG_SCANS = (
    100  # cameras write 1, progressive encoders about 10; thousands of empty ones busy a decoder for hours
)
_HEIF_HEAD_BYTES = 65_536  # boxes that describe the picture come before its data
_ZERO_TAIL_BYTES = 4096  # an interrupted copy leaves whole clusters of zeros at the end of a file of the right length


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What is accepted. JPEG may be larger because it is scaled while it is decoded (108-megapixel phones exist)."""

    max_bytes: int = 80_000_000
    max_pixels: int = 50_000_000
    max_jpeg_pixels: int = 120_000_000
    min_side_px: int = 48  # two lines of the smallest legible text


@dataclass(frozen=True, slots=True)
class UprightPhoto:
    """A decoded photo as a person holds it.

    ``image`` is BGR uint8 with EXIF orientation applied; ``size_px`` is (width, height) of the full upright photo;
    ``scale`` is image pixels per photo pixel (at most 1).
    """

    image: np.ndarray
    size_px: tuple[int, int]
    scale: float
    media_type: str


class PhotoRejectedError(Exception):
    """A file is not a photo that can be read.

    ``reason`` is one of: empty, not_an_image, unsupported_type, truncated, animated, too_large_file, too_many_pixels,
    too_small. ``detail`` is one sentence for a person: what is wrong and what to do.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def decode_photo(
    data: bytes, *, limits: DecodeLimits = DecodeLimits(), max_side_px: int | None = DEFAULT_MAX_SIDE_PX
) -> UprightPhoto:
    """Decode a photo upright, at most ``max_side_px`` on its longest side (None keeps every pixel).

    Raises ``PhotoRejectedError`` and nothing else, whatever the bytes are. ICC profiles are ignored.
    """
    _check_bytes(data, limits)
    try:
        # Pillow's plugins may raise anything on crafted bytes (struct.error, ValueError, SyntaxError, MemoryError …);
        # every one of them means that this file is not a photo that can be read.
        picture = _open(data)
        _check_header(picture, limits)
        header_size = picture.size
        if max_side_px is not None:
            _scale_in_decoder(picture, max_side_px)
        draft_size = picture.size
        picture.load()
        orientation = _orientation(picture, data)
        image = _to_bgr(picture)
    except PhotoRejectedError:
        raise
    except Exception as error:
        raise PhotoRejectedError(
            "truncated", "The picture breaks off or is damaged; copy the file again from the camera or the original."
        ) from error
    drafted = draft_size != header_size
    full_size = header_size if drafted else (image.shape[1], image.shape[0])
    image = _turn(_shrink(image, max_side_px), orientation)
    width_px, height_px = full_size if orientation < 5 else full_size[::-1]
    scale = max(image.shape[:2]) / max(width_px, height_px)
    return UprightPhoto(image, (width_px, height_px), scale, MEDIA_TYPES[picture.format or ""])


def check_head(head: bytes, limits: DecodeLimits = DecodeLimits()) -> None:
    """Refuse a picture whose first bytes already say that it has too many or too few pixels; the rest is not looked at.

    Whatever they do not say is left to ``decode_photo``. Only headers that are parsed in Python are looked at, so that
    no crafted file can bring the process down. Raises ``PhotoRejectedError``.
    """
    try:
        picture = Image.open(io.BytesIO(head), formats=_HEADERS_IN_PYTHON)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except Exception:
        return
    _check_size(picture, limits)


def _check_bytes(data: bytes, limits: DecodeLimits) -> None:
    if not data.strip(b"\0"):
        raise PhotoRejectedError("empty", "The file holds no data; copy it again from the camera or the original.")
    if len(data) > limits.max_bytes:
        raise PhotoRejectedError(
            "too_large_file",
            f"The file has {len(data) / 1e6:.0f} MB, more than {limits.max_bytes / 1e6:.0f} MB; save it as JPEG.",
        )
    other = name_other_type(data)
    if other is not None:
        raise PhotoRejectedError("unsupported_type", f"This is {other}, not a photo; save the photo as JPEG or PNG.")
    if says_image_sequence(data):
        raise PhotoRejectedError("animated", "This is a moving picture; save one frame of it as JPEG or PNG.")
    if data.startswith(b"\xff\xd8"):
        _check_jpeg(data)


def _check_jpeg(data: bytes) -> None:
    if data.count(b"\xff\xda") > _MAX_JPEG_SCANS:
        raise PhotoRejectedError("unsupported_type", "This JPEG has too many scans to be a photo; save it again.")
    body = data.rstrip(b"\0")
    if len(data) - len(body) >= _ZERO_TAIL_BYTES and body.rfind(b"\xff\xd9") < body.rfind(b"\xff\xda"):
        raise PhotoRejectedError(
            "truncated", "The picture ends in zeros, as an interrupted copy leaves it; copy the file again."
        )


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=_OPENED)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except Exception as error:
        if starts_like_image(data):
            raise PhotoRejectedError(
                "truncated", "The picture breaks off in its header; copy the file again from the original."
            ) from error
        raise PhotoRejectedError(
            "not_an_image", "The content is no picture; check that this is the file that was meant."
        ) from error


def _too_many_pixels() -> PhotoRejectedError:
    return PhotoRejectedError("too_many_pixels", "The picture has more than 350 million pixels; save it smaller.")


def _check_header(picture: Image.Image, limits: DecodeLimits) -> None:
    _check_size(picture, limits)
    if not _is_jpeg(picture) and (getattr(picture, "is_animated", False) or getattr(picture, "n_frames", 1) > 1):
        raise PhotoRejectedError("animated", "The file holds several pictures; save each one as a photo of its own.")


def _check_size(picture: Image.Image, limits: DecodeLimits) -> None:
    width_px, height_px = picture.size
    max_pixels = limits.max_jpeg_pixels if _is_jpeg(picture) else limits.max_pixels
    if width_px * height_px > max_pixels:
        raise PhotoRejectedError(
            "too_many_pixels",
            f"The picture has {width_px} × {height_px} pixels, more than {max_pixels // 1_000_000} million; "
            "save it smaller.",
        )
    if min(width_px, height_px) < limits.min_side_px:
        raise PhotoRejectedError(
            "too_small",
            f"The picture has only {width_px} × {height_px} pixels; send the original photo, not its thumbnail.",
        )


def _is_jpeg(picture: Image.Image) -> bool:
    return picture.format in ("JPEG", "MPO")


def _scale_in_decoder(picture: Image.Image, max_side_px: int) -> None:
    """Let libjpeg decode at 1/2, 1/4 or 1/8 where that leaves at least 3/4 of ``max_side_px``; other formats cannot.

    Asking for the whole of ``max_side_px`` would decode the common 4032 px photo in full to shrink it to 2048.
    """
    if picture.format in ("JPEG", "MPO"):
        wanted = max_side_px * 3 // 4 / max(picture.size)
        picture.draft(None, (max(1, int(picture.width * wanted)), max(1, int(picture.height * wanted))))


def _orientation(picture: Image.Image, data: bytes) -> int:
    """EXIF orientation 1–8 still to be applied.

    TIFF is turned by Pillow. HEIF states turns and mirrors in boxes of its own (irot, imir), which its decoder applies
    and which make EXIF void; a file with neither box was written by software that meant its EXIF.
    """
    if picture.format == "TIFF":
        return 1
    if picture.format == "HEIF":
        head = data[:_HEIF_HEAD_BYTES]
        value = 1 if b"irot" in head or b"imir" in head else picture.info.get("original_orientation")
    else:
        try:
            value = picture.getexif().get(0x0112, 1)
        except Exception:  # damaged EXIF does not make a sound picture unreadable
            return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _to_bgr(picture: Image.Image) -> np.ndarray:
    if picture.mode.startswith("I") or picture.mode == "F":
        return cv2.cvtColor(_to_8_bit(np.asarray(picture)), cv2.COLOR_GRAY2BGR)
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        with_alpha = picture.convert("RGBA")
        white = Image.new("RGBA", with_alpha.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, with_alpha)
    rgb = np.asarray(picture.convert("RGB"))
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)


def _to_8_bit(values: np.ndarray) -> np.ndarray:
    """16-bit integers are divided by 257; wider and floating values are stretched, as their range says nothing."""
    if values.dtype.itemsize == 2:
        return (values.astype(np.uint32) // 257).astype(np.uint8)
    finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(finite.min()), float(finite.max())
    if values.dtype.kind in "iu" and low >= 0 and high <= 65535:
        low, high = 0.0, 255.0 if high <= 255 else 65535.0
    return np.asarray((finite - low) * (255.0 / max(high - low, 1e-12))).round().astype(np.uint8)


def _shrink(image: np.ndarray, max_side_px: int | None) -> np.ndarray:
    height_px, width_px = image.shape[:2]
    if max_side_px is None or max(height_px, width_px) <= max_side_px:
        return image
    factor = max_side_px / max(height_px, width_px)
    size = (max(1, round(width_px * factor)), max(1, round(height_px * factor)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _turn(image: np.ndarray, orientation: int) -> np.ndarray:
    """Apply EXIF orientation (TIFF 6.0, tag 274)."""
    if orientation in (5, 6, 7, 8):
        image = cv2.transpose(image)
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return image if flip is None else cv2.flip(image, flip)
