"""Names of the dead: as cut, and in title case with what else stands beside them (aliases, titles, age, years).

A name is the one thing that is never guessed. Repaired are a surname or a syllable that cannot be Vietnamese and can
be only one other (``ĐẰO`` → ``Đào``), with a flag and the cut text kept; tones are never added to a toneless name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ocr_service.fields.syllables import is_syllable, repaired_marks, with_tone_in_place
from ocr_service.fields.text import fold, key, squeeze, title, within_one_edit

_MIDDLE = frozenset({"văn", "thị", "đình", "hữu", "xuân", "ngọc", "đức", "quang", "công", "duy", "trọng", "bá", "viết"})
_SOUTHERN_ORDER = frozenset({"hai", "ba", "tư", "năm", "sáu", "bảy", "bẩy", "tám", "chín", "mười", "út", "cả", "bé"})
_LABEL_WORDS = frozenset({"sinh", "quán", "vị", "hy", "hi", "ngũ", "bậc", "quê"})
_HONORIFIC = re.compile(
    r"^\s*(?:(?P<dc>đ\s?[/.]\s?c\.?|đồng\s+chí|đc\.?(?=\s))|(?P<other>cụ\s+ông|cụ\s+bà|ông(?=\s*:)|bà(?=\s*:)|ông"
    r"|bà|cụ|anh|chị|em|cô|chú|bác)(?=[\s:]))"
    r"\s*:?\s*",
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
_WORD = r"[^\W\d_][^\W\d_'’]*"
_NAME = re.compile(rf"^(?:{_WORD}\.?|{_WORD}\.{_WORD}\.)(?:[ \-.]+(?:{_WORD}\.?|{_WORD}\.{_WORD}\.?))*$")
_ILLEGIBLE = re.compile(r"\.{2,}|[…?*_]|\b[xX]{2,}\b")
_ABBREVIATED = {"ng": "Nguyễn", "tr": "Trần", "ph": "Phạm", "h": "Hoàng", "l": "Lê", "đ": "Đặng", "v": "Võ"}


@lru_cache(maxsize=1)
def _surname_list() -> tuple[str, ...]:
    text = (Path(__file__).with_name("data") / "surnames.txt").read_text("utf-8")
    return tuple(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


@lru_cache(maxsize=1)
def surnames() -> frozenset[str]:
    """Family names, lower case."""
    return frozenset(name.lower() for name in _surname_list())


@lru_cache(maxsize=1)
def _toneless_surnames() -> dict[str, str]:
    return {fold(name): name for name in reversed(_surname_list())}


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
    return len(words) >= 2 and _is_surname(words[0])


def _is_surname(word: str) -> bool:
    """A family name, or what can only be a toneless or misread one."""
    if word.lower() in surnames():
        return True
    bare = fold(word)
    if bare not in _toneless_surnames():
        return False
    return word.isascii() or not is_syllable(word) or bare in ("nguyen", "tran", "pham", "hoang", "huynh", "truong")


def looks_like_name(text: str) -> bool:
    """Whether a text without a label can be a whole person's name."""
    bare = _without_header(_HONORIFIC.sub("", re.sub(r"\([^)]*\)?", "", text))).strip(" .,;:-\"'*+|")
    if not bare or len(bare.split()) > 6 or not re.search(r"[^\W\d_]{2}", bare):
        return False
    if _ILLEGIBLE.search(bare):
        return begins_with_surname(_ILLEGIBLE.sub("", bare))
    return bool(_NAME.match(bare))


