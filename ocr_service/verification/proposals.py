"""What other shots of a grave say to a draft: proposals with their photo, for a person to take or leave.

Nothing of it enters a record by itself. What one shot hides, another may show; and where two shots disagree, neither
is sure (``reading.shots.merge_lines`` weighs lines in the same way).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ocr_service.database.values import RecordField, RecordView
from ocr_service.states import RecordState
from ocr_service.verification.field_values import CORRECTABLE_FIELDS, expected_of


@dataclass(frozen=True, slots=True)
class Proposal:
    """A field as another shot's draft has it: as cut, its normal form, the chance that it is right, and the photo."""

    raw: str
    value: Any
    confidence: float
    photo_id: int
    filename: str


def proposals(view: RecordView) -> dict[str, tuple[Proposal, ...]]:
    """Fields that a draft leaves blank or reads otherwise than shots that wait behind it, the surest first."""
    if view.state is not RecordState.DRAFT:
        return {}
    return {name: found for name in sorted(CORRECTABLE_FIELDS) if (found := _of_field(name, view))}


def contested(field: RecordField, others: Sequence[Proposal]) -> RecordField:
    """A field whose confidence is the chance that it is right and the others, which say something else, are wrong."""
    confidence = field.confidence
    for other in others:
        right, wrong = confidence * (1 - other.confidence), 1 - confidence
        confidence = right / (right + wrong) if right + wrong else 0.0
    return dataclasses.replace(field, confidence=confidence)


def sense(value: Any) -> str:
    """What a value says, without the words that it was taken from."""
    if isinstance(value, Mapping):
        value = {key: part for key, part in value.items() if key != "raw"}
    return json.dumps(value, sort_keys=True)


def _of_field(name: str, view: RecordView) -> tuple[Proposal, ...]:
    own = view.fields.get(name)
    if own is not None and own.decided_by is not None:
        return ()
    known, found = {sense(own.value if own is not None else None)}, []
    read = [
        (field, shot)
        for shot in view.other_shots
        if shot.state is RecordState.DRAFT and (field := shot.fields.get(name)) is not None
    ]
    for field, shot in sorted(read, key=lambda one: -one[0].confidence):
        if field.raw and expected_of(name, field.value) is None and sense(field.value) not in known:
            known.add(sense(field.value))
            found.append(Proposal(field.raw, field.value, field.confidence, shot.photo_id, shot.filename))
    return tuple(found)
