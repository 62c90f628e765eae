"""Taking province, district and commune off the end of a hometown's parts, with the gazetteer's help.

Each function looks at the last part that is left, records it on the place and takes it off the list, or leaves it for
the next level. What is cut stays; the gazetteer's spelling is used where the letters agree, and a flag says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ocr_service.fields.gazetteer import Commune, District, Gazetteer, Province
from ocr_service.fields.place_parts import Part
from ocr_service.fields.syllables import is_syllable, with_tone_in_place
from ocr_service.fields.text import fold, key, title


@dataclass(slots=True)
class Place:
    """A hometown while it is being worked out."""

    hamlets: list[str] = field(default_factory=list)
    commune: str | None = None
    district: str | None = None
    province: str | None = None
    provinces: tuple[Province, ...] = ()
    districts: tuple[District, ...] = ()
    communes: tuple[tuple[District, Commune], ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)


def spelled(part: Part) -> str:
    """A part as cut, in title case, its hamlet word kept small: ``ấp 2``, ``thôn Quàn``."""
    name = " ".join(with_tone_in_place(word) for word in title(part.name).split())
    return f"{part.kind} {name}" if part.level == "hamlet" and part.kind else name


def provinces_63(gaz: Gazetteer, name: str | None) -> tuple[str, ...]:
    """The provinces of the 63-province era that a cemetery's province (of any era) covers."""
    if not name:
        return ()
    bare = re.sub(r"^(?:tỉnh|thành phố|tp\.?)\s+", "", name.strip(), flags=re.I)
    found = gaz.provinces(bare)
    today = [old for old, new in gaz.province_2025.items() if key(new) == key(bare)]
    return tuple(dict.fromkeys([*(p for province in found for p in province.successors), *today]))


def take_province(gaz: Gazetteer, parts: list[Part], place: Place, here: tuple[str, ...]) -> None:
    """Take the province; ``here`` are the provinces of the cemetery, in which abbreviations are sought first."""
    if not parts or parts[-1].level not in (None, "province", "city"):
        return
    last = parts[-1]
    if len(parts) >= 2 and parts[-2].level is None:
        joined = gaz.provinces(f"{parts[-2].name} {last.name}")
        if joined:
            parts.pop()
            parts[-1] = Part(f"{parts[-1].name} {last.name}", "", "province")
            last = parts[-1]
    found, how = _find_province(gaz, last, here)
    if not found or (last.level == "city" and how != "name" and not found):
        if last.level == "province":
            place.province = spelled(parts.pop())
        return
    if last.level != "province" and len(parts) == 1 and not found[0].historic and _rather_district(gaz, last, here):
        return
    parts.pop()
    same_letters = fold(last.name) == fold(found[0].name)
    if how == "similar" or (same_letters and not same_marks(last.name, found[0].name)):
        place.flags.append("gazetteer_fix")
    place.provinces = found


def _rather_district(gaz: Gazetteer, part: Part, here: tuple[str, ...]) -> bool:
    return part.level == "district" and bool(gaz.districts(part.name, here or None))


def _find_province(gaz: Gazetteer, part: Part, here: tuple[str, ...]) -> tuple[tuple[Province, ...], str]:
    found = gaz.provinces(part.name)
    if found and not same_marks(part.name, found[0].name) and part.level != "province" and _is_district(gaz, part):
        return (), ""  # Thạnh Hóa is a district, Thanh Hóa a province
    if found:
        return found[:1], "name"
    if part.short:
        shorts = gaz.abbreviated_provinces(part.name)
        local = tuple(p for p in shorts if set(p.reach) & set(here))
        if not local and here and gaz.abbreviated_districts(part.name, here):
            return (), ""
        if local or shorts:
            return (local or shorts), "short"
        return (), ""
    elsewhere = gaz.districts(part.name) or gaz.communes_anywhere(part.name)
    if not elsewhere and (part.level == "province" or is_misread(part.name)):
        similar = gaz.similar_provinces(part.name)
        first, _, others = part.name.partition(" ")
        if not similar and others and is_misread(first):
            similar = gaz.provinces(others) or gaz.similar_provinces(others)  # TỈ1H NGHỆ TĨNH
        names = {province.name for province in similar}
        if len(names) == 1:
            return similar[:1], "similar"
    return (), ""


