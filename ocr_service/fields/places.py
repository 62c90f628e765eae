"""Hometowns: as cut, in the 63-province era, and since 2025.

``Hiệp Cát – Nam Sách – Hải Hưng`` is cut; Hải Hưng's district Nam Sách lay in Hải Dương, which is Hải Phòng today. The
three layers stand side by side: a later layer is added only where the gazetteer leaves one possibility, otherwise its
candidates are listed. Spelling is taken from the gazetteer only where the letters agree, and a flag says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ocr_service.fields.gazetteer import Gazetteer, gazetteer
from ocr_service.fields.place_levels import (
    Place,
    is_misread,
    provinces_63,
    same_marks,
    spelled,
    take_commune,
    take_district,
    take_province,
)
from ocr_service.fields.place_parts import Part, split_place
from ocr_service.fields.place_repair import with_chain_repaired
from ocr_service.fields.text import clean, key, squeeze

_FROM_CEMETERY = "completed_from_cemetery"
_COUNTRIES = {"campuchia": "KH", "cpc": "KH", "kampuchea": "KH", "lao": "LA", "thailan": "TH", "trungquoc": "CN"}
_ABROAD = {"preiveng": "Prey Veng", "svairieng": "Svay Rieng", "kandal": "Kandal", "takeo": "Takeo", "kampot": "Kampot"}
_ABROAD |= {"kongpongcham": "Kampong Cham", "kampongcham": "Kampong Cham", "savannakhet": "Savannakhet"}
_REGIONS = {"mienbac": "Miền Bắc", "miennam": "Miền Nam", "mientrung": "Miền Trung", "nambo": "Nam Bộ"}
_REGIONS |= {"bacbo": "Bắc Bộ", "trungbo": "Trung Bộ", "taynguyen": "Tây Nguyên"}


@dataclass(frozen=True, slots=True)
class PlaceReading:
    """A place taken apart; ``value`` holds only what is known. ``fit`` is the share of parts the gazetteer knows."""

    raw: str
    value: Mapping[str, Any]
    flags: tuple[str, ...] = ()
    fit: float = 0.0


def read_place(text: str, cemetery_province: str | None = None, cemetery_commune: str | None = None) -> PlaceReading:
    """Take a hometown apart and find it in all three eras. Never fails; unknown parts stay as cut.

    Where a cemetery's province or commune made a difference, ``completed_from_cemetery`` says so.
    """
    reading = _read_place(text, cemetery_province, cemetery_commune)
    if not (cemetery_province or cemetery_commune) or _FROM_CEMETERY in reading.flags:
        return reading
    if reading.value == _read_place(text, None, None).value:
        return reading
    return replace(reading, flags=(*reading.flags, _FROM_CEMETERY))


def _read_place(text: str, cemetery_province: str | None, cemetery_commune: str | None) -> PlaceReading:
    gaz = gazetteer()
    raw = squeeze(clean(text)).strip(" .,;:-")
    old, now = split_now(raw)
    parts, punctuated = split_place(old)
    here = provinces_63(gaz, cemetery_province)
    place = Place()
    parts = _take_abroad(parts, place)
    if not punctuated and len(parts) > 1:
        place.flags.append("no_punctuation")
    as_cut = list(parts)
    take_province(gaz, parts, place, here)
    repaired = None if place.provinces or place.extra else with_chain_repaired(as_cut)
    if repaired:
        parts, place.province = repaired, None
        place.flags.append("gazetteer_fix")
        take_province(gaz, parts, place, here)
    take_district(gaz, parts, place, here)
    take_commune(gaz, parts, place, here)
    place.hamlets = [spelled(part) for part in parts]
    _complete(gaz, place, here, cemetery_commune)
    if now:
        _take_now(gaz, now, place)
    value = _value(gaz, place)
    known = sum(bool(x) for x in (place.provinces, place.districts, place.communes))
    cut = sum(x is not None for x in (place.province, place.district, place.commune))
    fit = known / max(1, cut, known) if cut else 0.0
    if cut >= 2 and {"completed_from_gazetteer", "district_not_in_province"} & set(place.flags):
        fit *= 0.8  # a part that was cut is not where it should be
    return PlaceReading(raw, value, tuple(dict.fromkeys(place.flags)), fit)


_NOW = re.compile(r"\(\s*(?:nay|bây giờ|hiện nay|cũ là|trước là)\s*(?:là|thuộc)?\s*[:,]?\s*(?P<now>[^()]*)\)?", re.I)
_NOW_BARE = re.compile(r"[,;\-]?\s+\bnay\s+(?:là|thuộc)\s*[:,]?\s*(?P<now>[^()]*)$", re.I)


def split_now(raw: str) -> tuple[str, str]:
    """The old place, and what the stone itself says it is now: ``(nay là xã Hua Păng)``."""
    match = _NOW.search(raw) or _NOW_BARE.search(raw)
    if not match:
        return raw, ""
    return squeeze(raw[: match.start()] + " " + raw[match.end() :]), match["now"].strip()


def _take_abroad(parts: list[Part], place: Place) -> list[Part]:
    left: list[Part] = []
    for part in parts:
        name = key(part.name)
        if name in _COUNTRIES:
            place.extra["country"] = _COUNTRIES[name]
        elif name in _ABROAD:
            place.extra.setdefault("country", "KH" if name != "savannakhet" else "LA")
            place.province = _ABROAD[name]
        elif name in _REGIONS:
            place.extra["region"] = _REGIONS[name]
        else:
            left.append(part)
    return left


def _complete(gaz: Gazetteer, place: Place, here: tuple[str, ...], cemetery_commune: str | None) -> None:
    """Narrow what is open by what is known: the chain that exists, then the cemetery's province."""
    if place.communes and len(place.districts) > 1:
        holding = {id(district) for district, _ in place.communes}
        inside = tuple(d for d in place.districts if {id(x) for x in d.current} & holding)
        place.districts = inside or place.districts
    if not place.provinces and len({d.province for d in place.districts}) > 1 and here:
        local = tuple(d for d in place.districts if d.province in here)
        if local:
            place.districts = local
            place.flags.append(_FROM_CEMETERY)
    only_hamlet = place.hamlets and not (place.commune or place.district or place.province or place.extra)
    if only_hamlet and cemetery_commune:
        place.extra["completed_commune"] = cemetery_commune
        place.flags.append(_FROM_CEMETERY)
    if place.communes and place.districts:
        current = {id(x) for d in place.districts for x in d.current}
        place.communes = tuple(pair for pair in place.communes if id(pair[0]) in current)
    if place.communes and len(place.communes) == 1 and len(place.districts) == 1 and place.districts[0].successors:
        place.districts = (
            (place.communes[0][0],) if place.communes[0][0] in place.districts[0].current else place.districts
        )


