"""Administrative places of Vietnam in three eras, found by name without tones, with misprints, or by abbreviation.

Era 1 is what stones cut (wartime provinces and districts), era 2 the 63 provinces with their districts and communes of
early 2025, era 3 the 34 provinces and 3,321 communes since 2025-07-01. Everything is read once, on first use.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from ocr_service.fields.text import fold, key, one_deletion, within_one_edit

_DATA = Path(__file__).with_name("data")


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune of the 63-province era; ``heirs`` are 2025 codes, the default heir of a divided commune first."""

    name: str
    kind: str
    code: str
    heirs: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class District:
    """A district of the 63-province era, or a former one (``successors`` given, no communes of its own)."""

    name: str
    kind: str
    province: str
    communes: tuple[Commune, ...] = ()
    successors: tuple[District, ...] = ()

    @property
    def current(self) -> tuple[District, ...]:
        """The districts of the 63-province era that hold this one's land; itself if it still stood."""
        return self.successors or (self,)


@dataclass(frozen=True, slots=True)
class Province:
    """A province as stones name it, with the provinces of the 63-province era it went to."""

    name: str
    historic: bool
    successors: tuple[str, ...]
    partial: tuple[str, ...] = ()

    @property
    def reach(self) -> tuple[str, ...]:
        """Every province of the 63-province era in which a district of this one may lie."""
        return self.successors + self.partial


@dataclass(frozen=True, slots=True)
class Commune2025:
    """A commune since 2025-07-01."""

    name: str
    kind: str
    code: str
    province: str