def likeness_to_name(text: str) -> int:
    """How much a text is like a full name, 0 to 7: its family name, its middle part, its length."""
    words = _without_header(_HONORIFIC.sub("", re.sub(r"\([^)]*\)?", "", text))).split()
    if not 1 < len(words) <= 6:
        return 0
    first = 3 if _is_surname(words[0]) else 2 if _surname(title(words[0])) else 0
    middle = words[1].lower() if len(words) > 2 else ""
    return (
        first
        + (2 if middle in _MIDDLE else 1 if middle and _middle(middle) else 0)
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
    raw = squeeze(bare).strip(" ,;:-\"'*+|")
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
        said = "đ/c" if honorific["dc"] else " ".join(honorific.group().lower().split()).strip(" :")
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
    if name is None or _ILLEGIBLE.search(raw):
        return "illegible"
    words = raw.lower().split()
    if own_alias or (len(words) == 2 and words[0] in _SOUTHERN_ORDER and words[0] != "ba"):
        return "alias_only"
    if len(words) == 1 and "." not in raw:
        return "alias_only" if honorific and words[0] in _SOUTHERN_ORDER else "given_only"
    if len(words) == 2 and words[0] == "ba":
        return "alias_only"
    return "full"


def normalised(raw: str) -> tuple[str | None, tuple[str, ...]]:
    """A name in title case, with impossible syllables repaired where only one repair is possible; and the flags."""
    if not raw:
        return None, ()
    flags: list[str] = []
    if "." in raw and not _ILLEGIBLE.search(raw):
        return _abbreviated(raw)
    words = title(raw).split()
    if raw.isascii():
        return " ".join(words), _plain_letter_flags(words)
    for i, word in enumerate(words):
        placed = with_tone_in_place(word)
        if placed != word:
            words[i] = placed
            flags.append("tone_mark_fix")
        if i == 0 and len(words) > 1 and word.lower() not in surnames():
            repaired = _surname(word)
            if repaired:
                words[i] = repaired
                flags.append("surname_fix")
                continue
        if not is_syllable(word):
            mended = _middle(word) if 0 < i < len(words) - 1 else None
            mended = mended or repaired_marks(word)
            if mended:
                words[i] = mended
                flags.append("ocr_tone_fix")
    if any(word.lower() in _LABEL_WORDS for word in words[1:]):
        flags.append("name_contains_label_word")
    return " ".join(words), tuple(dict.fromkeys(flags))


def _plain_letter_flags(words: list[str]) -> tuple[str, ...]:
    """A name without any mark is toneless unless it may be so by nature (``Mai Lan``, ``Lam Sơn`` has one)."""
    if len(words) < 2 or (all(is_syllable(word) for word in words) and words[0].lower() in surnames()):
        return ()
    return ("no_diacritics", "name_tone_uncertain")


@lru_cache(maxsize=2048)
def _surname(word: str) -> str | None:
    """The family name that a word which is none must be: same letters, or one letter off a frequent one."""
    if is_syllable(word) and fold(word) not in _toneless_surnames():
        return None
    same = [name for name in _surname_list() if fold(name) == fold(word)]
    if not is_syllable(word) and same:
        return same[0]
    if is_syllable(word):
        return None
    frequent = _surname_list()[:40]
    near = [name for name in frequent if len(name) >= 3 and within_one_edit(fold(name), fold(word))]
    return near[0] if len(near) == 1 else None


def _middle(word: str) -> str | None:
    near = [middle for middle in ("văn", "thị", "xuân", "đình") if within_one_edit(fold(middle), fold(word))]
    same = [middle for middle in near if fold(middle) == fold(word)]
    chosen = same or near
    return title(chosen[0]) if len(chosen) == 1 else None


def _abbreviated(raw: str) -> tuple[str, tuple[str, ...]]:
    """``NG.NG. BÍCH`` → ``Nguyễn Ng. Bích``: a family name is expanded where only one begins so, the rest is not."""
    words = [word for word in re.split(r"\s+|(?<=\.)", raw) if word]
    out = [title(word) for word in words]
    stem = words[0].rstrip(".").lower()
    if words[0].endswith(".") and stem in ("ng", "tr", "ph"):
        out[0] = _ABBREVIATED[stem]
    return " ".join(out), ("abbrev_name",)
