from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from preprocess.decode import DecodeLimits, PhotoRejectedError, UprightPhoto, decode_photo

REASONS = {
    "empty",
    "not_an_image",
    "unsupported_type",
    "truncated",
    "animated",
    "too_large_file",
    "too_many_pixels",
    "too_small",
}
ORIENTED = ("JPEG", "PNG", "WEBP", "TIFF")


def quarters(width: int = 160, height: int = 96) -> Image.Image:
    """Red, green, blue and white quarters: every orientation looks different."""
    picture = np.zeros((height, width, 3), np.uint8)
    top, left = slice(0, height // 2), slice(0, width // 2)
    below, right = slice(height // 2, None), slice(width // 2, None)
    picture[top, left], picture[top, right] = (255, 0, 0), (0, 255, 0)
    picture[below, left], picture[below, right] = (0, 0, 255), (255, 255, 255)
    return Image.fromarray(picture)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def corner_colours(photo: UprightPhoto) -> list[str]:
    """Names of the colours in the corners, clockwise from the top left."""
    h, w = photo.image.shape[:2]
    names = {(1, 0, 0): "red", (0, 1, 0): "green", (0, 0, 1): "blue", (1, 1, 1): "white"}
    places = ((h // 4, w // 4), (h // 4, 3 * w // 4), (3 * h // 4, 3 * w // 4), (3 * h // 4, w // 4))
    return [names[tuple(int(c > 127) for c in photo.image[y, x][::-1])] for y, x in places]  # type: ignore[index]


def reason_of(data: bytes, limits: DecodeLimits = DecodeLimits()) -> str:  # noqa: B008 - frozen value
    with pytest.raises(PhotoRejectedError) as caught:
        decode_photo(data, limits=limits)
    assert len(caught.value.detail) > 20
    assert caught.value.detail.endswith(".")
    return caught.value.reason


def png_header(side: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 4000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", [*ORIENTED, "BMP", "GIF"])
def test_every_accepted_format_decodes_to_bgr(kind: str) -> None:
    photo = decode_photo(encoded(quarters(), kind))
    assert photo.image.shape == (96, 160, 3)
    assert photo.image.dtype == np.uint8
    assert (photo.size_px, photo.scale) == ((160, 96), 1.0)
    assert corner_colours(photo) == ["red", "green", "white", "blue"]


def test_heic_decodes() -> None:
    out = io.BytesIO()
    pillow_heif.from_pillow(quarters()).save(out, quality=90)
    photo = decode_photo(out.getvalue())
    assert photo.media_type == "image/heic"
    assert corner_colours(photo) == ["red", "green", "white", "blue"]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", [*ORIENTED, "HEIF"])
def test_exif_orientation_is_undone(kind: str, orientation: int) -> None:
    stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    picture = quarters() if stored is None else quarters().transpose(stored)
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = decode_photo(encoded(picture, kind, exif=exif))
    assert photo.size_px == (160, 96)
    assert photo.image.shape[:2] == (96, 160)
    assert corner_colours(photo) == ["red", "green", "white", "blue"]


def test_a_large_jpeg_is_scaled_and_keeps_its_true_size() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(quarters(4032, 3024).transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)
    photo = decode_photo(data)
    assert photo.size_px == (4032, 3024)
    assert photo.image.shape == (1512, 2016, 3)
    assert photo.scale == pytest.approx(0.5)
    assert corner_colours(photo) == ["red", "green", "white", "blue"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_longest_side_is_limited(kind: str) -> None:
    photo = decode_photo(encoded(quarters(800, 480), kind), max_side_px=500)
    assert max(photo.image.shape[:2]) <= 500
    assert photo.size_px == (800, 480)
    assert photo.image.shape[1] == pytest.approx(800 * photo.scale, abs=1)
    assert decode_photo(encoded(quarters(800, 480), kind), max_side_px=None).scale == 1.0


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "RGBA", "CMYK"])
def test_every_colour_mode_becomes_bgr(mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    photo = decode_photo(encoded(Image.new("RGB", (64, 64), (255, 255, 255)).convert(mode), kind))
    assert photo.image.min() > 250


def test_cmyk_jpeg_is_not_inverted() -> None:
    photo = decode_photo(encoded(Image.new("RGB", (64, 64), (250, 20, 20)).convert("CMYK"), "JPEG"))
    blue, green, red = photo.image[32, 32]
    assert red > 200
    assert max(blue, green) < 60


def test_transparency_lies_on_white() -> None:
    photo = decode_photo(encoded(Image.new("RGBA", (64, 64), (0, 0, 0, 0)), "PNG"))
    assert photo.image.min() == 255


@pytest.mark.parametrize("extension", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_are_scaled_to_eight(extension: str, channels: int) -> None:
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
    picture = ramp if channels == 1 else np.dstack([ramp] * 3)
    photo = decode_photo(cv2.imencode(extension, picture)[1].tobytes())
    expected = np.linspace(0, 255, 64)
    assert np.abs(photo.image[32, :, 0].astype(float) - expected).max() < 2


def test_the_content_decides_not_a_name() -> None:
    assert decode_photo(encoded(quarters(), "WEBP")).media_type == "image/webp"


@pytest.mark.parametrize("data", [b"", b"\0", b"\0" * 5000])
def test_a_file_without_content_is_empty(data: bytes) -> None:
    assert reason_of(data) == "empty"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_picture_that_breaks_off_is_rejected_not_half_read(kind: str, share: float) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (200, 300, 3), dtype=np.uint8))
    data = encoded(noise, kind)
    assert reason_of(data[: int(len(data) * share)]) == "truncated"


def test_a_jpeg_whose_end_was_never_copied_is_truncated() -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (400, 300, 3), dtype=np.uint8))
    data = encoded(noise, "JPEG")
    half = len(data) // 2
    assert reason_of(data[:half] + b"\0" * (len(data) - half)) == "truncated"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"%PDF-1.7 ...", "unsupported_type"),
        (b"PK\x03\x04 office", "unsupported_type"),
        (b"<?xml version='1.0'?><svg xmlns=''></svg>", "unsupported_type"),
        (b"\0\0\0\x18ftypmp42....", "unsupported_type"),
        (b"<!DOCTYPE html><p>404", "unsupported_type"),
        ("Họ tên: Nguyễn Văn A\n".encode(), "not_an_image"),
        (b"\x00\x01\x02\x03random", "not_an_image"),
        (b"\x89PNG\r\n\x1a\n", "truncated"),
        (b"\xff\xd8\xff\xe0rubbish", "truncated"),
    ],
)
def test_other_files_are_named(data: bytes, reason: str) -> None:
    assert reason_of(data) == reason


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_several_pictures_in_one_file_are_rejected(kind: str) -> None:
    frames = [quarters(), quarters().transpose(Image.Transpose.ROTATE_180)]
    assert reason_of(encoded(frames[0], kind, save_all=True, append_images=frames[1:])) == "animated"


