"""Whether a font file writes Vietnamese: its character map, and a look at the letters that fonts get wrong.

Reads the ``cmap`` table of TrueType and OpenType files (formats 4 and 12 of the OpenType specification).
"""

from __future__ import annotations

import struct
from pathlib import Path

from PIL import ImageFont

_MARKED = (
    "àáảãạ", "ằắẳẵặ", "ầấẩẫậ", "èéẻẽẹ", "ềếểễệ", "ìíỉĩị", "òóỏõọ", "ồốổỗộ", "ờớởỡợ", "ùúủũụ", "ừứửữự", "ỳýỷỹỵ",
)  # fmt: skip
VIETNAMESE_LOWER = "ăâđêôơư" + "".join(_MARKED)
VIETNAMESE_LETTERS = VIETNAMESE_LOWER + VIETNAMESE_LOWER.upper()
"""The 134 letters that Vietnamese adds to ASCII."""

_NEEDED = frozenset(
    ord(char)
    for char in VIETNAMESE_LETTERS + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:;-–/()'\"+&*!?°="
)
_PROBE_SIZE_PX = 32
# Each group differs in marks alone; fonts that lose or misplace a mark draw two of a group alike.
_ALIKE = ("AĂẮẰẲẴẶ", "EÊẾỀỂỄỆẸ", "OÔƠỐỢỠỘ", "uưứừửữự", "yýỳỷỹỵ", "DĐ", "dđ")


def character_map(path: Path) -> frozenset[int]:
    """Code points that a font file has glyphs for; empty if the file is no font or its map is of another format."""
    try:
        data = path.read_bytes()
        count = struct.unpack(">H", data[4:6])[0]
        tables = {data[i : i + 4]: struct.unpack(">I", data[i + 8 : i + 12])[0] for i in range(12, 12 + 16 * count, 16)}
        start = tables[b"cmap"]
        entries = struct.unpack(">H", data[start + 2 : start + 4])[0]
        found: set[int] = set()
        for entry in range(entries):
            platform, _, offset = struct.unpack(">HHI", data[start + 4 + 8 * entry : start + 12 + 8 * entry])
            if platform in (0, 3):
                found |= _subtable(data, start + offset)
    except (OSError, KeyError, struct.error):
        return frozenset()
    return frozenset(found)


def _subtable(data: bytes, at: int) -> set[int]:
    form = struct.unpack(">H", data[at : at + 2])[0]
    codes: set[int] = set()
    if form == 12:
        groups = struct.unpack(">I", data[at + 12 : at + 16])[0]
        for group in range(min(groups, 100_000)):
            first, last, glyph = struct.unpack(">III", data[at + 16 + 12 * group : at + 28 + 12 * group])
            if last < 0x20000 and (glyph or last > first):
                codes.update(range(first, last + 1))
    elif form == 4:
        segments = struct.unpack(">H", data[at + 6 : at + 8])[0] // 2
        ends = struct.unpack(f">{segments}H", data[at + 14 : at + 14 + 2 * segments])
        starts = struct.unpack(f">{segments}H", data[at + 16 + 2 * segments : at + 16 + 4 * segments])
        for first, last in zip(starts, ends, strict=True):
            if first != 0xFFFF:
                codes.update(range(first, last + 1))
    return codes


def writes_vietnamese(path: Path) -> bool:
    """Whether a font has every Vietnamese letter, marks that tell them apart, and a lower case of its own.

    Raises nothing: a file that cannot be opened writes nothing.
    """
    if not character_map(path) >= _NEEDED:
        return False
    try:
        font = ImageFont.truetype(str(path), _PROBE_SIZE_PX, layout_engine=ImageFont.Layout.BASIC)
        inks = [[bytes(font.getmask(char)) for char in group] for group in _ALIKE]
        tops = {char: font.getbbox(char)[1] for char in "xbEỂ"}
    except (OSError, ValueError):
        return False
    if any(len(set(group)) < len(group) or not all(map(any, group)) for group in inks):
        return False
    # In small capitals x is as high as b; in fonts with flattened marks Ể is hardly higher than E.
    return bool(tops["b"] < tops["x"] - 1 and tops["Ể"] < tops["E"] - 2)
