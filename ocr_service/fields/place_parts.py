"""Cutting a hometown into its parts: by admin words, by signs, or by the gazetteer where a stone has neither."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ocr_service.fields.gazetteer import Province, gazetteer
from ocr_service.fields.text import fold, key

_HAMLET = r"thon|xom|ap|ban|lang|khom|khu pho|khu|to dan pho|to|tdp|kp|so nha|so|doi|buon|plei|phum|lien gia|khoi|ngo"
_ADMIN: tuple[tuple[str, str], ...] = (
    ("province", r"tinh|t\.(?!\s?[xpt]\.)|dac khu"),
    ("city", r"thanh pho|tp\.?|t\.p\.?"),
    ("district", r"huyen|h\.|h(?=\s[a-z])|thi xa|tx\.?|t\.x\.?|quan(?!\s*$)|q\."),
    ("commune", r"xa|x\.|phuong|p\.|thi tran|tt\.|t\.t\.?|tt(?=\s)|thi tu"),
    ("hamlet", rf"(?:{_HAMLET})|th\.|x[oó]m"),
)
_ADMIN_RE = re.compile(
    r"(?<![^\W_])(?:"
    + "|".join(f"(?P<{level}>{words})" for level, words in _ADMIN)
    + r")(?:\s+|(?<=\.)\s*|(?=\d))(?=[^\W_])"
)
_KINDS = {
    "x.": "xã",
    "p.": "phường",
    "tt.": "thị trấn",
    "h.": "huyện",
    "q.": "quận",
    "tt": "thị trấn",
    "tx": "thị xã",
    "th.": "thôn",
    "tp": "thành phố",
}
_SEPARATOR = re.compile(
    r"\s*[,;/|\u00b7]\s*|\s+-\s*|\s*-\s+|(?<=\w)-(?=\w)|(?<=[^\W\d_]{2})(?<!\b[Tt][Hh])\.\s+"
    r"|(?<=\s\d)\.\s+(?=[^\W\d_]{2})|(?<=\s\d\d)\.\s+(?=[^\W\d_]{2})|(?<=[^\W\d_]{2})(?<!\b[Tt][Hh])\.(?=[^\W\d_]{2})"
)
# Names whose own hyphen is no separator.
_HYPHENATED = re.compile(
    r"(?i)(bà rịa|gia lai|quảng nam|qn|gl|br|thừa thiên|tt|phan rang|vũng tàu|sài gòn|prey|svay|nghệ|tt)\s*-\s*"
    r"(vũng tàu|kon\s?tum|công tum|đà nẵng|đn|kt|vt|huế|tháp chàm|côn đảo|gia định|veng|rieng|tĩnh)(?![^\W_])"
)
_DOTTED = re.compile(r"(?<![^\W_])(TDP|TX|TP|TT|KP)\.\s*(?=[^\W_])", re.I)
_FORMER = re.compile(r"\(\s*(?:cũ|đặc khu)\s*\)", re.I)
_TWICE = re.compile(r"(?<![^\W_])[HQX]\.\s*(?=(?:H|QUẬN|Quận|TT|TX)[\s.])")
_NUMBERED = re.compile(r"^(\d{1,2})\s+([^\W\d_].+)$")
_JOINT = "\u2060"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a place: its name, the admin word cut before it, and the level that word means (None: no word)."""

    name: str
    kind: str
    level: str | None
    cut: str = ""

    @property
    def short(self) -> bool:
        """Whether the name is an abbreviation: ``HN``, ``L.A``, ``B.Tre``."""
        bare = self.name.replace(".", "").replace(" ", "").replace("-", "")
        one_word = " " not in self.name.replace(" - ", "-").strip()
        return "." in self.name or (len(bare) <= 4 and bare.isupper() and one_word)