def _take_now(gaz: Gazetteer, now: str, place: Place) -> None:
    parts, _ = split_place(now)
    later = Place()
    take_province(gaz, parts, later, ())
    take_district(gaz, parts, later, ())
    take_commune(gaz, parts, later, ())
    _settle_province(later)
    for name, value in (("commune", later.commune), ("district", later.district), ("province", later.province)):
        if value:
            place.extra[f"now_{name}"] = value
    place.flags.append("both_old_new")


def _settle_province(place: Place) -> None:
    """Name the province as cut; an abbreviation that fits several stays open unless the district decides."""
    if len(place.provinces) > 1:
        lying = {district.province for district in place.districts}
        fitting = tuple(province for province in place.provinces if lying & set(province.reach))
        place.provinces = fitting or place.provinces
    names = list(dict.fromkeys(province.name for province in place.provinces))
    if len(names) == 1:
        place.province = names[0]
        if place.provinces[0].historic:
            place.flags.append("historic_province")
    elif names:
        place.extra["province_candidates"] = names
        place.flags.append("ambiguous_province")


def _value(gaz: Gazetteer, place: Place) -> dict[str, Any]:
    _settle_province(place)
    as_cut = {"commune": place.commune, "district": place.district, "province": place.province}
    value: dict[str, Any] = {"hamlet": ", ".join(place.hamlets)} if place.hamlets else {}
    value |= {name: cut for name, cut in as_cut.items() if cut}
    era_63 = _provinces_of_63(place)
    if len(era_63) == 1:
        value["province_63"] = era_63[0]
    elif era_63:
        value["province_63_candidates"] = list(era_63)
    today = gaz.names_2025(era_63)
    if len(today) == 1:
        value["province_2025"] = today[0]
    elif today:
        value["province_2025_candidates"] = list(today)
        place.flags.append("ambiguous_province")
    districts = list(dict.fromkeys(d.name for district in place.districts for d in district.current))
    if len(era_63) == 1 and len(districts) == 1:
        value["district_63"] = districts[0]
    elif len(districts) > 1:
        value["district_63_candidates"] = districts
    _add_communes(gaz, place, value)
    return value | place.extra


