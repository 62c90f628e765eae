"""Names of the dead: as cut, and in title case with what else stands beside them (aliases, titles, age, years).

A name is the one thing that is never guessed. Repaired are a surname or a syllable that cannot be Vietnamese and can
be only one other (``ĐẰO`` → ``Đào``), with a flag and the cut text kept; tones are never added to a toneless name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ocr_service.fields.name_spelling import ILLEGIBLE, family_name_of, is_surname, middle_part, normalised, surnames
from ocr_service.fields.syllables import is_bare_syllable, is_syllable
from ocr_service.fields.text import fold, key, squeeze, title, within_one_edit

_MIDDLE = frozenset({"văn", "thị", "đình", "hữu", "xuân", "ngọc", "đức", "quang", "công", "duy", "trọng", "bá", "viết"})
_SOUTHERN_ORDER = frozenset({"hai", "ba", "tư", "năm", "sáu", "bảy", "bẩy", "tám", "chín", "mười", "út", "cả", "bé"})
_HONORIFIC = re.compile(
    r"^\s*(?:(?P<dc>đ\s?[/.]\s?c\.?|đồng\s+chí|đc\.?(?=\s))|(?P<other>cụ\s+ông|cụ\s+bà|ông(?=\s*:)|bà(?=\s*:)|ông"
    r"|bà|cụ|anh|chị|em|cô|chú|bác)(?=[\s:.]))"
    r"\s*[:.]?\s*",
    re.I,
)
# On the folded text: LIỆT 5Ĩ, LIÊT SỸ, L.SĨ, LS.
_MARTYR = re.compile(
    r"^\s*(?:mo\s+)?(?P<hero>anh\s+hung\s+)?(?:l[il1|]et\s*[s5][iyl1|]|l\.?\s?s[iy]|l\.?s)(?![a-z])[\s.:\-]*(?=\S)"
)
_HERO = re.compile(r"\b(?:ahlltvt(?:nd)?|ahllvt(?:nd)?|anh hung (?:luc luong vu trang(?: nhan dan)?|llvt(?:nd)?))\b")
_ALIAS = re.compile(
    r"[\s,\-]*(?:\b(?:tức|bí\s+danh|tên\s+(?:thường\s+gọi|khác|gọi\s+khác)|còn\s+gọi\s+là|thường\s+gọi|gọi\s+là|b/d"
    r"|bd)\b)"
    r"\s*(?:là\s+)?[:.]?\s*(?P<alias>[^()]*)$",
    re.I,
)
_AGE = re.compile(r"(?<!\d)(\d{1,3})\s*tuoi\b|\btuoi\s*:?\s*(\d{1,3})(?!\d)")
_FULL_STOP = re.compile(r"(?<=[^\W\d_]{3})\.$")  # of a sentence, not of an abbreviation
_WORD = r"[^\W\d_][^\W\d_'’]*"
_NAME = re.compile(rf"^(?:{_WORD}\.?|{_WORD}\.{_WORD}\.)(?:[ \-.]+(?:{_WORD}\.?|{_WORD}\.{_WORD}\.?))*$")


# What was said of the words that another name stands for now.
_SPELLING_FLAGS = ("illegible_name", "surname_unclear")


@dataclass(frozen=True, slots=True)
class NameReading:
    """A person as cut. ``raw`` is the name alone; ``status`` is full, given_only, alias_only, illegible or unknown."""

    raw: str
    name: str | None
    status: str
    aliases: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    honorific: str | None = None
    hero: str | None = None
    age: int | None = None
    years: str | None = None
    rest: str = ""
    flags: tuple[str, ...] = ()


def begins_with_surname(text: str) -> bool:
    """Whether the first word is a family name, tones ignored, and at least one more word follows."""
    words = _without_header(_HONORIFIC.sub("", text)).replace(".", ". ").split()
    return len(words) >= 2 and is_surname(words[0])


def is_plausible_name(text: str) -> bool:
    """Whether a text is a family name and Vietnamese syllables throughout; a text without any mark may lack them."""
    words = re.findall(r"[^\W\d_]+", _without_header(_HONORIFIC.sub("", re.sub(r"\([^)]*\)?", "", text))))
    if len(words) < 2 or not is_surname(words[0]):
        return False
    return is_spelled_possibly(" ".join(words[1:]))


def is_spelled_possibly(text: str) -> bool:
    """Whether every word can be a Vietnamese syllable; in a text without any mark they may be missing."""
    known = is_bare_syllable if text.isascii() else is_syllable
    return all(known(word) for word in re.findall(r"[^\W\d_]{2,}", text))


def looks_like_name(text: str) -> bool:
    """Whether a text without a label can be a whole person's name."""
    bare = _without_header(_HONORIFIC.sub("", re.sub(r"\([^)]*\)?", "", text))).strip(" .,;:-\"'*+|")
    if not bare or len(bare.split()) > 6 or not re.search(r"[^\W\d_]{2}", bare):
        return False
    if ILLEGIBLE.search(bare):
        return begins_with_surname(ILLEGIBLE.sub("", bare))
    return bool(_NAME.match(bare))


