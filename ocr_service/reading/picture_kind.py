"""What a picture shows, by plain rules over its wording and layout: the surest signs first.

Rules say ``other`` where they do not know; whatever they say, a person sees the picture. Tried on 94 drawn pictures of
nine kinds; ``python -m bench --only kinds`` counts them on others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from ocr_service.fields.kinds import is_slogan
from ocr_service.fields.text import fold, squeeze
from ocr_service.records import Field, Line, PhotoType
from preprocess.lines import quad_size

_NOTICE = re.compile(r"^(?:noi quy|quy che|thong bao|thu moi|bien ban|giay )|\b(?:co so|xuong|dich vu)\b.*\bda\b")
_PLAN = re.compile(r"\bso do\b|\bban do\b|\bmat bang\b")
_BOARD = re.compile(r"\b(?:bia|bang) (?:ghi )?(?:danh|ten)\b|\bdanh sach\b|\bstt\b.*\bho (?:va )?ten\b")
_GATE = re.compile(r"^(?:cong )?(?:nghia trang|ntls\b|nha quan trang|ban quan l[yi])")
_PLACE = re.compile(r"^(?:xa|phuong|thi tran|thi xa|huyen|quan|tinh|thanh pho|tp|tx|h|x|t)\b")
_MONUMENT = re.compile(
    r"to quoc ghi|doi doi (?:nho|ghi)|dai (?:tuong niem|liet s[iy])|tuong dai|nha bia|den tho|ghi on"
)
_TRIBUTE = re.compile(
    r"to quoc|ghi cong|ghi on|doi doi|muon doi|nho on|ghi nho|cong on|(?:dai )?tuong niem|tuong dai|nha bia|den tho"
    r"|(?:cac )?(?:anh hung )?liet s[iy]|vinh quang|\bcac\b|\bdai\b|[\W\d]+"
)
_HEADER = re.compile(r"^(?:mo |phan mo |anh hung )?(?:liet s[iy]|ls)$")
_PLOT = re.compile(r"^(?:(?:lo|hang|so|khu|mo|ngoi|o)\b\W*)*[a-z]{0,2}\W*\d{0,4}(?:\W+[a-z]?\d{1,4})*$")

_BOARD_LINES = 25  # the longest inscription of the sample pack and of real stones at hand has 14 lines
_PLAN_CELLS = 12  # lines that are a number and nothing else, of which a stone has one or two
_STONES_IN_VIEW = 3  # headers: a grave may carry an old stone beside the new one
_SMALL, _NARROW, _SPREAD = 0.02, 0.3, 0.5  # of the frame: height and width of lines, extent of all of them
_FEW_LINES = 5  # on gates and monuments

_LIFE = ("birth", "death", "enlist", "unit", "rank", "position", "age")


def picture_kind(
    lines: Sequence[Line], record: Mapping[str, Field], size_px: tuple[int, int] | None = None
) -> PhotoType:
    """Kind of picture by its lines, in reading order, what the parser made of them, and the photo's size."""
    texts = [squeeze(fold(line.text)) for line in lines]
    kind = record["kind"].value if "kind" in record else None
    if not texts or _NOTICE.search(texts[0]):
        return PhotoType.OTHER
    numbers = sum(text.isdigit() for text in texts)
    if any(map(_PLAN.search, texts[:3])):
        return PhotoType.PLAN
    if any(map(_BOARD.search, texts[:3])):
        return PhotoType.NAME_BOARD
    if numbers >= _PLAN_CELLS and 10 * numbers > 7 * len(texts):
        return PhotoType.PLAN
    if _shows_many(lines, texts, size_px):
        return PhotoType.OVERVIEW
    if kind == "memorial_list" or len(texts) >= _BOARD_LINES:
        return PhotoType.NAME_BOARD
    if kind == "collective":
        return PhotoType.COLLECTIVE_STONE
    if len(texts) <= 3 and all(map(_PLOT.match, texts)) and any(c.isdigit() for c in "".join(texts)):
        return PhotoType.NUMBER_PLATE
    if not any(name in record and record[name].value is not None for name in _LIFE):
        if _names_a_cemetery(texts):
            return PhotoType.GATE
        if _MONUMENT.search(" ".join(texts)) and not squeeze(_TRIBUTE.sub(" ", " ".join(texts))):
            return PhotoType.MONUMENT
    return PhotoType.HEADSTONE if _tells_of_dead(record, kind, texts) else PhotoType.OTHER


def _shows_many(lines: Sequence[Line], texts: Sequence[str], size_px: tuple[int, int] | None) -> bool:
    """Whether several stones are seen from afar: their headers repeat, or short small lines lie all over the frame."""
    if sum(bool(_HEADER.match(text)) for text in texts) >= _STONES_IN_VIEW:
        return True
    if size_px is None or len(lines) <= _FEW_LINES:
        return False
    quads = np.array([line.quad for line in lines])
    sizes = np.array([quad_size(quad) for quad in quads])
    extent = np.ptp(quads[..., 0])
    small = float(np.median(sizes[:, 1])) < _SMALL * max(size_px)
    return bool(small and sizes[:, 0].max() < _NARROW * size_px[0] and extent > _SPREAD * size_px[0])


def _names_a_cemetery(texts: Sequence[str]) -> bool:
    """Whether a few lines say where this is and nothing of a dead man; his header would stand on a line of its own."""
    if len(texts) > _FEW_LINES or any(map(_HEADER.match, texts)):
        return False
    named = [index for index, text in enumerate(texts) if _GATE.match(text)]
    others = [text for text in texts if not (_GATE.match(text) or _PLACE.match(text) or is_slogan(text))]
    return bool(named) and len(others) <= 1


def _tells_of_dead(record: Mapping[str, Field], kind: object, texts: Sequence[str]) -> bool:
    told = any(name in record and record[name].value is not None for name in ("name", "aliases", *_LIFE))
    if "not_a_grave" in (record["flags"].value if "flags" in record else ()):
        return False
    return kind not in (None, "other") and (told or kind == "unknown" or any("liet s" in text for text in texts))