def _is_district(gaz: Gazetteer, part: Part) -> bool:
    return any(same_marks(part.name, district.name) for district in gaz.districts(part.name))


def same_marks(cut: str, name: str) -> bool:
    """Whether the cut spelling is right, up to where the tone mark of oa, oe, uy stands."""
    left, right = title(cut).replace(" ", "").replace("-", ""), name.replace(" ", "").replace("-", "")
    return loose_spelling(left) == loose_spelling(right)


def loose_spelling(word: str) -> str:
    """A spelling in which both schools of tone marks, and i and y, are the same."""
    for old, new in (("oà", "òa"), ("oá", "óa"), ("oả", "ỏa"), ("oã", "õa"), ("oạ", "ọa"), ("oè", "òe"), ("oé", "óe")):
        word = word.replace(old, new)
    for old, new in (
        ("uỳ", "ùy"),
        ("uý", "úy"),
        ("uỷ", "ủy"),
        ("uỹ", "ũy"),
        ("uỵ", "ụy"),
        ("ỹ", "ĩ"),
        ("ý", "í"),
        ("ỳ", "ì"),
    ):
        word = word.replace(old, new)
    return word.lower().replace("y", "i")


def _reach(place: Place) -> tuple[str, ...] | None:
    if not place.provinces:
        return None
    return tuple(dict.fromkeys(p for province in place.provinces for p in province.reach))


def take_district(gaz: Gazetteer, parts: list[Part], place: Place, here: tuple[str, ...]) -> None:
    """Take the district, within the province if one was taken."""
    if (
        not parts
        or parts[-1].level not in (None, "district", "city")
        or (place.extra.get("country") and not place.provinces)
    ):
        return
    last, reach = parts[-1], _reach(place)
    if last.level is None and len(parts) >= 3 and parts[-2].level == "district":
        return
    found = gaz.districts(last.name, reach)
    if found:
        found = _exact_first(found, last.name)
        place.districts = found
        _name_district(place, parts.pop(), found[0].name)
        return
    where = reach or here
    if where and (last.short or "." in last.name):
        short = gaz.abbreviated_districts(last.name if not last.kind else last.cut, where)
        if short:
            parts.pop()
            place.districts, place.district = short, short[0].name
            if key(last.name) == "hn" and short[0].name == "Hồng Ngự":
                place.flags.append("HN_is_Hong_Ngu")
            return
    _take_odd_district(gaz, parts, place, reach, here)


def _take_odd_district(
    gaz: Gazetteer, parts: list[Part], place: Place, reach: tuple[str, ...] | None, here: tuple[str, ...]
) -> None:
    """A district that its province does not know: a misreading, a district of elsewhere, or a commune after all."""
    last = parts[-1]
    similar = gaz.similar_districts(last.name, reach or here or None)
    elsewhere = gaz.districts(last.name) if reach is not None else ()
    names = {district.name for district in similar}
    if (
        reach is not None
        and elsewhere
        and (len(parts) > 1 or last.level == "district" or not _is_commune(gaz, last, reach))
    ):
        place.district = spelled(parts.pop())
        place.flags.append("district_not_in_province")
        if names:
            place.extra["district_candidates"] = sorted(names)
            if len(names) == 1:
                place.extra["suggest"] = similar[0].name
        return
    believed = is_misread(last.name) or _holds_commune(gaz, similar, parts)
    if len(names) == 1 and believed and (reach is not None or here) and not _is_commune(gaz, last, reach or here):
        place.districts = similar
        parts.pop()
        place.district = similar[0].name
        place.flags.append("gazetteer_fix")
        return
    if last.level == "district" or (reach is not None and len(parts) >= 2):
        place.district = spelled(parts.pop())
        if names:
            place.extra["district_candidates"] = sorted(names)


def is_misread(name: str) -> bool:
    """Whether a name cannot have been meant so: one of its words is no syllable."""
    return any(not is_syllable(word) for word in name.split())