def likeness_to_name(text: str) -> int:
    """How much a text is like a full name, 0 to 7: its family name, its middle part, its length."""
    words = _without_header(_HONORIFIC.sub("", re.sub(r"\([^)]*\)?", "", text))).split()
    if not 1 < len(words) <= 6:
        return 0
    first = 3 if is_surname(words[0]) else 2 if family_name_of(title(words[0])) else 0
    middle = words[1].lower() if len(words) > 2 else ""
    return (
        first
        + (2 if middle in _MIDDLE else 1 if middle and middle_part(middle) else 0)
        + (1 if len(words) in (3, 4) else 0)
    )


def looks_like_misread_name(text: str) -> bool:
    """Whether a text may be a full name in which the reader took a letter or two for a digit or a sign."""
    odd = re.findall(r"[^\W_]*[\d:/|!*+?&=][^\W_]*", text)
    return (
        2 <= len(text.split()) <= 5
        and 0 < len(odd) <= 2
        and len(re.findall(r"\d", text)) <= 2
        and likeness_to_name(text) >= 3
    )


def _without_header(text: str) -> str:
    header = _MARTYR.match(fold(text))
    return text[header.end() :] if header else text


def is_unfinished(text: str) -> bool:
    """Whether a name stops after its middle part, as ``TRẦN VĂN``, so that the next line must go on."""
    words = text.split()
    return (
        2 <= len(words) <= 3 and words[-1].lower() in _MIDDLE - {"ngọc", "đức", "quang"} and begins_with_surname(text)
    )


def read_name(text: str) -> NameReading:
    """Take a name line apart; the parts in brackets become aliases, variants, age or years."""
    martyr = _MARTYR.match(fold(text))
    hero = "AHLS" if martyr and martyr["hero"] else ("AHLLVTND" if _HERO.search(fold(text)) else None)
    text = _without_header(text)
    honorific = _HONORIFIC.match(text)
    if honorific and not (honorific["other"] and _is_surname_ong(text)):
        text = text[honorific.end() :]
    else:
        honorific = None
    aliases: list[str] = []
    variants: list[str] = []
    brackets = re.findall(r"\(([^()]*)\)?", text)
    bare = re.sub(r"\([^()]*\)?", " ", text)
    alias = _ALIAS.search(bare)
    if alias:
        bare = bare[: alias.start()]
        aliases += _several(alias["alias"])
    age = _AGE.search(fold(bare))
    if age:
        bare = bare[: age.start()] + bare[age.end() :]
    raw = _FULL_STOP.sub("", squeeze(bare).strip(" ,;:-\"'*+|"))
    name, flags = normalised(raw)
    own_alias = bool(alias) and not raw
    years, rest, stated = None, [], int(age[1] or age[2]) if age else None
    for inside in brackets:
        kind, value = _bracket(inside, name)
        if kind == "alias":
            aliases += _several(str(value))
        elif kind == "variant":
            variants.append(str(value))
            flags += ("name_variant",)
        elif kind == "age":
            stated = int(value)
        elif kind == "years":
            years = inside
        elif kind == "self":
            own_alias = True
        else:
            rest.append(inside)
    if name and not _NAME.match(name):
        name, flags = None, (*flags, "illegible_name")
    if own_alias and not raw and aliases:
        raw, name = aliases[0], aliases[0]
    status = _status(raw, name, own_alias, honorific is not None)
    if status == "alias_only" and name and name not in aliases:
        aliases.insert(0, name)
    if status == "illegible":
        name, flags = None, tuple(dict.fromkeys((*flags, "illegible_name")))
    said = None
    if honorific:
        said = "đ/c" if honorific["dc"] else " ".join(honorific.group().lower().split()).strip(" :.")
    return NameReading(
        raw,
        name,
        status,
        tuple(dict.fromkeys(aliases)),
        tuple(variants),
        said,
        hero,
        stated,
        years,
        " ".join(rest),
        flags,
    )


