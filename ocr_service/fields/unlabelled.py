"""What a line without a label is, told by its content and its place among the others.

``READERS`` are tried in order; the first that takes the item ends the search. What nobody takes is kept as unread.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ocr_service.fields import kinds
from ocr_service.fields.dates import read_date
from ocr_service.fields.draft import Draft, Item
from ocr_service.fields.graves import from_roster, put_plot, read_gathering
from ocr_service.fields.headings import take_heading
from ocr_service.fields.labelled import (
    put_name,
    put_year_pair,
    read_alias,
    read_hometown,
    read_rank_slot,
    read_remark,
    read_unit_slot,
)
from ocr_service.fields.locations import read_location
from ocr_service.fields.lone_dates import is_misread_date
from ocr_service.fields.names import (
    begins_with_surname,
    is_plausible_name,
    is_unfinished,
    likeness_to_name,
    looks_like_misread_name,
    looks_like_name,
    read_name,
)
from ocr_service.fields.places import is_exact_province, known_place
from ocr_service.fields.positions import read_position
from ocr_service.fields.ranks import read_rank
from ocr_service.fields.remarks import read_death_place, read_war
from ocr_service.fields.text import fold, key, squeeze, title, within_one_edit
from ocr_service.fields.units import read_force, read_unit

_ALIAS_LINE = re.compile(
    r"^\s*\(?\s*(?:tức|bí danh|tên thường gọi|tên khác|thường gọi)\s*:?\s*(?P<name>[^()\d]+?)\s*\)?\s*$", re.I
)
_BRACKETED = re.compile(r"^\s*\((?P<inside>[^()]*)\)\s*$")
_WATERMARK = re.compile(r"^\s*[\W\d_]*\s*$")
_CODE_ALONE = re.compile(r"^\s*[BCDĐGHKLMNPQRSTVX]{1,3}\d?\s*$")  # KB, NB, P2: no vowel, so no name
_LETTERS_AND_DATE = re.compile(
    r"^\W*(?:[a-z|]|\d[./]?[a-z])(?:[./, \-]{0,2}[a-z]){0,3}\W+(?:(?:ngay\s*)?\d{1,2}\s*[./\-]\s*)?"
    r"(?:(?:thang\s*)?\d{1,2}\s*[./\-]\s*)?(?:nam\s*)?[12i][09]\d\w?\s*$"
)
_NAME_AND_YEARS = re.compile(r"^(?P<name>\D{5,}?)[\s,:\-]+(?P<years>(?:18|19)\d\d\s*-\s*(?:19|20)\d\d)\s*$")
_DATE_ALONE = re.compile(r"^[\s(]*(?:ngay\s+)?[\d./\-\s]+(?:thang\s*\d+\s*)?(?:nam\s*\d+)?[\s).]*$")


def read_unlabelled(draft: Draft, item: Item) -> None:
    """Find out what an item without a label is and record it."""
    for reader in READERS:
        if reader(draft, item):
            return
    if item.text.strip():
        draft.unread.append(item)


def _nothing(draft: Draft, item: Item) -> bool:
    return not item.text.strip(" .,;:-_*+|\u00b7\"'~=#")


def _heading(draft: Draft, item: Item) -> bool:
    taken, rest = take_heading(draft, item)
    if rest is not None:
        read_unlabelled(draft, rest)
    return taken


def _unknown(draft: Draft, item: Item) -> bool:
    return kinds.is_unknown_wording(item.text)


def _kind_line(draft: Draft, item: Item) -> bool:
    if not kinds.tells_kind(item.text):
        return False
    folded = fold(item.text)
    if re.search(r"chuyen|doi ve|boc|dua ve|di doi|quy tap", folded):
        _relocation(draft, item)
    martyr = re.search(r"liet\s*s[iy]\s*:?\s+", folded)
    rest = item.text[martyr.end() :] if martyr else ""
    if begins_with_surname(rest) and looks_like_name(rest) and not draft.has("name"):
        put_name(draft, read_name(rest), item)
    return True


def _relocation(draft: Draft, item: Item) -> None:
    date = re.search(r"(?:\d{1,2}\s?[/.\-]\s?){0,2}(?:19|20)\d\d", item.text)
    burial: dict[str, str] = {}
    if date:
        value = read_date(date.group()).value
        draft.put("moved", value, item, raw=date.group())
        burial["date"] = value or ""
    where = re.search(
        r"(?:về|đến|sang|tới|ra|ve|VỀ|ĐẾN|SANG)\s+(?P<to>[^,;(]+?)(?=\s+(?:năm|ngày|NĂM|NGÀY)\b|\s*[,;(]|\s*\d|$)",
        item.text,
    )
    if where:
        burial["moved_to"] = squeeze(where["to"])
    if burial:
        draft.join("burial", burial, item)


def _remark(draft: Draft, item: Item) -> bool:
    if not draft.has("name") and begins_with_surname(item.text) and looks_like_name(item.text):
        return False  # PHÙNG THỎ … is a family name, not "phụng thờ"
    return read_remark(draft, item)


def _cemetery(draft: Draft, item: Item) -> bool:
    if not kinds.is_place_name_of_graves(item.text):
        return False
    draft.put("cemetery", squeeze(item.text), item)
    return True


def _garbled_date(draft: Draft, item: Item) -> bool:
    """A date behind a few letters of no sense, kept until the other dates are known."""
    if begins_with_surname(item.text):
        return False
    if not _LETTERS_AND_DATE.match(fold(item.text)) and not is_misread_date(item.text):
        return False
    draft.unread.append(item)
    return True


def _plot(draft: Draft, item: Item) -> bool:
    foot = draft.has("name") or bool(draft.headers)
    found = read_location(item.text, foot=foot)
    if found is None or (set(found) == {"raw"} and (begins_with_surname(item.text) or draft.is_doubtful(item))):
        return False
    if set(found) == {"raw"} and read_rank(item.text, labelled=False):
        return False
    if set(found) == {"raw"} and from_roster(draft) and read_unit(item.text).chain:
        return False
    put_plot(draft, found, item)
    return True


def _pair(draft: Draft, item: Item) -> bool:
    named = _NAME_AND_YEARS.match(item.text)
    if named and not draft.has("name") and begins_with_surname(named["name"]) and looks_like_name(named["name"]):
        put_name(draft, read_name(named["name"]), item)
        return put_year_pair(draft, named["years"], item)
    return put_year_pair(draft, item.text, item)


def _rank(draft: Draft, item: Item) -> bool:
    """``Trung tá NGUYỄN HỮU ĐĂNG``, ``HẠ SỶ``, ``H3, a trưởng``, ``ĐỒNG CHÍ ĐẠI TÁ``."""
    text = item.text
    rank = read_rank(text, labelled=False)
    lead = fold(text[: rank.span[0]]).strip(" .:,-") if rank else ""
    if rank and text[rank.span[0] :].lower().startswith("hà "):
        rank = None  # HÀ SỸ LAI is a person, hạ sĩ a rank
    if rank and (not lead or lead in ("dong chi", "d/c", "liet si", "co") or within_one_edit(key(lead), "dongchi")):
        rest = text[rank.span[1] :].strip(" .,:-")
        if begins_with_surname(rest) and looks_like_name(rest):
            draft.put("rank", rank.code, item, raw=text[rank.span[0] : rank.span[1]], flags=rank.flags)
            put_name(draft, read_name(rest), item)
        else:
            if lead in ("dong chi", "d/c"):
                draft.put("honorific", "đ/c", item)
            read_rank_slot(draft, item)
        return True
    position = read_position(text, labelled=False)
    if position and not text[: position.span[0]].strip(" .,:-(") and not begins_with_surname(text):
        read_rank_slot(draft, item)
        return True
    return False


def _date(draft: Draft, item: Item) -> bool:
    if not _DATE_ALONE.match(fold(item.text)) or not re.search(r"\d{4}|\d{1,2}\D\d{1,2}\D\d{2}", item.text):
        return False
    draft.dates.append(item)
    return True


def _alias(draft: Draft, item: Item) -> bool:
    named = _ALIAS_LINE.match(item.text)
    if named:
        read_alias(draft, Item("alias", named["name"], item.lines))
        return True
    inside = _BRACKETED.match(item.text)
    if not inside or not draft.has("name"):
        return False
    together = read_name(f"{draft.value('name') or 'X'} ({inside['inside']})")
    if together.aliases:
        read_alias(draft, Item("alias", ", ".join(together.aliases), item.lines))
    if together.variants:
        draft.put("name_variants", list(together.variants), item, flags=("name_variant",))
    if together.age is not None:
        draft.put("age", together.age, item)
    if together.years:
        reading = read_date(together.years)
        if reading.lunar:
            draft.put("lunar", reading.lunar, item, flags=reading.flags)
        else:
            put_year_pair(draft, together.years, item)
    return True


def _wrapped_name(draft: Draft, item: Item) -> bool:
    field = draft.fields.get("name")
    if field is None or field.raw is None or not is_unfinished(field.raw):
        return False
    if field.lines and item.lines and item.lines[0] - field.lines[-1] != 1:
        return False
    words = item.text.split()
    if not 1 <= len(words) <= 2 or not looks_like_name(item.text):
        return False
    whole = Item("name", f"{field.raw} {squeeze(item.text)}", (*field.lines, *item.lines))
    del draft.fields["name"]
    draft.fields.pop("name_status", None)
    put_name(draft, read_name(whole.text), whole)
    draft.flag("wrapped_name")
    return True


def _unit(draft: Draft, item: Item) -> bool:
    if draft.has("unit") or (begins_with_surname(item.text) and looks_like_name(item.text)):
        return False
    unit = read_unit(item.text)
    levels = [level for level, _ in unit.chain if level]
    words = re.findall(r"[^\W\d_]{3,}", item.text)
    spelled = re.match(
        r"\s*(?:đại đội|tiểu đoàn|trung đoàn|sư đoàn|sư|lữ|đoàn|quân khu|quân đoàn|bộ đội|mặt trận)\b", item.text, re.I
    )
    code = unit.theatre_code is not None and _CODE_ALONE.match(item.text) and not draft.is_doubtful(item)
    if code or unit.mailbox or (levels and (spelled or not words)) or (spelled and unit.found):
        read_unit_slot(draft, item)
        return True
    return False


def _force(draft: Draft, item: Item) -> bool:
    force = read_force(item.text)
    if force is None or begins_with_surname(item.text) or (not draft.has("name") and _is_below_header(draft, item)):
        return False  # BÀ HÙNG VĂN TẢI did not serve in transport
    draft.put("force", force, item)
    return True


def _name_first(draft: Draft, item: Item) -> bool:
    """A full name before anything else is known about the dead."""
    if draft.has("name") or not begins_with_surname(item.text) or not looks_like_name(item.text):
        return False
    if _is_rather_province(draft, item):
        return False
    if _is_guess(draft, item):
        return False
    put_name(draft, read_name(item.text), item)
    return True


def _name_read_otherwise(draft: Draft, item: Item) -> bool:
    """A line where the name stands and of which only another reading is one: MAI VĂN2ĐẮC, and MAI VĂN ĐẮC."""
    if draft.has("name") or not _is_below_header(draft, item) or is_plausible_name(item.text):
        return False
    if draft.is_doubtful(item):
        return False
    texts = (other.text for line in item.lines for other in draft.other_readings.get(line, ()))
    if not any(is_plausible_name(text) and looks_like_name(text) and likeness_to_name(text) >= 4 for text in texts):
        return False
    put_name(draft, read_name(item.text), item)
    return True


def _is_rather_province(draft: Draft, item: Item) -> bool:
    """``Thái Bình`` among the facts is a province, right below LIỆT SĨ it is a person."""
    return is_exact_province(item.text) and not _is_below_header(draft, item) and draft.has("birth")


def _is_below_header(draft: Draft, item: Item) -> bool:
    return any(header.lines and item.lines and item.lines[0] - header.lines[-1] == 1 for header in draft.headers)


def _place(draft: Draft, item: Item) -> bool:
    text = item.text
    year = re.search(r"\s(?:19|20)\d\d\s*$", text)
    bare = text[: year.start()] if year else text
    if not known_place(bare, draft.context.cemetery_province):
        return False
    whole_name = likeness_to_name(text) >= 3 or _is_below_header(draft, item)
    if not draft.has("name") and whole_name and not re.search(r"[-,;.]", text):
        return False  # LONG VĂN HUÊ
    if year:
        read_gathering(draft, item)
    elif not draft.has("hometown"):
        read_hometown(draft, item)
    else:
        return False
    return True


def _war(draft: Draft, item: Item) -> bool:
    war = read_war(item.text)
    if not war:
        return False
    draft.put("war", war, item)
    place = read_death_place(item.text)
    if place:
        draft.put("death_place", place, item, raw=place)
    return True


def _is_guess(draft: Draft, item: Item) -> bool:
    """Whether a text without a label is a name only if one believes letters that the reader guessed."""
    return draft.is_doubtful(item) and not is_plausible_name(item.text)


def _any_name(draft: Draft, item: Item) -> bool:
    text = item.text
    short_enough = len(text.split()) <= 5 or begins_with_surname(text)
    if draft.has("name") or not short_enough:
        return False
    if not looks_like_name(text) and not (draft.headers and looks_like_misread_name(text)):
        return False
    if _is_guess(draft, item):
        draft.doubtful_names.append(item)
        return True
    reading = read_name(text)
    if reading.status == "given_only" and reading.raw and len(reading.raw) < 2:
        return False
    put_name(draft, reading, item)
    return True


def _second_name(draft: Draft, item: Item) -> bool:
    """A further full name: two dead in one grave."""
    if not draft.has("name") or not looks_like_name(item.text) or likeness_to_name(item.text) < 3:
        return False
    if len(item.text.split()) < 3 and begins_with_surname(draft.fields["name"].raw or ""):
        return False
    if _is_guess(draft, item):
        return False
    name = read_name(item.text).name
    first = draft.fields["name"]
    if first.raw is None or likeness_to_name(first.raw) < likeness_to_name(item.text) - 1:
        # a saint's name, a heading or a misread label stood where the name was looked for
        draft.unread.append(Item(None, first.raw or "", first.lines))
        for field in ("name", "name_status", "aliases"):
            draft.fields.pop(field, None)
        for flag in first.flags:
            draft.flags.pop(flag, None)
        put_name(draft, read_name(item.text), item)
        return True
    others = draft.value("other_names") or []
    draft.put("other_names", [*others, name or title(item.text)], item, flags=("two_in_one",), replace=True)
    return True


def _sign(draft: Draft, item: Item) -> bool:
    return bool(_WATERMARK.match(item.text)) and len(item.text.strip()) <= 2


READERS: tuple[Callable[[Draft, Item], bool], ...] = (
    _nothing,
    _heading,
    _unknown,
    _remark,
    _kind_line,
    _cemetery,
    _wrapped_name,
    _name_read_otherwise,
    _garbled_date,
    _plot,
    _pair,
    _alias,
    _date,
    _rank,
    _unit,
    _name_first,
    _place,
    _war,
    _force,
    _any_name,
    _second_name,
    _sign,
)
