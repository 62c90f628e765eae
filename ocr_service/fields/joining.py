"""From lines to items: cut at labels, joined again where a field runs over a line's end."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from ocr_service.fields.draft import Draft, Item
from ocr_service.fields.kinds import is_slogan, is_unknown_wording
from ocr_service.fields.labels import Segment, cut_line
from ocr_service.fields.locations import read_location
from ocr_service.fields.names import begins_with_surname, is_unfinished
from ocr_service.fields.places import (
    district_within,
    is_district,
    is_exact_province,
    is_province,
    is_province_short,
    known_place,
    read_place,
)
from ocr_service.fields.remarks import read_award
from ocr_service.fields.text import fold
from ocr_service.records import Line

_LEVELS = ("commune_63", "district_63", "province")
_PLACES = ("hometown", "residence", "burial", "gathered")
_OPEN_END = re.compile(r"[-,;/:(]\s*$|(?:^|[-,;/]\s*)(?:xã|huyện|tỉnh|thôn|phường|quận|thị trấn)\s*$", re.I)
_ADMIN_START = re.compile(
    r"^\s*(?:(?:huyện|tỉnh|xã|thành phố|thị xã|quận|phường)\s|(?:tp|tx|h|t|x|q|p)\.\s*\S|(?:TP|TX|TT|H)\s+\S)", re.I
)
_UNIT_START = re.compile(
    r"^\s*(?:(?:đại đội|tiểu đoàn|trung đoàn|sư đoàn|quân khu|quân đoàn|mặt trận|lữ đoàn)\b|[cdef]\s?\d)", re.I
)
_DATE_START = re.compile(r"^[\s(]*(?:ngày|tháng|năm|\d{1,2}\s?[/.\-]|[12]\d{3}\b)", re.I)
_YEAR_ALONE = re.compile(r"^\W*năm\s*\d{4}\W*$", re.I)
_WHOLE_DATE = re.compile(r"\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2,4}")
_DATED = ("birth", "enlist", "death", "party", "lunar")
# (07 - 7 - GIÁP THÌN): the lunar twin of the date above it.
_BRACKETED_LUNAR = re.compile(r"^\s*\(\s*(?:ngay\s*)?\d{1,2}\D{1,7}\d{1,2}\D{1,7}[a-z]+\s+[a-z]+[\s)]*$")
_SIGNS = re.compile(r"[,;:.]")


def cut_and_join(draft: Draft, rows: Sequence[tuple[int, str]], lines: Sequence[Line]) -> list[Item]:
    """Items of an inscription in reading order; notes on the draft how its lines were laid out."""
    items: list[Item] = []
    for index, text in rows:
        segments = cut_line(text, index)
        _note_layout(draft, text, segments)
        for segment in segments:
            item = _item(segment)
            if segment.label is None and items and _continues(draft, items, item):
                continue
            items.append(item)
    if _side_by_side(lines, items):
        draft.flag("two_columns")
    return items


def _item(segment: Segment) -> Item:
    if segment.label is None and _BRACKETED_LUNAR.match(fold(segment.text)):
        return Item("lunar", segment.text.strip(" ()"), (segment.line,))
    verb = segment.label.verb if segment.label else ""
    return Item(segment.field, segment.text, (segment.line,), verb, segment.misread_label)


def _note_layout(draft: Draft, text: str, segments: Sequence[Segment]) -> None:
    labelled = [segment for segment in segments if segment.label]
    if len(labelled) < 2:
        return
    if any(segment.gap_before for segment in labelled[1:]):
        draft.flag("two_columns")
    elif not _SIGNS.search(text):
        draft.flag("no_punctuation")
    if len(labelled) >= 3 and not any(segment.gap_before for segment in labelled[1:]):
        draft.flag("one_line")


def _continues(draft: Draft, items: list[Item], item: Item) -> bool:
    """Join an item without a label to the last one where that is evidently unfinished. False if it stands alone."""
    last = items[-1]
    if not item.lines or not last.lines or item.lines[0] - last.lines[-1] > 2 or last.lines == item.lines:
        return False
    if last.field in _PLACES and _goes_on_as_place(draft, last, item):
        items[-1] = _joined(last, item)
        if last.field == "hometown" and last.text.strip():
            draft.flag("wrapped_hometown")
        return True
    if (last.field == "unit" and _goes_on_as_unit(last, item)) or (
        last.field in _DATED and _goes_on_as_date(last, item)
    ):
        items[-1] = _joined(last, item)
        return True
    if last.field == "name" and (not last.text.strip() or is_unfinished(last.text)) and len(item.text.split()) <= 5:
        if last.text.strip():
            draft.flag("wrapped_name")
        items[-1] = _joined(last, item)
        return True
    if last.field in ("rank", "position") and not last.text.strip():
        items[-1] = _joined(last, item)
        return True
    return False


def _joined(last: Item, item: Item) -> Item:
    text = f"{last.text} {item.text.strip()}".strip()
    if (
        last.field in _PLACES
        and last.text.strip()
        and not _OPEN_END.search(last.text)
        and item.text.strip()[0] not in "-,"
    ):
        text = f"{last.text.strip()}, {item.text.strip()}"
    return Item(last.field, text, (*last.lines, *item.lines), last.verb, last.misread_label)


def _goes_on_as_unit(last: Item, item: Item) -> bool:
    text = item.text
    if not text.strip() or begins_with_surname(text) or not re.search(r"\d", text) or _WHOLE_DATE.search(text):
        return False
    return not last.text.strip() or bool(_OPEN_END.search(last.text) or _UNIT_START.match(text))


def _goes_on_as_date(last: Item, item: Item) -> bool:
    text = item.text
    if _YEAR_ALONE.match(text) and re.search(r"\d", last.text) and not re.search(r"\d{4}", last.text):
        return True
    if not _DATE_START.match(text) or re.search(r"\d", last.text):
        return False
    return not is_unknown_wording(text) and not read_location(text)


def _goes_on_as_place(draft: Draft, last: Item, item: Item) -> bool:
    text = item.text.strip()
    if (
        not text
        or is_unknown_wording(text)
        or is_slogan(text)
        or read_award(text)
        or re.search(r"\d{4}", text)
        or read_location(text)
    ):
        return False
    if _OPEN_END.search(last.text) or _ADMIN_START.match(text) or text.startswith(("-", ",")):
        return True
    before = fold(last.text).strip(" .,:-")
    if not before:
        return known_place(text, draft.context.cemetery_province) or not begins_with_surname(text)
    if last.field not in ("hometown", "residence"):
        return known_place(text) and bool(re.search(r"[-,]", text))
    here = draft.context.cemetery_province
    so_far = read_place(last.text, here).value
    if is_exact_province(text) or _makes_a_chain(so_far, f"{last.text}, {text}", here):
        return True
    if not (known_place(text) or is_province_short(text) or is_district(text) or is_province(text)):
        return False
    if is_province(text) and district_within(re.split(r"[-,;/]", last.text.strip(" .,;-/"))[-1], text):
        return True  # a district that bears a province's name: ĐIỆN BIÊN / ĐIỆN BIÊN
    if not re.search(r"[-,;.]", last.text.strip(" .,;-")) and re.search(r"[-,;.]", text) and known_place(text):
        return True  # a commune that bears a province's name: BÌNH DƯƠNG / THĂNG BÌNH - QUẢNG NAM
    return "province" not in so_far and (is_province(text) or "district" not in so_far or not is_district(text))


def _makes_a_chain(so_far: Mapping[str, Any], joined: str, cemetery_province: str | None) -> bool:
    """Whether a line adds a district or commune that the gazetteer knows to the place before it: MỸ THỌ / CAO LÃNH."""
    whole = read_place(joined, cemetery_province).value
    return "province" in whole and any(level in whole and level not in so_far for level in _LEVELS)


def _side_by_side(lines: Sequence[Line], items: Sequence[Item]) -> bool:
    """Whether two labelled lines stand on one row of the stone."""
    labelled = sorted({item.lines[0] for item in items if item.field and item.lines and item.lines[0] < len(lines)})
    for left, right in pairwise(labelled):
        tops = [min(y for _, y in lines[i].quad) for i in (left, right)]
        feet = [max(y for _, y in lines[i].quad) for i in (left, right)]
        height = min(feet[0] - tops[0], feet[1] - tops[1])
        if height > 0 and min(feet) - max(tops) > 0.6 * height:
            return True
    return False
