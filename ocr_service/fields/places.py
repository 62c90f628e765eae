"""Hometowns: as cut, in the 63-province era, and since 2025.

``Hiệp Cát – Nam Sách – Hải Hưng`` is cut; Hải Hưng's district Nam Sách lay in Hải Dương, which is Hải Phòng today. The
three layers stand side by side: a later layer is added only where the gazetteer leaves one possibility, otherwise its
candidates are listed. Spelling is taken from the gazetteer only where the letters agree, and a flag says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ocr_service.fields.gazetteer import Commune, District, Gazetteer, Province, gazetteer, shortens
from ocr_service.fields.place_parts import Part, split_place
from ocr_service.fields.syllables import is_syllable, with_tone_in_place
from ocr_service.fields.text import clean, fold, key, squeeze, title

_COUNTRIES = {"campuchia": "KH", "cpc": "KH", "kampuchea": "KH", "lao": "LA", "thailan": "TH", "trungquoc": "CN"}
_ABROAD = {"preiveng": "Prey Veng", "svairieng": "Svay Rieng", "kandal": "Kandal", "takeo": "Takeo", "kampot": "Kampot"}
_ABROAD |= {"kongpongcham": "Kampong Cham", "kampongcham": "Kampong Cham", "savannakhet": "Savannakhet"}
_REGIONS = {"mienbac": "Miền Bắc", "miennam": "Miền Nam", "mientrung": "Miền Trung", "nambo": "Nam Bộ"}
_REGIONS |= {"bacbo": "Bắc Bộ", "trungbo": "Trung Bộ", "taynguyen": "Tây Nguyên"}


@dataclass(slots=True)
class _Place:
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


@dataclass(frozen=True, slots=True)
class PlaceReading:
    """A place taken apart; ``value`` holds only what is known. ``fit`` is the share of parts the gazetteer knows."""

    raw: str
    value: Mapping[str, Any]
    flags: tuple[str, ...] = ()
    fit: float = 0.0
    year: str | None = None


def read_place(text: str, cemetery_province: str | None = None, cemetery_commune: str | None = None) -> PlaceReading:
    """Take a hometown apart and find it in all three eras. Never fails; unknown parts stay as cut."""
    gaz = gazetteer()
    raw = squeeze(clean(text)).strip(" .,;:-")
    old, now = split_now(raw)
    parts, punctuated = split_place(old)
    here = _province_63(gaz, cemetery_province)
    place = _Place()
    parts = _take_abroad(parts, place)
    if not punctuated and len(parts) > 1:
        place.flags.append("no_punctuation")
    _take_province(gaz, parts, place, here)
    _take_district(gaz, parts, place, here)
    _take_commune(gaz, parts, place, here)
    place.hamlets = [_spelled(part) for part in parts]
    _complete(gaz, place, here, cemetery_commune)
    if now:
        _take_now(gaz, now, place)
    value = _value(gaz, place)
    known = sum(bool(x) for x in (place.provinces, place.districts, place.communes))
    cut = sum(x is not None for x in (place.province, place.district, place.commune))
    return PlaceReading(raw, value, tuple(dict.fromkeys(place.flags)), known / max(1, cut, known) if cut else 0.0)


_NOW = re.compile(r"\(\s*(?:nay|bây giờ|hiện nay|cũ là|trước là)\s*(?:là|thuộc)?\s*[:,]?\s*(?P<now>[^()]*)\)?", re.I)
_NOW_BARE = re.compile(r"[,;\-]?\s+\bnay\s+(?:là|thuộc)\s*[:,]?\s*(?P<now>[^()]*)$", re.I)


def split_now(raw: str) -> tuple[str, str]:
    """The old place, and what the stone itself says it is now: ``(nay là xã Hua Păng)``."""
    match = _NOW.search(raw) or _NOW_BARE.search(raw)
    if not match:
        return raw, ""
    return squeeze(raw[: match.start()] + " " + raw[match.end() :]), match["now"].strip()


def _spelled(part: Part) -> str:
    """A part as cut, in title case, its hamlet word kept small: ``ấp 2``, ``thôn Quàn``."""
    name = " ".join(with_tone_in_place(word) for word in title(part.name).split())
    return f"{part.kind} {name}" if part.level == "hamlet" and part.kind else name


def _take_abroad(parts: list[Part], place: _Place) -> list[Part]:
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


def _province_63(gaz: Gazetteer, name: str | None) -> tuple[str, ...]:
    """The provinces of the 63-province era that a cemetery's province (of any era) covers."""
    if not name:
        return ()
    bare = re.sub(r"^(?:tỉnh|thành phố|tp\.?)\s+", "", name.strip(), flags=re.I)
    found = gaz.provinces(bare)
    today = [old for old, new in gaz.province_2025.items() if key(new) == key(bare)]
    return tuple(dict.fromkeys([*(p for province in found for p in province.successors), *today]))


