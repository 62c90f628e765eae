"""When, where and with what a photo was taken, as its EXIF says (CIPA DC-008, "Exif 2.32").

Only the first bytes of a file are looked at, by a parser written in Python: a crafted file has at worst nothing to say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PIL import Image

EXIF_HEAD_BYTES = 128 * 1024
"""Enough for the EXIF of a JPEG: one segment of 64 KB at most, near the front."""

_MAX_DEVICE_CHARS = 100
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_MAKE, _MODEL = 0x010F, 0x0110
_TAKEN = ((0x9003, 0x9011), (0x9004, 0x9012))  # original, digitised; each with the tag of its offset from UTC
_LATITUDE, _LONGITUDE = (0x0001, 0x0002), (0x0003, 0x0004)

_OFFSET = re.compile(r"[+-](?:0\d|1[0-4]):[0-5]\d")
# before it: the mark of JPEG and HEIF, the chunk of WebP with its length, that of PNG, nothing in a TIFF
_PAYLOAD = re.compile(rb"(?:Exif\0\0|EXIF....|eXIf|\A)((?:II\*\0|MM\0\*).{,65535})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ExifFacts:
    """What EXIF says; None where it says nothing that can be meant.

    ``taken_at`` is ISO 8601, the camera's local time, with an offset only where one is written; positions are WGS 84.
    """

    taken_at: str | None = None
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    device: str | None = None


def read_exif(head: bytes) -> ExifFacts:
    """Facts from the first bytes of a file (``EXIF_HEAD_BYTES`` are enough). Never raises, whatever they are."""
    try:
        exif = _exif_of(head)
        if exif is None:
            return ExifFacts()
        taken_at, device = _taken_at(_ifd(exif, _EXIF_IFD)), _device(exif)
        latitude_deg, longitude_deg = _position(_ifd(exif, _GPS_IFD))
    except Exception:  # Pillow raises anything on crafted bytes; all of it means that nothing can be known
        return ExifFacts()
    return ExifFacts(taken_at, latitude_deg, longitude_deg, device)


def _exif_of(head: bytes) -> Image.Exif | None:
    payload = _PAYLOAD.search(head)
    if payload is None:
        return None
    exif = Image.Exif()
    exif.load(payload[1])
    return exif


def _ifd(exif: Image.Exif, tag: int) -> Mapping[int, Any]:
    try:
        return exif.get_ifd(tag)
    except Exception:  # one damaged directory says nothing about the other
        return {}


def _taken_at(ifd: Mapping[int, Any]) -> str | None:
    for tag, offset_tag in _TAKEN:
        try:
            moment = datetime.strptime(_text(ifd.get(tag)), "%Y:%m:%d %H:%M:%S")  # local, as cameras say
        except ValueError:
            continue
        offset = _text(ifd.get(offset_tag))
        return moment.isoformat() + (offset if _OFFSET.fullmatch(offset) else "")
    return None


def _device(exif: Mapping[int, Any]) -> str | None:
    make, model = _text(exif.get(_MAKE)), _text(exif.get(_MODEL))
    # "Canon" and "Canon EOS 80D" are one device
    name = model if make and model.lower().startswith(make.lower().split()[0]) else f"{make} {model}".strip()
    return name[:_MAX_DEVICE_CHARS] or None


def _position(ifd: Mapping[int, Any]) -> tuple[float | None, float | None]:
    latitude_deg = _degrees(ifd, *_LATITUDE, negative="S", limit=90.0)
    longitude_deg = _degrees(ifd, *_LONGITUDE, negative="W", limit=180.0)
    # half a position is none; 0, 0 is what devices write before they have a fix
    if latitude_deg is None or longitude_deg is None or latitude_deg == longitude_deg == 0.0:
        return None, None
    return latitude_deg, longitude_deg


def _degrees(ifd: Mapping[int, Any], ref_tag: int, tag: int, *, negative: str, limit: float) -> float | None:
    parts = ifd.get(tag)
    if not isinstance(parts, tuple) or len(parts) != 3:
        return None
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value) or not 0.0 <= value <= limit:
        return None
    value = round(value, 7)  # about a centimetre
    return -value if _text(ifd.get(ref_tag)).upper() == negative else value


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    printable = "".join(c if c.isprintable() else " " for c in value.partition("\0")[0])
    return " ".join(printable.split())
