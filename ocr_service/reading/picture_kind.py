"""What a picture shows, by plain rules over its text: wordings first, then how much text there is.

Rules say ``other`` where they do not know; such a picture goes to a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from ocr_service.records import Field, Line, PhotoType

_WORDINGS = (
    (PhotoType.PLAN, re.compile(r"\bso do\b|\bban do\b")),
    (
        PhotoType.NAME_BOARD,
        re.compile(r"\b(?:bia|bang) (?:ghi )?(?:danh|ten)\b|\bdanh sach\b|\bstt\b.*\bho (?:va )?ten\b"),
    ),
    (PhotoType.GATE, re.compile(r"^nghia trang\b|^ntls\b|^ban quan ly\b|^cong nghia trang\b")),
    (PhotoType.MONUMENT, re.compile(r"^(?:dai|tuong dai) (?:tuong niem|liet si|liet sy)\b|^nha bia\b|^den tho\b")),
)
_PLOT = re.compile(r"^(?:(?:lo|hang|so|khu|mo|ngoi|o)\b\W*)*[a-z]{0,2}\W*\d{0,4}(?:\W+\d{1,4})*$")
_BOARD_LINES = 25  # the longest inscription of the sample pack and of real stones at hand has 14 lines


def picture_kind(lines: Sequence[Line], record: Mapping[str, Field]) -> PhotoType:
    """Kind of picture by its lines, in reading order, and what the parser made of them."""
    texts = [_fold(line.text) for line in lines]
    kind = record["kind"].value if "kind" in record else None
    flags = record["flags"].value if "flags" in record else ()
    if not texts:
        return PhotoType.OTHER
    if kind == "collective":
        return PhotoType.COLLECTIVE_STONE
    if kind == "memorial_list" or len(texts) >= _BOARD_LINES:
        return PhotoType.NAME_BOARD
    if len(texts) <= 3 and all(map(_PLOT.match, texts)) and any(c.isdigit() for c in "".join(texts)):
        return PhotoType.NUMBER_PLATE
    if "not_a_grave" in flags:
        matches = (found for found, wording in _WORDINGS if any(wording.search(text) for text in texts))
        return next(matches, PhotoType.MONUMENT if any("to quoc" in text for text in texts) else PhotoType.OTHER)
    return PhotoType.OTHER if kind in (None, "other") and not record.get("name") else PhotoType.HEADSTONE


def _fold(text: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))
    return re.sub(r"\s+", " ", bare.replace("đ", "d")).strip()