def _take_province(gaz: Gazetteer, parts: list[Part], place: _Place, here: tuple[str, ...]) -> None:
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
            place.province = _spelled(parts.pop())
        return
    if last.level != "province" and len(parts) == 1 and not found[0].historic and _rather_district(gaz, last, here):
        return
    parts.pop()
    if how == "similar":
        place.flags.append("gazetteer_fix")
    elif fold(last.name) == fold(found[0].name) and not _same_marks(last.name, found[0].name):
        place.flags.append("gazetteer_fix")
    place.provinces = found


def _rather_district(gaz: Gazetteer, part: Part, here: tuple[str, ...]) -> bool:
    return part.level == "district" and bool(gaz.districts(part.name, here or None))


def _find_province(gaz: Gazetteer, part: Part, here: tuple[str, ...]) -> tuple[tuple[Province, ...], str]:
    found = gaz.provinces(part.name)
    if found and not _same_marks(part.name, found[0].name) and part.level != "province":
        if any(_same_marks(part.name, district.name) for district in gaz.districts(part.name)):
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
    if part.level == "province" or (not elsewhere and _is_misread(part.name)):
        similar = gaz.similar_provinces(part.name)
        first, _, others = part.name.partition(" ")
        if not similar and others and _is_misread(first):
            similar = gaz.provinces(others) or gaz.similar_provinces(others)  # TỈ1H NGHỆ TĨNH
        names = {province.name for province in similar}
        if len(names) == 1:
            return similar[:1], "similar"
    return (), ""


def _same_marks(cut: str, name: str) -> bool:
    """Whether the cut spelling is right, up to where the tone mark of oa, oe, uy stands."""
    left, right = title(cut).replace(" ", "").replace("-", ""), name.replace(" ", "").replace("-", "")
    return _loose(left) == _loose(right)


def _loose(word: str) -> str:
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


def _reach(place: _Place) -> tuple[str, ...] | None:
    if not place.provinces:
        return None
    return tuple(dict.fromkeys(p for province in place.provinces for p in province.reach))


def _take_district(gaz: Gazetteer, parts: list[Part], place: _Place, here: tuple[str, ...]) -> None:
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
    gaz: Gazetteer, parts: list[Part], place: _Place, reach: tuple[str, ...] | None, here: tuple[str, ...]
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
        place.district = _spelled(parts.pop())
        place.flags.append("district_not_in_province")
        if names:
            place.extra["district_candidates"] = sorted(names)
            if len(names) == 1:
                place.extra["suggest"] = similar[0].name
        return
    believed = _is_misread(last.name) or _holds_commune(gaz, similar, parts)
    if len(names) == 1 and believed and (reach is not None or here) and not _is_commune(gaz, last, reach or here):
        place.districts = similar
        parts.pop()
        place.district = similar[0].name
        place.flags.append("gazetteer_fix")
        return
    if last.level == "district" or (reach is not None and len(parts) >= 2):
        place.district = _spelled(parts.pop())
        if names:
            place.extra["district_candidates"] = sorted(names)


def _is_misread(name: str) -> bool:
    """Whether a name cannot have been meant so: one of its words is no syllable."""
    return any(not is_syllable(word) for word in name.split())


def _holds_commune(gaz: Gazetteer, districts: tuple[District, ...], parts: list[Part]) -> bool:
    return len(parts) > 1 and any(gaz.communes(parts[-2].name, district) for district in districts)


def _is_commune(gaz: Gazetteer, part: Part, where: tuple[str, ...]) -> bool:
    return part.level in (None, "commune") and bool(gaz.communes_anywhere(part.name, where))


def _exact_first(found: tuple[District, ...], name: str) -> tuple[District, ...]:
    exact = tuple(district for district in found if _same_marks(name, district.name))
    return exact or found


def _name_district(place: _Place, part: Part, name: str) -> None:
    place.district = name
    if part.kind:
        place.extra["district_type"] = part.kind
    _note_spelling(place, part.name, name)


def _note_spelling(place: _Place, cut: str, name: str) -> None:
    moved = " ".join(with_tone_in_place(word) for word in title(cut).split())
    if not _same_marks(moved, name):
        place.flags.append("gazetteer_fix")
    elif moved != title(cut):
        place.flags.append("tone_mark_fix")