def _provinces_of_63(place: Place) -> tuple[str, ...]:
    if place.districts:
        return tuple(dict.fromkeys(district.province for district in place.districts))
    if place.communes and not place.provinces:
        return tuple(dict.fromkeys(district.province for district, _ in place.communes))
    return tuple(dict.fromkeys(p for province in place.provinces for p in province.successors))


def _add_communes(gaz: Gazetteer, place: Place, value: dict[str, Any]) -> None:
    heirs: list[str] = []
    if place.communes and (place.districts or place.provinces or len(place.communes) == 1):
        if len({(d.province, d.name, c.name) for d, c in place.communes}) == 1:
            value["commune_63"] = place.communes[0][1].name
        heirs = list(dict.fromkeys(heir for _, commune in place.communes for heir in commune.heirs))
    elif place.commune and value.get("province_2025") and not place.districts:
        heirs = [commune.code for commune in gaz.communes_of_2025(place.commune, value["province_2025"])]
    found = [{"code": code, "name": gaz.communes_2025[code].name} for code in heirs]
    if len(found) == 1:
        value["commune_2025"] = found[0]
    elif found:
        value["commune_2025_candidates"] = found


def is_province_short(text: str) -> bool:
    """Whether a text is nothing but the abbreviation of a province: ``ĐT``, ``T.Ninh``."""
    bare = text.strip(" .,;-")
    return Part(bare, "", None).short and bool(gazetteer().abbreviated_provinces(bare))


def is_province(text: str) -> bool:
    """Whether a text is nothing but the name of a province, a misread one included."""
    bare = text.strip(" .,;-")
    gaz = gazetteer()
    return bool(gaz.provinces(bare)) or (is_misread(bare) and len(gaz.similar_provinces(bare)) == 1)


def is_exact_province(text: str) -> bool:
    """Whether a text is nothing but the name of a province with all its marks: ``HÀ BẮC``."""
    bare = text.strip(" .,;-")
    found = gazetteer().provinces(bare)
    return bool(found) and same_marks(bare, found[0].name)


def district_within(name: str, province: str) -> bool:
    """Whether a district of that name lies in a province named so."""
    gaz = gazetteer()
    reach = [p for found in gaz.provinces(province.strip(" .,;-")) for p in found.reach]
    return bool(gaz.districts(name.strip(), reach))


def is_district(text: str) -> bool:
    """Whether a text is nothing but the name of a district."""
    return bool(gazetteer().districts(text.strip(" .,;-")))


def likely_place(text: str) -> bool:
    """Whether a text without a label is a place of several parts, its province or district misread perhaps."""
    if known_place(text):
        return True
    parts, _ = split_place(squeeze(text))
    return len(parts) > 1 and with_chain_repaired(parts) is not None


def known_place(text: str, cemetery_province: str | None = None) -> bool:
    """Whether a text without a label ends in a province, or in a district and its commune, that the gazetteer knows."""
    gaz = gazetteer()
    parts, _ = split_place(squeeze(text))
    if not parts:
        return False
    last = parts[-1]
    if gaz.provinces(last.name) or key(last.name) in _COUNTRIES or key(last.name) in _REGIONS:
        return len(parts) > 1 or last.level == "province" or bool(gaz.provinces(last.name))
    if last.level in ("district", "commune", "province", "hamlet"):
        return True
    if len(parts) < 2:
        return False
    if last.short and (gaz.abbreviated_provinces(last.name) or cemetery_province) and gaz.districts(parts[-2].name):
        return True
    return any(gaz.communes(parts[-2].name, district) for district in gaz.districts(last.name))
