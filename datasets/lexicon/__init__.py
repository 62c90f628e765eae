"""Word lists that inscriptions are made of; ``README.md`` names their sources."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Weighted(Generic[T]):
    """Values that are drawn in proportion to their weights."""

    values: tuple[T, ...]
    cumulative: tuple[float, ...]

    def draw(self, rng: Random) -> T:
        """One value."""
        return rng.choices(self.values, cum_weights=self.cumulative)[0]


@dataclass(frozen=True, slots=True)
class Place:
    """A hometown as names without their types; the types are letters (X, P, TT; H, Q, TX, TP) or empty."""

    commune: str
    district: str
    province: str
    commune_type: str = ""
    district_type: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """A rank or position: the name it stands for and the forms that are cut."""

    name: str
    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All word lists, loaded once."""

    surnames: Weighted[str]
    middles: Weighted[str]
    givens: Weighted[str]
    syllables: tuple[str, ...]
    wartime_places: Weighted[Place]
    places_63: tuple[Place, ...]
    provinces: tuple[str, ...]
    ranks: tuple[Post, ...]
    positions: Weighted[Post]


def _rows(name: str) -> list[dict[str, str]]:
    with (_HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _weighted(pairs: list[tuple[T, float]]) -> Weighted[T]:
    return Weighted(tuple(value for value, _ in pairs), tuple(accumulate(weight for _, weight in pairs)))


def _strip_type(text: str) -> str:
    for prefix in (
        "Xã ",
        "xã ",
        "Thị trấn ",
        "Phường ",
        "Huyện ",
        "huyện ",
        "H. ",
        "H.",
        "TX. ",
        "TP ",
        "tỉnh ",
        "Tỉnh ",
    ):
        text = text.removeprefix(prefix)
    return text.strip(" .`")


def _wartime_places() -> Weighted[Place]:
    pairs = []
    for row in _rows("places_wartime.tsv"):
        names = [_strip_type(row[key]) for key in ("commune", "district", "province")]
        if all(name and name[0].isupper() for name in names):
            pairs.append((Place(*names), float(row["count"])))
    return _weighted(pairs)


def _places_63() -> tuple[Place, ...]:
    places = []
    for row in _rows("places_63.tsv"):
        district_type, _, district = row["district"].partition(" ")
        for commune in row["communes"].split("; "):
            commune_type, _, name = commune.partition(" ")
            places.append(Place(name, district, row["province"], commune_type, district_type))
    return tuple(places)


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The word lists of this folder."""
    # Square roots: rare syllables must be seen often enough to be read, frequent ones still lead.
    parts: dict[str, list[tuple[str, float]]] = {"surname": [], "middle": [], "given": []}
    for row in _rows("name_parts.tsv"):
        parts[row["part"]].append((row["syllable"], float(row["count"]) ** 0.5))
    places = _places_63()
    words = {word for place in places for word in (*place.commune.split(), *place.district.split())}
    words |= {syllable for pairs in parts.values() for syllable, _ in pairs}
    posts = [
        (Post(row["position"], tuple(row["forms"].split("; "))), float(row["weight"])) for row in _rows("positions.tsv")
    ]
    return Lexicon(
        surnames=_weighted(parts["surname"]),
        middles=_weighted(parts["middle"]),
        givens=_weighted(parts["given"]),
        syllables=tuple(sorted(word for word in words if word.isalpha())),
        wartime_places=_wartime_places(),
        places_63=places,
        provinces=tuple(row["name"].split(" / ")[0] for row in _rows("provinces_historic.tsv")),
        ranks=tuple(Post(row["rank"], tuple(row["forms"].split("; "))) for row in _rows("ranks.tsv")),
        positions=_weighted(posts),
    )