def _take_commune(gaz: Gazetteer, parts: list[Part], place: _Place, here: tuple[str, ...]) -> None:
    if not parts or parts[-1].level not in (None, "commune", "hamlet"):
        return
    last = parts[-1]
    if last.level == "hamlet":
        whole = Part(f"{last.kind.capitalize()} {last.name}", "", None, last.cut)
        if not any(gaz.communes(whole.name, district) for district in place.districts):
            return
        parts[-1] = last = whole  # Bản Luốc is a commune
    if last.level is None and place.district is None and place.province is None and len(parts) == 1:
        known = gaz.communes_anywhere(last.name, here or None)
        if not known and last.kind == "":
            place.commune = _spelled(parts.pop())
            return
    found = [(district, commune) for district in place.districts for commune in gaz.communes(last.name, district)]
    if not place.districts:
        found = list(gaz.communes_anywhere(last.name, _reach(place) or here or None))
    exact = [pair for pair in found if _same_marks(last.name, pair[1].name)]
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
        place.commune = _spelled(last)
        if names:
            place.extra["commune_candidates"] = sorted(names)
    parts.pop()
    if exact and not place.districts and not place.province:
        _settle_by_commune(place, found=tuple(exact))


def _settle_by_commune(place: _Place, found: tuple[tuple[District, Commune], ...]) -> None:
    if len({(d.province, d.name) for d, _ in found}) == 1:
        place.districts = (found[0][0],)
        place.flags.append("completed_from_gazetteer")


def _complete(gaz: Gazetteer, place: _Place, here: tuple[str, ...], cemetery_commune: str | None) -> None:
    """Narrow what is open by what is known: the chain that exists, then the cemetery's province."""
    if place.communes and len(place.districts) > 1:
        holding = {id(district) for district, _ in place.communes}
        inside = tuple(d for d in place.districts if {id(x) for x in d.current} & holding)
        place.districts = inside or place.districts
    if not place.provinces and len({d.province for d in place.districts}) > 1 and here:
        local = tuple(d for d in place.districts if d.province in here)
        if local:
            place.districts = local
            place.flags.append("completed_from_cemetery")
    only_hamlet = place.hamlets and not (place.commune or place.district or place.province or place.extra)
    if only_hamlet and cemetery_commune:
        place.extra["completed_commune"] = cemetery_commune
        place.flags.append("completed_from_cemetery")
    if place.communes and place.districts:
        current = {id(x) for d in place.districts for x in d.current}
        place.communes = tuple(pair for pair in place.communes if id(pair[0]) in current)
    if place.communes and len(place.communes) == 1 and len(place.districts) == 1 and place.districts[0].successors:
        place.districts = (
            (place.communes[0][0],) if place.communes[0][0] in place.districts[0].current else place.districts
        )


def _take_now(gaz: Gazetteer, now: str, place: _Place) -> None:
    parts, _ = split_place(now)
    later = _Place()
    _take_province(gaz, parts, later, ())
    _take_district(gaz, parts, later, ())
    _take_commune(gaz, parts, later, ())
    _settle_province(later)
    for name, value in (("commune", later.commune), ("district", later.district), ("province", later.province)):
        if value:
            place.extra[f"now_{name}"] = value
    place.flags.append("both_old_new")


def _settle_province(place: _Place) -> None:
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


def _value(gaz: Gazetteer, place: _Place) -> dict[str, Any]:
    _settle_province(place)
    value: dict[str, Any] = {}
    if place.hamlets:
        value["hamlet"] = ", ".join(place.hamlets)
    for name, cut in (("commune", place.commune), ("district", place.district), ("province", place.province)):
        if cut:
            value[name] = cut
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


def _provinces_of_63(place: _Place) -> tuple[str, ...]:
    if place.districts:
        return tuple(dict.fromkeys(district.province for district in place.districts))
    if place.communes and not place.provinces:
        return tuple(dict.fromkeys(district.province for district, _ in place.communes))
    return tuple(dict.fromkeys(p for province in place.provinces for p in province.successors))


def _add_communes(gaz: Gazetteer, place: _Place, value: dict[str, Any]) -> None:
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
    return bool(gaz.provinces(bare)) or (_is_misread(bare) and len(gaz.similar_provinces(bare)) == 1)


def district_within(name: str, province: str) -> bool:
    """Whether a district of that name lies in a province named so."""
    gaz = gazetteer()
    reach = [p for found in gaz.provinces(province.strip(" .,;-")) for p in found.reach]
    return bool(gaz.districts(name.strip(), reach))


def is_district(text: str) -> bool:
    """Whether a text is nothing but the name of a district."""
    return bool(gazetteer().districts(text.strip(" .,;-")))


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