def test_heic_with_several_pictures_is_rejected() -> None:
    heif = pillow_heif.from_pillow(quarters())
    heif.add_from_pillow(quarters().transpose(Image.Transpose.ROTATE_180))
    out = io.BytesIO()
    heif.save(out)
    assert reason_of(out.getvalue()) == "animated"


@pytest.mark.parametrize("side", [8_000, 15_000, 30_000, 60_000])
def test_a_bomb_is_rejected_by_its_header(side: int) -> None:
    data = png_header(side)
    assert len(data) < 200
    assert reason_of(data) == "too_many_pixels"


def test_limits_name_what_is_too_large_or_too_small() -> None:
    data = encoded(quarters(), "PNG")
    assert reason_of(data, DecodeLimits(max_bytes=100)) == "too_large_file"
    assert reason_of(data, DecodeLimits(max_pixels=10_000)) == "too_many_pixels"
    assert reason_of(encoded(quarters(40, 40), "PNG")) == "too_small"


def test_a_jpeg_of_endless_scans_is_rejected() -> None:
    data = encoded(quarters(), "JPEG")
    assert reason_of(data[:-2] + b"\xff\xda\x00\x02" * 200 + b"\xff\xd9") == "unsupported_type"


SEEDS = [
    encoded(quarters(), "JPEG"),
    encoded(quarters(), "JPEG", progressive=True),
    encoded(quarters(), "PNG"),
    encoded(quarters(), "WEBP"),
    encoded(quarters(), "TIFF", compression="tiff_lzw"),
    encoded(quarters(), "GIF"),
    encoded(quarters(), "BMP"),
    encoded(quarters(), "HEIF"),
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.sampled_from(SEEDS),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=12),
    end=st.floats(0.02, 1),
)
def test_damaged_files_give_a_picture_or_a_reason(seed: bytes, edits: list[tuple[float, int]], end: float) -> None:
    data = bytearray(seed[: max(1, int(len(seed) * end))])
    for place, value in edits:
        data[min(int(place * len(data)), len(data) - 1)] = value
    try:
        photo = decode_photo(bytes(data))
    except PhotoRejectedError as error:
        assert error.reason in REASONS
    else:
        assert photo.image.ndim == 3
        assert photo.image.shape[2] == 3


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_a_reason(data: bytes) -> None:
    assert reason_of(data) in REASONS
