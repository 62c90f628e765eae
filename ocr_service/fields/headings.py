"""Headings of stones: LIỆT SĨ, TỔ QUỐC GHI CÔNG, NƠI AN NGHỈ, forms of address and saints' names above the name."""

from __future__ import annotations

import re

from rapidfuzz.distance import Levenshtein

from ocr_service.fields import kinds
from ocr_service.fields.draft import Draft, Item
from ocr_service.fields.names import begins_with_surname, is_plausible_name, looks_like_name
from ocr_service.fields.syllables import is_syllable
from ocr_service.fields.text import fold, key, squeeze, within_one_edit

_BANNERS = ("nơi an nghỉ", "nơi yên nghỉ", "an nghỉ", "yên nghỉ", "phần mộ", "mộ phần", "mộ", "tưởng nhớ", "linh mộ")
_KIN = (
    "ông", "bà", "cụ", "cụ ông", "cụ bà", "bố", "mẹ", "cha", "anh", "chị", "thân phụ", "thân mẫu", "phụ thân",
    "mẫu thân", "hiển khảo", "hiển tỷ",
)  # fmt: skip
_ONE_HEADER = (
    "anh hùng llvtnd", "đời đời nhớ ơn các liệt sĩ", "liệt sĩ", "mộ liệt sĩ",
    "phần mộ liệt sĩ", "anh hùng liệt sĩ", "các anh hùng liệt sĩ", "tổ quốc ghi công",
    "ls", "l.sĩ", "phần mộ ls", "mộ ls", "bia mộ", "bia mộ liệt sĩ", "đồng chí", "mộ chí", "hiển khảo", "hiển tỷ",
    "thân phụ", "phụ thân", "mẫu thân", "thân mẫu", "mẹ", "bố", "cha", "hương linh", "hương hồn liệt sĩ",
    "vĩnh biệt", "liệt sĩ đồng chí",
    "quốc ghi công", "ghi công", "tổ quốc ghi", "liệt",  # an arc over the star, of which the reader saw a part
)  # fmt: skip
_HEADERS = frozenset(
    key(words)
    for words in (*_ONE_HEADER, *_BANNERS, *(f"{banner} {kin}" for banner in _BANNERS for kin in _KIN))
    if words not in ("mộ anh", "mộ chị")
)
# Baptismal names stand alone above the name of a Catholic; of a martyr's stone they would be the name itself.
_SAINTS = frozenset(
    {
        *("phero", "giuse", "gioan", "phaolo", "daminh", "phanxico", "phanxicoxavie", "phanxicoasisi", "anton"),
        *("giacobe", "vinhson", "gioanbaotixita", "baotixita", "toma", "mattheu", "mateo", "luca", "simon", "micae"),
        *("maria", "anna", "teresa", "terexa", "cecilia", "xexilia", "lucia", "luxia", "rosa", "mariamadalena"),
        *("monica", "matta", "isave", "augustino"),
    }
)
_NEED_MARKS = {"bo": "bố"}  # BỘ and BỒ are given names
_PERSON_WORDS = {"ong": "ông", "ba": "bà", "cu": "cụ", "cuong": "cụ ông", "cuba": "cụ bà", "anh": "anh", "chi": "chị"}
_PERSON_WORDS |= {"dongchi": "đ/c", "co": "cô"}
_PERSON_SPELLINGS = frozenset(_PERSON_WORDS.values()) | {"đồng chí"}
_ADDRESSED = {
    key(f"{banner} {kin}"): kin for banner in _BANNERS for kin in ("ông", "bà", "cụ ông", "cụ bà", "cụ", "anh", "chị")
}
# Two or three letters without marks are cô or ông only if the reader is sure of them: CO is also a crumb of a border.
_SURE_WORD = 0.8
_START = re.compile(
    r"^\s*(?:(?:mo|phan mo|bia mo)\s+)?(?P<hero>anh\s+hung\s+)?l[il1|]et\s*[s5][iyl1|](?![a-z])[\s:.\-]*"
    r"|^\s*(?P<short>ahls)(?![a-z])[\s:.\-]*|^\s*(?:ho\s+(?:va\s+)?)?ten\s+(?:liet\s*s[iy]\s+)?"
    r"|^\s*to\s*quoc\s*ghi\s*cong[\s:.\-]*|^\s*(?:noi an nghi|phan mo)(?:\s+(?:cua|ong|ba|cu))*[\s:.\-]+"
)
_HERO = re.compile(r"^\s*(?:anh hung\s*(?:llvt|luc luong vu trang)|ahllvt)")
_LABELLED = re.compile(r"^\s*(?P<word>[^:\d]{2,20}?)\s*[:\-]\s*(?P<name>[^:\d]+)$")
_SETS_UP = re.compile(r"\b(?:phung|kinh|lap\s+(?:mo|bia))\b")


