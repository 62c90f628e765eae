"""Columns that a manifest may have, by their headings in Vietnamese and English, and what their cells may say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum

MAX_TEXT_CHARS = 200
"""The service keeps no longer text of a file."""


class Column(StrEnum):
    """What a column holds."""

    FILE = "file"
    PLOT = "plot"
    KHU = "khu"
    LO = "lô"
    HANG = "hàng"
    O = "ô"  # noqa: E741 - the field's word
    MO = "mộ"
    CEMETERY = "cemetery"
    COMMUNE = "commune"
    PROVINCE = "province"
    COLLECTOR = "collector"
    DEVICE = "device"
    TAKEN_AT = "taken_at"
    LATITUDE = "latitude"
    LONGITUDE = "longitude"
    IGNORED = "ignored"


AXES = (Column.KHU, Column.LO, Column.HANG, Column.O, Column.MO)
"""Parts of a plot, from the whole to the grave; together they make its text."""

HEADINGS: Mapping[Column, tuple[str, ...]] = {
    Column.FILE: ("file", "path", "file name", "filename", "photo", "image", "picture", "tệp", "tên tệp", "tập tin",
                  "tên tập tin", "tên file", "file ảnh", "ảnh", "tên ảnh", "tệp ảnh", "đường dẫn", "hình", "hình ảnh"),
    Column.PLOT: ("plot", "grave plot", "location", "vị trí", "vị trí mộ", "vị trí phần mộ"),
    Column.KHU: ("khu", "khu mộ", "section", "area"),
    Column.LO: ("lô", "lô mộ", "lot", "block"),
    Column.HANG: ("hàng", "hàng mộ", "row"),
    Column.O: ("ô", "ô mộ", "cell"),
    Column.MO: ("mộ", "số mộ", "mộ số", "ngôi", "ngôi số", "grave", "grave number"),
    Column.CEMETERY: ("cemetery", "nghĩa trang", "tên nghĩa trang", "nghĩa trang liệt sĩ", "ntls"),
    Column.COMMUNE: ("commune", "ward", "xã", "phường", "xã phường", "xã phường thị trấn"),
    Column.PROVINCE: ("province", "city", "tỉnh", "tỉnh thành", "tỉnh thành phố", "thành phố"),
    Column.COLLECTOR: ("collector", "photographer", "taken by", "người chụp", "người thu thập", "cán bộ thu thập"),
    Column.DEVICE: ("device", "camera", "phone", "máy ảnh", "thiết bị", "máy chụp", "điện thoại"),
    Column.TAKEN_AT: ("taken at", "date", "date taken", "taken", "ngày chụp", "ngày", "thời gian", "thời gian chụp",
                      "thời điểm chụp", "giờ chụp"),
    Column.LATITUDE: ("latitude", "lat", "vĩ độ"),
    Column.LONGITUDE: ("longitude", "lon", "lng", "long", "kinh độ"),
    Column.IGNORED: ("stt", "no", "số thứ tự", "number", "note", "notes", "remarks", "ghi chú"),
}  # fmt: skip
"""Spelled with or without marks, in any case, with any signs between the words."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is said of one file, as the service's routes name it."""

    plot: str | None = None
    cemetery: str | None = None
    province: str | None = None
    commune: str | None = None
    collector: str | None = None
    device: str | None = None
    taken_at: str | None = None
    latitude_deg: float | None = None
    longitude_deg: float | None = None

    def to_json(self) -> dict[str, str | float]:
        """The facts that are known."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}


def column_of(heading: str) -> Column | None:
    """The column that a heading names, None where it is not known."""
    return _BY_KEY.get(_key(heading))


def _key(heading: str) -> str:
    letters = unicodedata.normalize("NFD", heading.lower().replace("đ", "d"))
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[\W_]+", " ", bare).split())


_BY_KEY = {_key(heading): column for column, headings in HEADINGS.items() for heading in headings}


def text_value(text: str) -> str:
    """Text as the service keeps it. Raises ``ValueError``."""
    kept = " ".join(unicodedata.normalize("NFC", text).split())
    if len(kept) > MAX_TEXT_CHARS:
        raise ValueError(f"has {len(kept)} characters, {MAX_TEXT_CHARS} are kept")
    if not kept.isprintable():
        raise ValueError("holds characters that cannot be shown")
    return kept


def plot_of(parts: Mapping[Column, str]) -> str:
    """A plot's text from its parts: ``khu A, lô 2, hàng 3, mộ 15``."""
    return ", ".join(f"{axis.value} {parts[axis]}" for axis in AXES if parts.get(axis))


_DAY_FIRST = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(?:[ T,]+(.+))?")
_TIME = re.compile(r"(\d{1,2})[:hH](\d{2})(?::(\d{2}))?")


def taken_at(text: str, *, now: datetime) -> str:
    """ISO 8601 of ``2024-05-31 10:20``, ``31/05/2024``, ``31-5-2024 8h05``; days come first, as in Viet Nam.

    A day without its time is a date. Raises ``ValueError`` for what is no date, or lies ahead of ``now`` (local time).
    """
    shown = text.strip()
    if match := _DAY_FIRST.fullmatch(shown):
        day, month, year, clock = match.groups()
        shown = f"{year}-{int(month):02}-{int(day):02}"
        if clock:
            found = _TIME.fullmatch(clock.strip())
            if found is None:
                raise ValueError(f"{text!r} has no time of day that is understood; write 31/05/2024 10:20")
            shown += f" {int(found[1]):02}:{found[2]}:{found[3] or '00'}"
    try:
        when = datetime.fromisoformat(shown)
    except ValueError:
        raise ValueError(f"{text!r} is no date; write 31/05/2024 or 2024-05-31 10:20") from None
    if when.replace(tzinfo=None) > now.replace(tzinfo=None) + timedelta(days=1):  # whatever the two time zones are
        raise ValueError(f"{text!r} lies in the future")
    return when.date().isoformat() if len(shown) <= len("2024-05-31") else when.isoformat()


def degrees(most: float) -> Callable[[str], float]:
    """A reader of decimal degrees between ``-most`` and ``most``. It raises ``ValueError``."""

    def read(text: str) -> float:
        try:
            value = float(text.replace(",", "."))
        except ValueError:
            value = float("nan")
        if not -most <= value <= most:
            raise ValueError(f"{text!r} is no angle up to {most:.0f}°; write decimal degrees as 21.028")
        return value

    return read
