"""An inscription as a value: its lines, the part each plays on the stone, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from datasets.lexicon import Place


class Role(StrEnum):
    """What a line is, as far as its place and size on a stone goes."""

    HEADER = "header"
    NAME = "name"
    FACT = "fact"
    SMALL = "small"
    FOOT = "foot"


class Kind(StrEnum):
    """Kinds of graves (DOMAIN: ``kind``); ``CIVIL`` graves are not martyrs'."""

    NAMED = "named"
    PARTIAL = "partial"
    UNKNOWN = "unknown"
    COLLECTIVE = "collective"
    RELOCATED = "relocated"
    CIVIL = "civil"


@dataclass(frozen=True, slots=True)
class Truth:
    """What an inscription says: names in title case, dates ISO 8601 as precise as the stone, the rest as cut."""

    name: str | None = None
    birth_date: str | None = None
    enlist_date: str | None = None
    death_date: str | None = None
    hometown: Place | None = None
    unit: str | None = None
    rank: str | None = None
    position: str | None = None
    unknown: bool = False

    def as_json(self) -> dict[str, Any]:
        """Only what is known, in the format of the truth files."""
        keys = ("name", "birth_date", "enlist_date", "death_date", "unit", "rank", "position")
        facts: dict[str, Any] = {key: getattr(self, key) for key in keys if getattr(self, key) is not None}
        if self.hometown is not None:
            place = self.hometown
            facts["hometown"] = {"commune": place.commune, "district": place.district, "province": place.province}
        if self.unknown:
            facts["unknown"] = True
        return facts


@dataclass(frozen=True, slots=True)
class Inscription:
    """Lines in reading order, the role of each, and what they say."""

    lines: tuple[str, ...]
    roles: tuple[Role, ...]
    truth: Truth
    kind: Kind
