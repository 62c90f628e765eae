"""Military ranks as stones cut them: words, abbreviations and the codes of the war years.

H1–H3 and the strokes ``1/ … 4//`` are the sergeants' and officers' codes that decorated lists use; B1 and B2 also name
platoons and theatres, and TS may be either of two ranks: such readings are candidates with a flag.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from ocr_service.fields.text import fold, key, within_one_edit

_WORDS = {
    "binh nhi": "binh_nhi",
    "binh nhat": "binh_nhat",
    "ha si": "ha_si",
    "trung si": "trung_si",
    "thuong si": "thuong_si",
    "chuan uy": "chuan_uy",
    "thieu uy": "thieu_uy",
    "trung uy": "trung_uy",
    "thuong uy": "thuong_uy",
    "dai uy": "dai_uy",
    "thieu ta": "thieu_ta",
    "trung ta": "trung_ta",
    "thuong ta": "thuong_ta",
    "dai ta": "dai_ta",
    "thieu tuong": "thieu_tuong",
    "trung tuong": "trung_tuong",
    "thuong tuong": "thuong_tuong",
    "dai tuong": "dai_tuong",
}
_CODES: dict[str, tuple[str, ...]] = {
    "h1": ("ha_si",),
    "h2": ("trung_si",),
    "h3": ("thuong_si",),
    "1/": ("thieu_uy",),
    "2/": ("trung_uy",),
    "3/": ("thuong_uy",),
    "4/": ("dai_uy",),
    "1//": ("thieu_ta",),
    "2//": ("trung_ta",),
    "3//": ("thuong_ta",),
    "4//": ("dai_ta",),
    "hs": ("ha_si",),
    "trs": ("trung_si",),
    "ths": ("thuong_si",),
    "cu": ("chuan_uy",),
    "du": ("dai_uy",),
    "bnhat": ("binh_nhat",),
    "bnhi": ("binh_nhi",),
    "ts": ("trung_si", "thuong_si"),
    "tsi": ("trung_si", "thuong_si"),
    "bn": ("binh_nhat", "binh_nhi"),
    "tu": ("thieu_uy", "trung_uy", "thuong_uy"),
    "tt": ("thieu_ta", "trung_ta", "thuong_ta"),
    "b1": ("binh_nhat",),
    "b2": ("binh_nhi",),
}
_ALONE_ONLY = frozenset({"cu", "du", "tu", "tt", "bn"})  # Du kích, tư lệnh …: only as the whole text
_FIRST = {"h": ("ha",), "ch": ("chuan",), "tr": ("trung",), "th": ("thuong", "thieu"), "d": ("dai",)}
_FIRST |= {"t": ("thieu", "trung", "thuong")}
_SECOND = {"si": ("si",), "sy": ("si",), "uy": ("uy",), "ui": ("uy",), "ta": ("ta",)}
_SLASHED = re.compile(r"^(h|ch|tr|th|t|d)[./]\s?(s[iy]|u[yi]|ta)$")
_DOUBTFUL = frozenset({"b1", "b2"})
# Without a label only words and the sergeants' codes are ranks; the rest would take names and units for ranks.
_WORD = re.compile(
    r"(?<![a-z])(?:binh\s?n(?:hat|hi)|(?:ha|trung|thuong)\s?s[iy]|chuan\s?u[yi]|(?:thieu|trung|thuong"
    r"|dai)\s?(?:u[yi]|ta|tuong))"
    r"(?![a-z])"
)
_CODE = re.compile(
    r"(?<![a-z0-9/])(h ?[123](?![0-9])|[1-4]\s?//?(?!\s?\d)|b\.?\s?nh(?:at|i)|b ?[12](?![0-9])|(?:h|ch|tr|th|t"
    r"|d)[./]\s?(?:s[iy]|u[yi]|ta)|h[./]?s(?:[iy])?|tr\.?s(?:[iy])?"
    r"|th\.?s(?:[iy])?|t[./]?s(?:[iy])?|b\.?n|c[./]?u|d[./]?u|t[./]?u|t[./]?t)(?![a-z])"
)
_SERGEANT = re.compile(r"(?<![a-z0-9/])h ?[123](?![0-9a-z])")


@dataclass(frozen=True, slots=True)
class RankReading:
    """A rank in a text: the code or, where it is open, None and the candidates; ``span`` is where it stands."""

    code: str | None
    candidates: tuple[str, ...]
    span: tuple[int, int]
    flags: tuple[str, ...] = ()


def read_rank(text: str, *, labelled: bool = True) -> RankReading | None:
    """The first rank in the text. ``labelled`` says that a rank is expected, so that bare codes count."""
    folded = fold(text)
    word = _WORD.search(folded)
    if word:
        return RankReading(_code_of(word.group()), (), word.span())
    match = (_CODE if labelled else _SERGEANT).search(folded)
    if match:
        code = re.sub(r"[.\s]", "", match.group())
        codes = _slashed(match.group()) or _codes(code)
        if codes and not (code in _ALONE_ONLY and len(folded.strip(" .,:-")) > 3):
            flags: tuple[str, ...] = ("ambiguous_code",) if len(codes) > 1 or code in _DOUBTFUL else ()
            if code.replace("/", "") == "hs":
                flags += ("HS_is_rank_here",)
            several = codes if len(codes) > 1 else ()
            return RankReading(None if several else codes[0], several, match.span(), flags)
    return _misread(text) if labelled else None


def _codes(code: str) -> tuple[str, ...]:
    return _CODES.get(code) or _CODES.get(re.sub(r"[./]", "", code)) or ()


def _slashed(cut: str) -> tuple[str, ...]:
    """``Ch/úy``, ``T/sĩ``: every rank whose words begin so; none for other codes."""
    match = _SLASHED.match(cut)
    if not match:
        return ()
    known = set(_WORDS.values())
    return tuple(code for first in _FIRST[match[1]] if (code := f"{first}_{_SECOND[match[2]][0]}") in known)


def _code_of(word: str) -> str | None:
    name = re.sub(r"\s+", "", word).replace("y", "i")
    return next((code for known, code in _WORDS.items() if key(known) == name), None)


def _misread(text: str) -> RankReading | None:
    """A rank with one letter read wrongly, if only one rank is as near."""
    words = [m.span() for m in re.finditer(r"[^\s,;:.\-/()]+", text)]
    for (start, _), (_, end) in pairwise(words):
        codes = _near(key(text[start:end]))
        if codes:
            code = codes[0] if len(codes) == 1 else None
            open_codes = codes if len(codes) > 1 else ()
            return RankReading(code, open_codes, (start, end), ("ocr_tone_fix",) if code else ())
    return None


@lru_cache(maxsize=4096)
def _near(cut: str) -> tuple[str, ...]:
    if len(cut) < 5:
        return ()
    return tuple(code for known, code in _WORDS.items() if within_one_edit(key(known), cut))