def split_place(text: str) -> tuple[list[Part], bool]:
    """Parts, most specific first, and whether signs or admin words told them apart."""
    text = _TWICE.sub("", _FORMER.sub(" ", text))
    text = _DOTTED.sub(lambda m: f"{m.group(1)} ", text)
    held = _HYPHENATED.sub(lambda m: f"{m.group(1)} {_JOINT} {m.group(2)}", text)
    chunks = [chunk.strip(" .,;:-()'\"*") for chunk in _SEPARATOR.split(held)]
    parts: list[Part] = []
    for chunk in chunks:
        if chunk:
            parts += _by_admin_words(chunk.replace(f" {_JOINT} ", " - "), toneless=text.isascii())
    parts[-1:] = _without_short_tail(parts[-1]) if parts else []
    punctuated = len(chunks) > 1 or any(part.level for part in parts)
    if len(parts) == 1 and (parts[0].short or gazetteer().provinces(parts[0].name)):
        return parts, punctuated
    if len(parts) == 1 and parts[0].level is None and len(parts[0].name.split()) > 2:
        parts = _by_gazetteer(parts[0].name)
    elif len(parts) == 2 and gazetteer().provinces(parts[1].name) and _is_one_name(parts[0], parts[1]):
        return parts, punctuated
    elif parts and parts[-1].level is None and len(parts[-1].name.split()) > 3:
        parts = parts[:-1] + _by_gazetteer(parts[-1].name)
    elif len(parts) == 2 and parts[0].level is None and len(parts[0].name.split()) > 3:
        parts[:1] = _by_gazetteer(parts[0].name, gazetteer().provinces(parts[1].name))
    elif parts and _runs_on(parts[-1]):
        first, *others = _by_gazetteer(parts[-1].name)
        name = f"{parts[-1].kind.capitalize()} {first.name}" if first.name.isdigit() else first.name
        parts[-1:] = [Part(name, parts[-1].kind, parts[-1].level, parts[-1].cut), *others]
    return parts, punctuated


def _without_short_tail(part: Part) -> list[Part]:
    """``Cao Lãnh ĐT`` as its two parts: a district, and the abbreviation of a province that may hold it."""
    name, _, tail = part.name.rpartition(" ")
    if not name or part.level not in (None, "district", "city") or not 2 <= len(tail) <= 3 or not tail.isupper():
        return [part]
    gaz = gazetteer()
    reach = [province for found in gaz.abbreviated_provinces(tail) for province in found.reach]
    if not gaz.districts(name.removeprefix("H."), reach) or gaz.districts(part.name):
        return [part]
    return [Part(name.removeprefix("H."), part.kind, part.level, name), Part(tail, "", None, tail)]


def _is_one_name(part: Part, province: Part) -> bool:
    """Whether a part before its province is a single name: two words, or three that no district of it ends."""
    words = part.name.split()
    if len(words) != 3 or part.level is not None:
        return len(words) <= 3
    reach = [name for found in gazetteer().provinces(province.name) for name in found.reach]
    return bool(gazetteer().communes_anywhere(part.name, reach)) or not gazetteer().districts(words[-1], reach)


def _runs_on(part: Part) -> bool:
    """Whether a part after an admin word holds the parts above it too: ``huyện Tứ Kỳ Hải Dương``."""
    count = len(part.name.split())
    if part.level in ("district", "city"):
        return count > 2 and not gazetteer().districts(part.name)
    return part.level in ("hamlet", "commune") and count > 3


def _by_admin_words(chunk: str, *, toneless: bool) -> list[Part]:
    folded = fold(chunk)
    gaz = gazetteer()
    if gaz.districts(chunk) or gaz.provinces(chunk):
        return [Part(chunk, "", None, chunk)]
    marks = [match for match in _ADMIN_RE.finditer(folded) if _is_word(match, chunk, toneless)]
    if not marks:
        return [Part(chunk, "", None, chunk)]
    parts: list[Part] = []
    head = chunk[: marks[0].start()].strip(" ,.-")
    if head:
        parts.append(Part(head, "", None, head))
    for i, match in enumerate(marks):
        end = marks[i + 1].start() if i + 1 < len(marks) else len(chunk)
        name = chunk[match.end() : end].strip(" ,.-:")
        numbered = _NUMBERED.match(name)
        house = match.group().strip() in ("so", "so nha")
        if numbered and not house and str(match.lastgroup) in ("commune", "district", "hamlet"):
            parts.append(_part(match, numbered[1], chunk[match.start() : match.end()] + numbered[1]))
            following = _by_admin_words(numbered[2], toneless=toneless)
            parts += following if following[0].level else _by_gazetteer(numbered[2])
        elif name:
            parts.append(_part(match, name, chunk[match.start() : end].strip()))
    return parts


