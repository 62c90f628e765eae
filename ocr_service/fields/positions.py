"""Posts: squad leader to commissar, and what people did who had no rank.

Codes are the toneless words joined by ``_``; commanders are named by the letter of their unit: ``a_truong``, ``e_pho``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ocr_service.fields.text import fold

_UNITS = {"tieu doi": "a", "trung doi": "b", "dai doi": "c", "tieu doan": "d", "trung doan": "e", "su doan": "f"}
_UNITS |= {"lu doan": "lu", "quan doan": "qd", "quan khu": "qk"}
_LONG = {letter: words.replace(" ", "_") for words, letter in _UNITS.items()}
_UNIT = r"tieu doi|trung doi|dai doi|tieu doan|trung doan|su doan|lu doan|quan doan|quan khu|[abcdef]"
_COMMANDER = re.compile(
    rf"(?<![a-z0-9])(?:(?P<deputy>pho)\s+)?(?P<unit>{_UNIT})\s*[.\-/]?\s*(?P<post>truong|pho|tr|ph)(?![a-z])\.?"
    rf"|(?<![a-z0-9])pho\s+(?P<of>{_UNIT})(?![a-z0-9])"
)
_COMMISSAR = re.compile(
    rf"(?<![a-z0-9])(?P<deputy>pho\s+)?(?P<post>c\.?t\.?v|chinh tri vien|chinh uy)(?P<after>\s*[.\-]?\s*pho)?"
    rf"(?:\s*[.\-]?\s*(?P<unit>{_UNIT}|huyen doi|xa doi|tinh doi)(?![a-z0-9]))?(?![a-z])"
)
_LOCAL = re.compile(r"(?<![a-z])(?P<unit>xa|ap|thon|huyen|quan|thi|tinh)\s+doi\s+(?P<post>truong|pho|chanh)(?![a-z])")
_PARTY = re.compile(
    r"(?<![a-z0-9])(?P<deputy>pho\s+)?(?:(?P<short>bt)|bi thu)\s+"
    r"(?P<of>chi bo|chi doan|dang bo|dang uy|doan|xa|huyen uy|tinh uy|xa doan|huyen doan)(?![a-z])"
)
_SHORT = re.compile(r"(?<![a-z0-9])(?P<unit>[abcdef])[./]?(?P<post>[tp])(?![a-z0-9])")
# (code, what stands for it on stones, folded)
_OTHERS: tuple[tuple[str, str], ...] = (
    ("chien_si", r"chien s[iy]|c\s?/\s?s[iy]?|c\.\s?s[iy]?\.?|cs|chien binh"),
    ("doi_vien", r"doi vien"),
    ("to_truong", r"to truong"),
    ("to_pho", r"to pho"),
    ("khau_doi_truong", r"khau doi truong"),
    ("doi_truong", r"doi truong"),
    ("doi_pho", r"doi pho"),
    ("y_ta", r"y ta"),
    ("y_si", r"y s[iy]"),
    ("bac_si", r"bac s[iy]"),
    ("duoc_si", r"duoc s[iy]"),
    ("duoc_ta", r"duoc ta"),
    ("cuu_thuong", r"cuu thuong"),
    ("tai_thuong", r"tai thuong"),
    ("giao_lien", r"giao lien"),
    ("giao_buu", r"giao buu"),
    ("trinh_sat", r"trinh sat"),
    ("dac_cong", r"dac cong"),
    ("lai_xe", r"lai xe|tai xe"),
    ("lien_lac", r"lien lac"),
    ("quan_ly", r"quan l[yi]"),
    ("van_thu", r"van thu"),
    ("thong_tin", r"thong tin"),
    ("co_yeu", r"co yeu"),
    ("phao_thu", r"phao thu"),
    ("xa_thu", r"xa thu"),
    ("cap_duong", r"cap duong|anh nuoi|chi nuoi|nuoi quan"),
    ("du_kich", r"du kich"),
    ("dan_quan", r"dan quan"),
    ("tnxp", r"tnxp|thanh nien xung phong"),
    ("dan_cong", r"dan cong"),
    ("huyen_uy_vien", r"huyen uy vien"),
    ("tinh_uy_vien", r"tinh uy vien"),
    ("chu_tich", r"chu tich"),
    ("pho_chu_tich", r"pho chu tich"),
    ("truong_cong_an", r"truong cong an"),
    ("cong_an", r"cong an"),
    ("candvt", r"candvt|cong an nhan dan vu trang"),
    ("tham_muu_truong", r"tham muu truong"),
    ("tham_muu_pho", r"tham muu pho"),
    ("chi_huy_truong", r"chi huy truong"),
    ("chi_huy_pho", r"chi huy pho"),
    ("chu_nhiem", r"chu nhiem"),
    ("tro_ly", r"tro l[yi]"),
    ("phai_vien", r"phai vien"),
    ("nhan_vien", r"nhan vien"),
    ("giao_vien", r"giao vien"),
    ("thuyen_truong", r"thuyen truong"),
    ("phi_cong", r"phi cong"),
    ("can_bo", r"can bo"),
)
_OTHER = re.compile(
    r"(?<![a-z0-9])(?:" + "|".join(f"(?P<{code}>{words})" for code, words in _OTHERS) + r")(?![a-z0-9])"
)
_LEVEL_WORD = re.compile(r"^(huyen|xa|tinh|thi)")


@dataclass(frozen=True, slots=True)
class PositionReading:
    """A post in a text and where it stands."""

    code: str
    span: tuple[int, int]
    flags: tuple[str, ...] = ()


def read_position(text: str, *, labelled: bool = True) -> PositionReading | None:
    """The first post in the text. ``labelled`` says that a post is expected, so that two-letter codes count."""
    folded = fold(text)
    found = [reading for reading in (_commissar(folded), _party(folded), _local(folded), _commander(folded)) if reading]
    other = _OTHER.search(folded)
    if other and (labelled or other.lastgroup not in ("thong_tin", "cong_an")):
        found.append(PositionReading(str(other.lastgroup), other.span()))
    if labelled and not found:
        short = _short(folded)
        if short:
            found.append(short)
    return min(found, key=lambda reading: (reading.span[0], -reading.span[1]), default=None)


def _commander(folded: str) -> PositionReading | None:
    match = _COMMANDER.search(folded)
    if not match:
        return None
    letter = match["unit"] or match["of"]
    letter = _UNITS.get(letter, letter)
    deputy = match["deputy"] or match["of"] or match["post"] in ("pho", "ph")
    return PositionReading(f"{letter}_{'pho' if deputy else 'truong'}", match.span())


def _commissar(folded: str) -> PositionReading | None:
    match = _COMMISSAR.search(folded)
    if not match:
        return None
    post = "chinh_uy" if match["post"] == "chinh uy" else "chinh_tri_vien"
    deputy = "_pho" if match["deputy"] or match["after"] else ""
    unit = match["unit"]
    level = "" if not unit else "_" + _LONG.get(_UNITS.get(unit, unit), unit.replace(" ", "_"))
    return PositionReading(post + deputy + level, match.span())


def _local(folded: str) -> PositionReading | None:
    match = _LOCAL.search(folded)
    if not match:
        return None
    post = "pho" if match["post"] == "pho" else "truong"  # chánh is the Southern word for trưởng
    return PositionReading(f"{match['unit']}_doi_{post}", match.span())


def _party(folded: str) -> PositionReading | None:
    match = _PARTY.search(folded)
    if not match:
        return None
    code = ("pho_" if match["deputy"] else "") + "bi_thu_" + match["of"].replace(" ", "_")
    return PositionReading(code, match.span(), ("BT_is_bi_thu",) if match["short"] else ())


def _short(folded: str) -> PositionReading | None:
    match = _SHORT.search(folded)
    if not match:
        return None
    code = f"{match['unit']}_{'truong' if match['post'] == 't' else 'pho'}"
    flags = ("ambiguous_code",) if match.group() in ("bt", "ct") else ()
    return PositionReading(code, match.span(), flags)
