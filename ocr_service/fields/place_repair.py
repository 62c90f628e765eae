"""Misread provinces and districts, told by the chain that they make: a district that is there tells its province.

``Diễn Trường, Diễn Châu, Nghạ Ăn`` can only be in Nghệ An: three letters of the province are enough where its district
is cut before it. What is cut stays as cut; the names found are the normalised ones, and a flag says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from ocr_service.fields.gazetteer import District, Gazetteer, Province, gazetteer
from ocr_service.fields.place_parts import Part
from ocr_service.fields.syllables import is_syllable
from ocr_service.fields.text import fold, key, within_one_edit

_ADMIN_WORDS = ("huyen", "tinh", "xa", "phuong", "tp", "tx", "tt", "h", "t", "x")
_SHORT = 3  # letters of an abbreviated province, one too many included: CAO LÃNH - Đ7, which can only be Đồng Tháp
_CRUMB = 3  # letters of a broken word that stands before a name: Ử HÀ NỘI, 5T. BÌNH DƯƠNG


@dataclass(frozen=True, slots=True)
class _Chain:
    """A province, and the district of it that was cut before it, with the letters that were read wrongly."""

    province: Province
    district: District | None
    wrong_letters: int
    parts_used: int


def with_chain_repaired(parts: Sequence[Part]) -> list[Part] | None:
    """The parts with province and district named as the chain that exists has them; None where none is meant.

    Only for parts whose last is no province as it stands.
    """
    gaz = gazetteer()
    if not parts or parts[-1].level not in (None, "province", "city"):
        return None
    found = list(_chains(gaz, parts))
    best = min((chain.wrong_letters for chain in found), default=None)
    nearest = [chain for chain in found if chain.wrong_letters == best]
    if not nearest or len({chain.province.name for chain in nearest}) > 1:
        return None
    chain = max(nearest, key=lambda chain: chain.parts_used)
    rest = list(parts[: len(parts) - chain.parts_used])
    if chain.district is not None:
        rest[-1] = replace(rest[-1], name=chain.district.name, level="district")
    return [*rest, Part(chain.province.name, "", "province")]


def _chains(gaz: Gazetteer, parts: Sequence[Part]) -> Iterator[_Chain]:
    """Every province that the last parts may be a misreading of, with the district before it."""
    is_place = bool(gaz.districts(parts[-1].name) or gaz.communes_anywhere(parts[-1].name))
    for cut, used in _spellings(parts):
        for wrong, name in _near_provinces(cut):
            for province in gaz.provinces(name)[:1]:
                before = parts[: len(parts) - used]
                district, lost = _district(gaz, before[-1], province) if before else (None, 0)
                if district is not None:
                    if not (is_place and (lost or wrong > 1 or _holds(gaz, parts))):
                        yield _Chain(province, district, wrong + lost, used)
                elif wrong <= 1 and not is_place and used == 1 and _is_misread(parts[-1].name):
                    yield _Chain(province, None, wrong + 2, used)
    short = len(parts) > 1 and len(key(parts[-1].name)) <= _SHORT and _is_no_word(parts[-1].name)
    if short and not is_place and not gaz.abbreviated_provinces(parts[-1].name):
        around = {district.province: district for district in gaz.districts(parts[-2].name)}
        for name, district in around.items() if len(around) == 1 else ():
            yield from (_Chain(province, district, _SHORT, 1) for province in gaz.provinces(name)[:1])


def _spellings(parts: Sequence[Part]) -> Iterator[tuple[str, int]]:
    """What the province may be cut as: the last part, without a crumb before it, or joined with the part before it."""
    last = parts[-1].name
    yield key(last), 1
    first, _, others = last.replace(".", ". ").strip().partition(" ")
    if others and (len(first) <= _CRUMB or _is_admin_word(first)):
        yield key(others), 1
    glued = re.match(r"(?:tinh|t\.)(?=\S{4})", fold(last))
    if glued:
        yield key(last[glued.end() :]), 1
    if len(parts) >= 2 and len(key(last)) <= 6 and parts[-2].level in (None, "province", "district"):
        yield key(f"{parts[-2].name}{last}"), 2


def _is_admin_word(word: str) -> bool:
    bare = fold(word).strip(".")
    return any(within_one_edit(bare, known) for known in _ADMIN_WORDS if len(known) >= 4)


@lru_cache(maxsize=4096)
def _near_provinces(cut: str) -> tuple[tuple[int, str], ...]:
    """Provinces of any era with the number of letters by which they differ: one in three at most."""
    most = max(1, len(cut) // 3)
    distances = ((Levenshtein.distance(cut, name, score_cutoff=most), name) for name in gazetteer().province_keys)
    return tuple(sorted((distance, name) for distance, name in distances if distance <= most)) if len(cut) >= 4 else ()


def _district(gaz: Gazetteer, part: Part, province: Province) -> tuple[District | None, int]:
    """The district of a province that a part names or may be a misreading of, and by how many letters."""
    first, _, others = part.name.partition(" ")
    names = [part.name, *([others] if others and (_is_admin_word(first) or len(first) == 1) else [])]
    for name in names:
        exact = gaz.districts(name, province.reach)
        if exact:
            return exact[0], 0
    for name in names:
        near = {district.name: district for district in gaz.similar_districts(name, province.reach)}
        if len(near) == 1:
            return next(iter(near.values())), 1
    return None, 0


def _holds(gaz: Gazetteer, parts: Sequence[Part]) -> bool:
    """Whether the last two parts are a commune and its district as they stand."""
    return len(parts) > 1 and any(gaz.communes(parts[-2].name, district) for district in gaz.districts(parts[-1].name))


def _is_no_word(name: str) -> bool:
    """Whether letters are no syllables, and so neither a hamlet nor a commune of their own."""
    return not any(char.isspace() for char in name) and _is_misread(name)


def _is_misread(name: str) -> bool:
    return any(not is_syllable(word) for word in re.findall(r"\w+", name))