def _part(match: re.Match[str], name: str, cut: str) -> Part:
    word = cut[: match.end() - match.start()].strip().lower()
    gaz = gazetteer()
    level = str(match.lastgroup)
    if level == "province" and word in ("t.",) and not gaz.provinces(name) and gaz.abbreviated_provinces(f"T.{name}"):
        return Part(f"T.{name}", "", None, cut)
    if level == "district" and word in ("h.", "h") and " " not in name and not gaz.districts(name):
        return Part(f"H.{name}" if word == "h." else cut, "", None, cut)
    if level == "city":
        known = gaz.provinces(name)
        level = "province" if known and _is_city(known[0].name) else "district"
    if name.isdigit() and level in ("commune", "district"):
        name = f"{_KINDS.get(word, word).capitalize()} {int(name)}"
    return Part(name, _KINDS.get(word, word.rstrip(".")), level, cut)


def _is_city(name: str) -> bool:
    return key(name) in ("hanoi", "hochiminh", "haiphong", "danang", "cantho", "hue")


_SHORT_WORDS = frozenset({"tp", "tx", "tt"})
_UNIT_WORDS = frozenset({"xã", "huyện", "tỉnh", "phường", "thị trấn", "thị xã", "thành phố", "quận"})
# Words below the commune stand at the start of their part: elsewhere they are syllables of a name.
_LOCAL_WORDS = frozenset(
    {
        *("h", "tdp", "kp", "thôn", "xóm", "ấp", "bản", "làng", "khóm", "khu", "khu phố", "tổ", "tổ dân phố", "số nhà"),
        *("số", "đội", "buôn", "phum", "khối", "đặc khu"),
    }
)
_PLAIN_WORDS = _SHORT_WORDS | {"h", "khu", "tdp", "kp"}  # written without marks also where the rest has them


def _is_word(match: re.Match[str], chunk: str, toneless: bool) -> bool:
    """An admin word, not a syllable of a name: ``xã`` but not ``Xá``, ``thôn`` but not ``Thôn Nôi`` in Ngọc Thôn.

    ``toneless`` says that the whole place is cut without marks, so that ``quan`` may be a district.
    """
    word = chunk[match.start() : match.end()].strip().lower()
    if fold(word) == word and "." not in word and not toneless and word not in _PLAIN_WORDS:
        return False
    if "." in word or word in _SHORT_WORDS or word in _UNIT_WORDS:
        return True
    if word == "h" and match.start():
        return bool(gazetteer().districts(" ".join(chunk[match.end() :].split()[:2])))
    if word in _LOCAL_WORDS:
        return match.start() == 0
    return toneless


def _by_gazetteer(text: str, provinces: Sequence[Province] = ()) -> list[Part]:
    """A run of words without any sign: the longest province at its end, then the longest district before it."""
    gaz = gazetteer()
    words = text.split()
    tail: list[Part] = []
    reach = tuple(p for province in provinces for p in province.reach) or None
    for size in () if provinces else (4, 3, 2, 1):
        name = " ".join(words[-size:])
        if size <= len(words) and (
            gaz.provinces(name)
            or (size == 1 and Part(name, "", None).short and len(words) > 1 and gaz.abbreviated_provinces(name))
        ):
            tail.insert(0, Part(name, "", None, name))
            found = gaz.provinces(name)
            reach = tuple(p for province in found for p in province.reach) or None
            words = words[:-size]
            break
    for size, where in ((3, reach), (2, reach), (1, reach), (3, None), (2, None)):
        name = " ".join(words[-size:])
        if size <= len(words) and words and gaz.districts(name, where):
            tail.insert(0, Part(name, "", None, name))
            words = words[:-size]
            break
    if words:
        tail.insert(0, Part(" ".join(words), "", None, " ".join(words)))
    return tail