def _rows(name: str) -> Iterator[list[str]]:
    for line in (_DATA / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def _table(name: str) -> Iterator[dict[str, str]]:
    rows = _rows(name)
    header = next(rows)
    for row in rows:
        yield dict(zip(header, row + [""] * (len(header) - len(row)), strict=True))


def _list(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(";") if part)


class Gazetteer:
    """All places and the indices over them. Build it with :func:`gazetteer`, which keeps one."""

    def __init__(self) -> None:
        self.communes_2025: dict[str, Commune2025] = {}
        self.province_2025: dict[str, str] = {}
        self.by_province: dict[str, dict[str, list[District]]] = defaultdict(lambda: defaultdict(list))
        self._provinces: dict[str, list[Province]] = defaultdict(list)
        self._province_abbreviations: dict[str, list[Province]] = defaultdict(list)
        self._by_last_syllable: dict[str, list[Province]] = defaultdict(list)
        self._districts: dict[str, list[District]] = defaultdict(list)
        self._commune_index: dict[str, dict[str, list[Commune]]] = {}
        self._everywhere: dict[str, list[tuple[District, Commune]]] | None = None
        self._by_name_2025: dict[tuple[str, str], list[Commune2025]] | None = None
        self._read_2025()
        self._read_63()
        self._read_provinces()
        self._read_former_districts()
        self._province_forms = _forms(self._provinces)
        for group in self._provinces.values():
            self._by_last_syllable[_last_syllable(group[0].name)].append(group[0])
        self._district_forms = _forms(self._districts)

    def _read_2025(self) -> None:
        province = ""
        names: dict[str, str] = {}
        for level, code, kind, name in _rows("units_2025.tsv"):
            if level == "P":
                province = names[code] = name
            else:
                self.communes_2025[code] = Commune2025(name, kind, code, province)
        self._names_2025 = names

    def _read_63(self) -> None:
        province, district, communes = "", ("", ""), list[Commune]()

        def close() -> None:
            if district[0]:
                self._add_district(District(district[0], district[1], province, tuple(communes)))

        for row in _rows("units_63.tsv"):
            level, code, kind, name = row[:4]
            if level == "C":
                communes.append(Commune(name, kind, code, tuple(row[4].split(","))))
                continue
            close()
            communes = []
            if level == "P":
                province, district = name, ("", "")
                self.province_2025[name] = self._names_2025[row[4]]
            else:
                district = (name, kind)
        close()

    def _add_district(self, district: District) -> None:
        self._districts[key(district.name)].append(district)
        self.by_province[district.province][key(district.name)].append(district)

    def _read_provinces(self) -> None:
        for row in _table("provinces_63.tsv"):
            province = Province(row["name"], False, (row["name"],), _list(row["wider"]))
            self._add_province(province, row)
        for row in _table("provinces_history.tsv"):
            heirs = _list(row["successors"])
            whole = tuple(heir for heir in heirs if not heir.startswith("~"))
            part = tuple(heir[1:] for heir in heirs if heir.startswith("~"))
            self._add_province(Province(row["name"], True, whole, part), row)

    def _add_province(self, province: Province, row: dict[str, str]) -> None:
        for name in (row["name"], *_list(row["aliases"])):
            if province not in self._provinces[key(name)]:
                self._provinces[key(name)].append(province)
        for short in _list(row["abbreviations"]):
            self._province_abbreviations[key(short)].append(province)

    def _read_former_districts(self) -> None:
        for row in _table("districts_history.tsv"):
            heirs: dict[str, list[District]] = defaultdict(list)
            for heir in _list(row["successors"]):
                name, province = heir.split("@")
                found = [] if name == "?" else self.by_province[province][key(name)]
                heirs[province].extend(found[:1])
            for province, found in heirs.items():
                if not any(district in found for district in self.by_province[province][key(row["name"])]):
                    self._add_district(District(row["name"], "Huyện", province, (), tuple(found)))

    def provinces(self, name: str) -> tuple[Province, ...]:
        """Provinces of that name, tones ignored; those spelt exactly so first."""
        found = self._provinces.get(key(name), ())
        return tuple(sorted(found, key=lambda province: (not _same(province.name, name), province.historic)))

    @property
    def province_keys(self) -> Iterable[str]:
        """Keys of the names and spellings of all provinces."""
        return self._provinces.keys()

    def similar_provinces(self, name: str) -> tuple[Province, ...]:
        """Provinces whose name is one letter away, or two in long ones, if there is no nearer one."""
        cut = key(name)
        near = _near(cut, self._province_forms, 5) or (_two_away(cut, tuple(self._provinces)) if len(cut) >= 7 else [])
        return tuple(p for known in near for p in self._provinces[known])

    def abbreviated_provinces(self, short: str) -> tuple[Province, ...]:
        """Provinces that stones abbreviate so: ``L.A``, ``ĐT``, ``B.Tre``, ``Q.Ngãi``."""
        listed = self._province_abbreviations.get(key(short), ())
        marked = tuple(p for p in listed if _initials(p.name) == _letters(short)) or tuple(listed)
        return marked or tuple(
            p for p in self._by_last_syllable.get(_last_syllable(short), ()) if shortens(short, p.name)
        )

    def districts(self, name: str, within: Iterable[str] | None = None) -> tuple[District, ...]:
        """Districts of that name, tones ignored, in the given provinces of the 63-province era or anywhere."""
        if within is None:
            return tuple(self._districts.get(key(name), ()))
        return tuple(d for province in within for d in self.by_province[province].get(key(name), ()))

    def similar_districts(self, name: str, within: Iterable[str] | None = None) -> tuple[District, ...]:
        """Districts one letter away from the name."""
        allowed = None if within is None else set(within)
        found = (d for near in _near(key(name), self._district_forms, 5) for d in self._districts[near])
        return tuple(d for d in found if allowed is None or d.province in allowed)

    def abbreviated_districts(self, short: str, within: Iterable[str]) -> tuple[District, ...]:
        """Districts of the given provinces that an abbreviation fits: ``H.Ngự``, ``HN`` (Hồng Ngự)."""
        everyone = (d for province in within for group in self.by_province[province].values() for d in group)
        return tuple(d for d in everyone if shortens(short, d.name) or _initials(d.name) == _letters(short))

    def communes(self, name: str, district: District) -> tuple[Commune, ...]:
        """Communes of that name, tones ignored, in the district or its heirs; those spelt exactly so first."""
        found = [c for d in district.current for c in self._communes_of(d).get(key(name), ())]
        return tuple(sorted(found, key=lambda commune: not _same(commune.name, name)))

    def _communes_of(self, district: District) -> dict[str, list[Commune]]:
        where = f"{district.province}/{district.kind}/{district.name}"
        index = self._commune_index.get(where)
        if index is None:
            index = defaultdict(list)
            for commune in district.communes:
                index[key(commune.name)].append(commune)
            self._commune_index[where] = index
        return index

    def communes_anywhere(self, name: str, within: Iterable[str] | None = None) -> tuple[tuple[District, Commune], ...]:
        """Communes of that name with their districts, in the given provinces or anywhere."""
        if self._everywhere is None:
            self._everywhere = defaultdict(list)
            for district in (d for group in self._districts.values() for d in group):
                for commune in district.communes:
                    self._everywhere[key(commune.name)].append((district, commune))
        allowed = None if within is None else set(within)
        found = self._everywhere.get(key(name), ())
        return tuple(pair for pair in found if allowed is None or pair[0].province in allowed)

    def names_2025(self, provinces: Iterable[str]) -> tuple[str, ...]:
        """2025 provinces of provinces of the 63-province era, in the given order, each once."""
        return tuple(dict.fromkeys(self.province_2025[province] for province in provinces))

    @property
    def provinces_2025(self) -> tuple[str, ...]:
        """Names of the 34 provinces."""
        return tuple(self._names_2025.values())

    def communes_of_2025(self, name: str, province: str) -> tuple[Commune2025, ...]:
        """2025 communes of that name, tones ignored, in a 2025 province."""
        return tuple(self._index_2025().get((key(province), key(name)), ()))

    def _index_2025(self) -> dict[tuple[str, str], list[Commune2025]]:
        if self._by_name_2025 is None:
            self._by_name_2025 = defaultdict(list)
            for commune in self.communes_2025.values():
                self._by_name_2025[key(commune.province), key(commune.name)].append(commune)
        return self._by_name_2025


def shortens(short: str, name: str) -> bool:
    """Whether ``B.Tre`` may stand for ``Bến Tre``: initials of the first syllables, the last one in full."""
    *initials, last = _syllables(short)
    syllables = fold(name).split()
    if not initials or len(syllables) != len(initials) + 1 or key(syllables[-1]) != key(last) or len(last) < 2:
        return False
    return all(
        len(part) <= 2 and syllable.startswith(part) for part, syllable in zip(initials, syllables, strict=False)
    )


def _syllables(short: str) -> list[str]:
    return [part for part in fold(short).replace("/", ".").replace(" ", ".").split(".") if part] or [""]


def _last_syllable(name: str) -> str:
    return key(_syllables(name)[-1])


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.replace("-", " ").split()).lower()


def _letters(short: str) -> str:
    return "".join(letter for letter in short.lower() if letter.isalpha())


def _same(left: str, right: str) -> bool:
    return left.replace(" ", "").lower() == right.replace(" ", "").lower()


def _forms(names: Iterable[str]) -> dict[str, list[str]]:
    forms: dict[str, list[str]] = defaultdict(list)
    for name in names:
        for form in one_deletion(name):
            forms[form].append(name)
    return forms


def _near(name: str, forms: dict[str, list[str]], shortest: int) -> list[str]:
    if len(name) < shortest:
        return []
    found = {near for form in one_deletion(name) for near in forms.get(form, ())}
    return sorted(near for near in found if within_one_edit(near, name))


@lru_cache(maxsize=4096)
def _two_away(name: str, known: tuple[str, ...]) -> list[str]:
    return [other for other in known if len(other) >= 7 and Levenshtein.distance(other, name, score_cutoff=2) <= 2]


@lru_cache(maxsize=1)
def gazetteer() -> Gazetteer:
    """The gazetteer, read on first use."""
    return Gazetteer()