def take_heading(draft: Draft, item: Item) -> tuple[bool, Item | None]:
    """Whether a line is a heading or starts with one, noted on the draft; and what is left of it to be read."""
    if _takes_whole(draft, item):
        return True, None
    labelled = None if _SETS_UP.search(fold(item.text)) else _LABELLED.match(item.text)
    if labelled and _spelled(labelled["word"]) in _PERSON_SPELLINGS and looks_like_name(labelled["name"]):
        draft.put("honorific", _PERSON_WORDS[key(labelled["word"])], item)
        return True, Item(None, labelled["name"], item.lines)
    if labelled and (key(labelled["word"]) in _HEADERS or is_saint(labelled["word"])):
        draft.head(labelled["word"], item)
        return True, Item(None, labelled["name"], item.lines)
    misread = _split_misread_start(item.text)
    if misread:
        if misread[0] == "dongchi":
            draft.put("honorific", "đ/c", item)
        else:
            draft.head(item.text.removesuffix(misread[1]), item)
        return True, Item(None, misread[1], item.lines)
    start = _START.match(fold(item.text))
    if not start or start.end() >= len(item.text.rstrip()) or kinds.is_unknown_wording(item.text):
        return False, None
    if kinds.tells_kind(item.text):
        return False, None
    draft.head(squeeze(item.text[: start.end()]).strip(" .:-"), item)
    if start["hero"] or start["short"]:
        draft.put("title", "AHLS", item)
    return True, Item(None, item.text[start.end() :], item.lines)


def is_saint(text: str) -> bool:
    """Whether a text is a baptismal name: ``PHÊ RÔ``, ``Maria``."""
    return key(text) in _SAINTS


def _takes_whole(draft: Draft, item: Item) -> bool:
    name = key(item.text)
    person = _PERSON_WORDS.get(name) if _spelled(item.text) in _PERSON_SPELLINGS or item.text.isascii() else None
    if person and item.text.isascii() and len(name) <= 3 and draft.sure(item) < _SURE_WORD:
        person = None
        if name not in _HEADERS:
            draft.unread.append(item)
            return True
    if person and not (name == "ba" and draft.has("name")):
        draft.put("honorific", person, item)
        if name not in _HEADERS:
            return True
    misread = _is_misread_header(name, item.text) or (" " not in item.text.strip() and _is_crumb_of_martyr(item.text))
    is_header = name in _HEADERS and not (name in _NEED_MARKS and _spelled(item.text) != _NEED_MARKS[name])
    if is_header or (misread and not is_plausible_name(item.text)):
        draft.head(item.text, item)
        if name.startswith(("anhhunglietsi", "cacanhhunglietsi")):
            draft.put("title", "AHLS", item)
        if name.startswith("anhhungllvt"):
            draft.put("title", "AHLLVTND", item)
        if name in _ADDRESSED:
            draft.put("honorific", _ADDRESSED[name], item)
        return True
    if is_saint(item.text) and not draft.has("name") and "liet" not in draft.headed():
        draft.head(item.text, item)
        return True
    if kinds.is_slogan(item.text) and not begins_with_surname(item.text):
        draft.head(item.text, item)
        return True
    if _HERO.match(fold(item.text)) and not re.search(r"\d", item.text):
        draft.put("title", "AHLLVTND", item)
        draft.head(item.text, item)
        return True
    return False


def _is_misread_header(name: str, text: str) -> bool:
    """Whether a key is a long header with a letter wrong, or two or three of the longest where a word is none."""
    if len(name) < _SHORTEST_MISREAD:
        return False
    allowed = 1 if len(name) < 8 or all(map(is_syllable, text.split())) else 2 if len(name) < 13 else 3
    return any(Levenshtein.distance(name, known, score_cutoff=allowed) <= allowed for known in _LONG_HEADERS)


def _is_crumb_of_martyr(text: str) -> bool:
    """``.SỸ``, ``LỎSỸ``: what a reader leaves of L.SỸ; no word of Vietnamese."""
    bare = text.strip(" .,")
    whole = len(bare) <= 4 and key(bare).endswith("si") and "/" not in bare
    return whole and (text.startswith(".") or (bare[0] in "lLI1|" and not is_syllable(bare)))


def _split_misread_start(text: str) -> tuple[str, str] | None:
    """A misread LIỆT SĨ or ĐỒNG CHÍ before a name, and the name: LIỆTBSĨ BÙI TÁ ĐẠI."""
    words = text.split()
    for count in (1, 2):
        rest = " ".join(words[count:])
        near = [known for known in ("lietsi", "dongchi") if within_one_edit(key("".join(words[:count])), known)]
        if near and begins_with_surname(rest) and len(words) - count >= 2:
            return near[0], rest
    return None


_SHORTEST_MISREAD = 5
_LONG_HEADERS = tuple(sorted(known for known in _HEADERS if len(known) >= 6))


def _spelled(text: str) -> str:
    return squeeze(text).strip(" .:,-").lower()