def _holds_commune(gaz: Gazetteer, districts: tuple[District, ...], parts: list[Part]) -> bool:
    return len(parts) > 1 and any(gaz.communes(parts[-2].name, district) for district in districts)


def _is_commune(gaz: Gazetteer, part: Part, where: tuple[str, ...]) -> bool:
    return part.level in (None, "commune") and bool(gaz.communes_anywhere(part.name, where))


def _exact_first(found: tuple[District, ...], name: str) -> tuple[District, ...]:
    exact = tuple(district for district in found if same_marks(name, district.name))
    return exact or found


def _name_district(place: Place, part: Part, name: str) -> None:
    place.district = name
    if part.kind:
        place.extra["district_type"] = part.kind
    _note_spelling(place, part.name, name)


def _note_spelling(place: Place, cut: str, name: str) -> None:
    moved = " ".join(with_tone_in_place(word) for word in title(cut).split())
    if not same_marks(moved, name):
        place.flags.append("gazetteer_fix")
    elif moved != title(cut):
        place.flags.append("tone_mark_fix")


def take_commune(gaz: Gazetteer, parts: list[Part], place: Place, here: tuple[str, ...]) -> None:
    """Take the commune, within the district if one was taken; a commune known only once settles its district."""
    if not parts or parts[-1].level not in (None, "commune", "hamlet"):
        return
    last = parts[-1]
    if last.level == "hamlet":
        whole = Part(f"{last.kind.capitalize()} {last.name}", "", None, last.cut)
        if not _is_whole_commune(gaz, last, whole.name, place):
            _take_commune_of_hamlet(gaz, parts, place)
            return
        parts[-1] = last = whole  # Bản Luốc is a commune
    if last.level is None and place.district is None and place.province is None and len(parts) == 1:
        known = gaz.communes_anywhere(last.name, here or None)
        if not known and last.kind == "":
            place.commune = spelled(parts.pop())
            return
    found = [(district, commune) for district in place.districts for commune in gaz.communes(last.name, district)]
    if not place.districts:
        found = list(gaz.communes_anywhere(last.name, _reach(place) or here or None))
    exact = [pair for pair in found if same_marks(last.name, pair[1].name)]
    names = {pair[1].name for pair in found}
    if exact:
        place.communes = tuple(exact)
        place.commune = exact[0][1].name
        _note_spelling(place, last.name, place.commune)
    elif place.districts and len(names) == 1:
        place.communes = tuple(found)
        place.commune = found[0][1].name
        _note_spelling(place, last.name, place.commune)
    else:
        place.commune = spelled(last)
        if names:
            place.extra["commune_candidates"] = sorted(names)
    parts.pop()
    if exact and not place.districts and not place.province:
        _settle_by_commune(place, found=tuple(exact))


def _is_whole_commune(gaz: Gazetteer, part: Part, name: str, place: Place) -> bool:
    """Whether a hamlet's word belongs to the name of a commune that lies here: Bản Luốc, Đội Cấn."""
    if part.name[:1].isdigit():
        return False
    districts = place.districts or (gaz.districts(place.district) if place.district else ())
    return any(gaz.communes(name, district) for district in districts) or bool(
        place.provinces and gaz.communes_anywhere(name, _reach(place))
    )


def _take_commune_of_hamlet(gaz: Gazetteer, parts: list[Part], place: Place) -> None:
    """``Thôn Nam Xuân Nguyễn Huệ``, without any sign: a hamlet, and the district's commune that its last words name."""
    words = parts[-1].name.split()
    for size in range(min(3, len(words) - 1), 0, -1):
        name = " ".join(words[-size:])
        if any(gaz.communes(name, district) for district in place.districts):
            parts[-1] = Part(" ".join(words[:-size]), parts[-1].kind, "hamlet", parts[-1].cut)
            parts.append(Part(name, "", None, name))
            take_commune(gaz, parts, place, ())
            return


def _settle_by_commune(place: Place, found: tuple[tuple[District, Commune], ...]) -> None:
    if len({(d.province, d.name) for d, _ in found}) == 1:
        place.districts = (found[0][0],)
        place.flags.append("completed_from_gazetteer")
