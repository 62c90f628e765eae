"""Which reading of a name line stands: what was read, what the reader saw else, or what alone it can be."""

from __future__ import annotations

from ocr_service.fields.draft import LEAST_SCORE, UNSURE_BELOW, Draft, Item
from ocr_service.fields.name_suggestion import Proposal, may_be_name
from ocr_service.fields.names import NameReading, is_plausible_name, is_spelled_possibly, read_name, with_name


def as_it_can_be(draft: Draft, reading: NameReading, item: Item, proposal: Proposal | None) -> NameReading:
    """The reading, or where it cannot be a name as it stands, what the reader saw else or what alone it can be.

    What was read stays in ``raw``. Of a line that was guessed nothing is made: its other readings are guesses too. Of
    others a reading is taken that is a name with nothing odd about it; a spelling is forced only where no other reading
    holds a further word that may be a name.
    """
    if may_be_name(reading.raw) or draft.is_doubtful(item):
        return reading
    least = LEAST_SCORE if is_spelled_possibly(reading.raw) and reading.name else 0.0
    others = [
        read_name(other.text.rpartition(":")[2])
        for line in item.lines
        for other in draft.other_readings.get(line, ())
        if other.score >= least
    ]
    plain = [other for other in others if other.name and is_plausible_name(other.raw) and may_be_name(other.raw)]
    if plain:
        return with_name(reading, plain[0].name, "chosen_alternative")
    disputed = any(
        other.name not in (None, proposal and proposal.name) and is_spelled_possibly(other.raw) for other in others
    )
    if proposal and proposal.is_forced and not disputed and draft.sure(item) >= UNSURE_BELOW:
        return with_name(reading, proposal.name, "spelling_fix")
    return reading
