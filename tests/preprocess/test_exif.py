from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from preprocess.decode import PhotoRejectedError, check_head
from preprocess.exif import EXIF_HEAD_BYTES, ExifFacts, read_exif

NOTHING = ExifFacts()
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")


def picture(
    kind: str = "JPEG", *, exif: dict[int, Any] | None = None, gps: dict[int, Any] | None = None, **base: Any
) -> bytes:
    """A picture with EXIF: tags of the main directory by keyword, others by number."""
    facts = Image.Exif()
    for name, tag in (("make", 0x010F), ("model", 0x0110)):
        if name in base:
            facts[tag] = base[name]
    if exif:
        facts.get_ifd(0x8769).update(exif)
    if gps:
        facts.get_ifd(0x8825).update(gps)
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, kind, exif=facts)
    return file.getvalue()


def degrees(value: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    whole, minutes = int(value), (value - int(value)) * 60
    seconds = (minutes - int(minutes)) * 60
    return IFDRational(whole, 1), IFDRational(int(minutes), 1), IFDRational(round(seconds * 1000), 1000)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_time_and_device_are_read_from_any_kind(kind: str) -> None:
    data = picture(kind, model="May mau 1", exif={0x9003: "2026:04:30 08:15:09"})
    assert read_exif(data) == ExifFacts(taken_at="2026-04-30T08:15:09", device="May mau 1")


def test_the_offset_stands_only_where_it_is_written() -> None:
    taken = {0x9003: "2026:04:30 08:15:09"}
    assert read_exif(picture(exif={**taken, 0x9011: "+07:00"})).taken_at == "2026-04-30T08:15:09+07:00"
    assert read_exif(picture(exif={**taken, 0x9011: "sometime"})).taken_at == "2026-04-30T08:15:09"


@pytest.mark.parametrize(
    "written", ["0000:00:00 00:00:00", "    :  :     :  :  ", "2026:13:45 99:00:00", "", "hôm qua"]
)
def test_a_clock_that_was_not_set_says_nothing(written: str) -> None:
    assert read_exif(picture(exif={0x9003: written})).taken_at is None


@pytest.mark.parametrize(
    ("make", "model", "device"),
    [
        ("Canon", "Canon EOS 80D", "Canon EOS 80D"),
        ("samsung", "SM-A515F", "samsung SM-A515F"),
        ("Apple", "", "Apple"),
        ("", "", None),
        ("NIKON CORPORATION", "NIKON D90", "NIKON D90"),
    ],
)
def test_maker_and_model_are_one_name(make: str, model: str, device: str | None) -> None:
    assert read_exif(picture(make=make, model=model)).device == device


@given(st.floats(-89.9, 89.9), st.floats(-179.9, 179.9))
def test_a_position_is_read_back(latitude: float, longitude: float) -> None:
    gps = {
        1: "S" if latitude < 0 else "N", 2: degrees(abs(latitude)),
        3: "W" if longitude < 0 else "E", 4: degrees(abs(longitude)),
    }  # fmt: skip
    found = read_exif(picture(gps=gps))
    if found.latitude_deg is None:
        assert max(abs(latitude), abs(longitude)) < 1e-6
        return
    assert found.longitude_deg is not None
    assert abs(found.latitude_deg - latitude) < 1e-6 and abs(found.longitude_deg - longitude) < 1e-6


@pytest.mark.parametrize(
    "gps",
    [
        {1: "N", 2: degrees(10.5)},
        {1: "N", 2: degrees(0), 3: "E", 4: degrees(0)},
        {1: "N", 2: degrees(95), 3: "E", 4: degrees(106)},
        {1: "N", 2: (IFDRational(0, 0),) * 3, 3: "E", 4: degrees(106)},
        {2: degrees(10.5), 4: (IFDRational(106, 1),)},
    ],
)
def test_half_a_position_or_none_is_none(gps: dict[int, Any]) -> None:
    found = read_exif(picture(gps=gps))
    assert (found.latitude_deg, found.longitude_deg) == (None, None)


def test_signs_that_cannot_be_shown_are_left_out() -> None:
    assert read_exif(picture(model="May\n\x07 mau\0 xx")).device == "May mau"


@given(
    st.binary(max_size=300), st.sampled_from([b"", b"Exif\0\0II*\0", b"Exif\0\0MM\0*", b"\x89PNG\r\n\x1a\n", b"II*\0"])
)
def test_no_bytes_raise(data: bytes, start: bytes) -> None:
    assert isinstance(read_exif(start + data), ExifFacts)


@given(st.data())
def test_damaged_exif_raises_nothing(data: st.DataObject) -> None:
    whole = bytearray(picture(make="Canon", exif={0x9003: "2026:04:30 08:15:09"}, gps={1: "N", 2: degrees(10.5)}))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(2, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole)[: data.draw(st.integers(0, len(whole)))]
    assert isinstance(read_exif(cut), ExifFacts)


def test_a_picture_without_exif_says_nothing() -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "JPEG")
    assert read_exif(file.getvalue()) == NOTHING
    assert read_exif(b"") == NOTHING


def png_that_says(width_px: int, height_px: int) -> bytes:
    """The beginning of a PNG (RFC 2083): signature and header."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + header
        + struct.pack(">I", zlib.crc32(header))
        + struct.pack(">I", 9999)
        + b"IDAT"
        + b"\0" * 500
    )


@pytest.mark.parametrize(
    ("size", "reason"),
    [((20_000, 20_000), "too_many_pixels"), ((9_000, 9_000), "too_many_pixels"), ((600, 20), "too_small")],
)
def test_a_header_over_the_limits_is_refused(size: tuple[int, int], reason: str) -> None:
    with pytest.raises(PhotoRejectedError) as refused:
        check_head(png_that_says(*size))
    assert refused.value.reason == reason


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_header_within_the_limits_passes_however_short(kind: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (640, 480)).save(file, kind)
    whole = file.getvalue()
    for length in (0, 3, 10, 100, 1000, len(whole)):
        check_head(whole[:length])
    check_head(whole[:EXIF_HEAD_BYTES])
