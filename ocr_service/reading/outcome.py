"""How a reading ended: read, unknown by inscription, blank, illegible, or failed; and whether to photograph again.

These are different things to a family: "unknown" is a legal class with its own wordings, a blank stone says nothing,
an illegible one says what nobody can read, and a failed reading says nothing about the stone at all. What could not be
read is never called unknown, and what a spoilt photo shows is never certain.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

import numpy as np

from ocr_service.certainty import WEAK_BELOW
from ocr_service.records import Field, PhotoType, Reading, ReadingStatus
from preprocess.lines import quad_size
from preprocess.quality import QualityReason

ILLEGIBLE_FLAG = "illegible"
REPHOTOGRAPH_FLAG = "needs_rephotograph"
_BLANK_FLAG = "blank_stone"


class Outcome(StrEnum):
    """How a reading ended."""

    READ = "read"
    UNKNOWN = "unknown"
    BLANK = "blank"
    ILLEGIBLE = "illegible"
    NO_GRAVE = "no_grave"
    FAILED = "failed"


_SAID_FROM = 0.5  # confidence: right rather than wrong
_FACTS = (
    *("name", "aliases", "birth", "death", "enlist", "hometown", "unit", "rank", "position", "war", "death_place"),
    *("unknown_wording", "persons", "loc", "age"),
)
_GRAVES = frozenset({PhotoType.HEADSTONE, PhotoType.COLLECTIVE_STONE, PhotoType.OTHER})
_PLACES = frozenset({PhotoType.GATE, PhotoType.MONUMENT, PhotoType.PLAN})  # where words look like names and are not
_INSCRIBED = _GRAVES | {PhotoType.NUMBER_PLATE, PhotoType.NAME_BOARD}


def outcome(reading: Reading) -> Outcome:
    """How a reading ended."""
    if reading.status is ReadingStatus.REJECTED:
        return Outcome.FAILED
    flags = _flags(reading.record)
    if reading.photo_type not in _GRAVES:
        return Outcome.NO_GRAVE
    if ILLEGIBLE_FLAG in flags:
        return Outcome.ILLEGIBLE
    if _BLANK_FLAG in flags:
        return Outcome.BLANK
    kind = reading.record.get("kind")
    return Outcome.UNKNOWN if kind is not None and kind.value == "unknown" else Outcome.READ


def needs_rephotograph(reading: Reading) -> bool:
    """Whether the photo, and not the stone, kept text from being read."""
    return REPHOTOGRAPH_FLAG in _flags(reading.record)


def count_alike(unread_quads: Sequence[np.ndarray], text_quads: Sequence[np.ndarray]) -> int:
    """How many regions that could not be read have the form of lines and the size of those that could, (4, 2) each.

    Leaves, corners of frames and whole faces, which detectors take for text too, have not.
    """
    if not text_quads:
        return len(unread_quads)
    usual_px = float(np.median([quad_size(quad)[1] for quad in text_quads]))
    sizes = [quad_size(quad) for quad in unread_quads]
    return sum(width > 2 * height and 0.5 * usual_px < height < 2 * usual_px for width, height in sizes)


def settle(
    record: Mapping[str, Field],
    photo_type: PhotoType,
    reasons: Collection[str],
    unread_count: int,
) -> dict[str, Field]:
    """A record that claims no more than the photo shows.

    A photo is to be taken again for any fault, however sure the lines are that were read: 460 rendered photos showed no
    gain from asking for unsure lines as well (precision 0.84 either way, recall 0.88 against 0.85), and text that was
    cut off or covered is in no line at all. ``unread_count`` is how many further regions look like lines of the
    inscription and could not be read.
    """
    settled = dict(record)
    if photo_type in _PLACES:
        _without_dead(settled)
    spoilt = photo_type in _INSCRIBED and bool(set(reasons) - {QualityReason.NO_TEXT})
    if photo_type in _GRAVES:
        kind, blank = record.get("kind"), _BLANK_FLAG in _flags(record) and _is_said(record, "header")
        said = any(_is_said(record, name) for name in _FACTS)
        if not said and not (blank and not spoilt and not unread_count) and "not_a_grave" not in _flags(record):
            _flag(settled, ILLEGIBLE_FLAG)
            _unflag(settled, _BLANK_FLAG)
            if kind is not None and kind.value == "unknown":
                settled["kind"] = replace(kind, value="partial")
    if spoilt:
        _flag(settled, REPHOTOGRAPH_FLAG)
    if spoilt or photo_type is PhotoType.OVERVIEW:  # where the lines of many stones mix
        for name in settled.keys() - {"flags"}:
            settled[name] = replace(settled[name], confidence=min(settled[name].confidence, WEAK_BELOW))
    return settled


def _is_said(record: Mapping[str, Field], name: str) -> bool:
    return name in record and record[name].confidence >= _SAID_FROM


def _without_dead(record: dict[str, Field]) -> None:
    """A gate names a place and a monument all the dead, so that neither has a name, nor is anybody unknown there."""
    record["kind"] = replace(record.get("kind", Field(None)), value="other")
    record["name"], record["name_status"] = Field(None), Field("unknown")
    _flag(record, "not_a_grave")
    _unflag(record, _BLANK_FLAG)


def _flags(record: Mapping[str, Field]) -> Collection[str]:
    field = record.get("flags")
    return field.value if field is not None else ()


def _flag(record: dict[str, Field], flag: str) -> None:
    record["flags"] = Field(sorted({*_flags(record), flag}), None, 1.0)


def _unflag(record: dict[str, Field], flag: str) -> None:
    record["flags"] = Field(sorted({*_flags(record)} - {flag}), None, 1.0)
