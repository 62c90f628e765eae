"""What a file is by its first bytes, so that a refusal can name it."""

from __future__ import annotations

_OTHER_TYPES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"\xd0\xcf\x11\xe0", "an Office document"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"8BPS", "a Photoshop file"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"FUJIFILMCCD-RAW", "a raw camera file"),
    (b"IIRO", "a raw camera file"),
    (b"IIU\x00", "a raw camera file"),
)
_VIDEO_BRANDS = (b"isom", b"iso2", b"mp41", b"mp42", b"qt  ", b"M4V ", b"3gp4", b"3gp5", b"avc1", b"crx ")
_SEQUENCE_BRANDS = (b"msf1", b"hevc", b"hevx", b"avis")
_IMAGE_STARTS = (b"\xff\xd8", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def name_other_type(data: bytes) -> str | None:
    """Name of a known type that is no photo, or None."""
    for start, name in _OTHER_TYPES:
        if data.startswith(start):
            return name
    if data[4:8] == b"ftyp" and data[8:12] in _VIDEO_BRANDS:
        return "a video or a raw camera file"
    if data[:4] == b"RIFF" and data[8:12] in (b"AVI ", b"WAVE"):
        return "a video or sound file"
    if data[8:10] == b"CR" and data[:4] == b"II*\0":
        return "a raw camera file"
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<svg") or (head.startswith(b"<?xml") and b"<svg" in head):
        return "an SVG drawing"
    if head.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    return None


def says_image_sequence(data: bytes) -> bool:
    """Whether an ISO base media file declares a sequence of pictures as its main brand (HEIF, ISO/IEC 23008-12)."""
    return data[4:8] == b"ftyp" and data[8:12] in _SEQUENCE_BRANDS


def starts_like_image(data: bytes) -> bool:
    """Whether the first bytes are those of a picture format that is accepted."""
    return (
        data.startswith(_IMAGE_STARTS)
        or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")
        or (data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1", b"avif", b"heim", b"heis"))
    )