def illegible(reading: NameReading) -> NameReading:
    """The same reading as a name that could not be made out: what was read stays in ``raw``, nothing is claimed."""
    flags = tuple(dict.fromkeys((*reading.flags, "illegible_name")))
    return replace(reading, name=None, status="illegible", aliases=(), variants=(), honorific=None, flags=flags)


def with_name(reading: NameReading, name: str | None, flag: str) -> NameReading:
    """The same reading with another name as its value, and a flag that says why; what was read stays in ``raw``."""
    if name == reading.name:
        return reading
    flags = (*(known for known in reading.flags if known not in _SPELLING_FLAGS), flag)
    status = _status(reading.raw, name, own_alias=False, honorific=reading.honorific is not None)
    return replace(reading, name=name, status=status, flags=flags)


def _is_surname_ong(text: str) -> bool:
    """``Ông Hải Bính`` is a full name of the family Ông; ``Ông Bảy``, ``ÔNG: …`` and ``Ông Nguyễn Văn An`` are not."""
    words = text.split()
    if fold(words[0]) != "ong" or len(words) != 3:
        return False
    return words[1].lower() not in surnames() or words[1].lower() in (
        "hải",
        "văn",
        "ngọc",
        "quang",
        "xuân",
        "kim",
        "thế",
    )


def _several(text: str) -> list[str]:
    return [title(part.strip(" .:\"'")) for part in re.split(r"[,;/]|\s-\s", text) if part.strip(" .:\"'")]


def _bracket(inside: str, name: str | None) -> tuple[str, str | int]:
    folded = fold(inside).strip()
    age = _AGE.search(folded)
    if age:
        return "age", int(age[1] or age[2])
    if folded in ("bi danh", "biet danh", "ten thuong goi"):
        return "self", ""
    if re.search(r"\d", folded):
        return "years", inside
    if folded in ("nu", "nam") or re.match(r"(?:vo|chong|con|chau|me|cha|bo|dau)\s", folded):
        return "other", inside
    alias = _ALIAS.match(inside)
    if alias and alias["alias"].strip():
        return "alias", alias["alias"]
    word = squeeze(inside).strip(" .:")
    if not word or not _NAME.match(word):
        return "other", inside
    given = (name or "").split()[-1:]
    same_length = name is not None and len(word.split()) == len(name.split())
    if given and len(word.split()) == 1 and _may_be_variant(word, given[0]):
        return "variant", " ".join([*(name or "").split()[:-1], title(word)])
    if same_length and _may_be_variant(word, name or ""):
        return "variant", title(word)
    return "alias", word


def _may_be_variant(word: str, given: str) -> bool:
    """The same letters with other marks, or one letter apart in a longer name."""
    return fold(word) == fold(given) or (len(given) >= 4 and within_one_edit(key(word), key(given)))


def _status(raw: str, name: str | None, own_alias: bool, honorific: bool) -> str:
    if not raw:
        return "unknown"
    if name is None or ILLEGIBLE.search(raw):
        return "illegible"
    words = raw.lower().split()
    if own_alias or (len(words) == 2 and words[0] in _SOUTHERN_ORDER and words[0] != "ba"):
        return "alias_only"
    if len(words) == 1 and "." not in raw:
        return "alias_only" if honorific and words[0] in _SOUTHERN_ORDER else "given_only"
    if len(words) == 2 and words[0] == "ba":
        return "alias_only"
    return "full"


def without_surname_fix(reading: NameReading, readings: Iterable[str]) -> NameReading:
    """The reading with its family name as cut, if another reading of the line has a word there that is another name.

    ``readings`` are the other readings of the whole line; only those with the same words behind the family name count.
    """
    first, _, rest = reading.raw.partition(" ")
    if "surname_fix" not in reading.flags or not rest or reading.name is None:
        return reading
    fixed = reading.name.split()[0]
    for other in readings:
        before = other.partition(rest)[0].split() if rest in other else []
        word = title(before[-1]) if before else title(first)
        family = word if word.lower() in surnames() else family_name_of(word)
        if word != title(first) and family != fixed:
            flags = tuple("surname_unclear" if flag == "surname_fix" else flag for flag in reading.flags)
            return replace(reading, name=" ".join([title(first), *reading.name.split()[1:]]), flags=flags)
    return reading
