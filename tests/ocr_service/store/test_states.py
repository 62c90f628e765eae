from __future__ import annotations

import pytest

from ocr_service.errors import ConflictError
from ocr_service.states import (
    PHOTO_MOVES,
    PHOTO_STATE_OF,
    RECORD_MOVES,
    STATE_AFTER,
    PhotoState,
    RecordState,
    Verdict,
    check_photo_move,
    check_record_move,
)


def test_every_state_has_its_moves() -> None:
    assert set(PHOTO_MOVES) == set(PhotoState)
    assert set(RECORD_MOVES) == set(RecordState) == set(PHOTO_STATE_OF)
    assert set(STATE_AFTER) == set(Verdict) - {Verdict.UNDO}


def test_every_photo_can_come_to_a_persons_decision_from_wherever_it_is() -> None:
    for start in PhotoState:
        reached = {start}
        while more := {after for state in reached for after in PHOTO_MOVES[state]} - reached:
            reached |= more
        assert PhotoState.VERIFIED in reached


def test_whatever_is_legal_for_a_record_is_legal_for_its_photo_in_both_directions() -> None:
    for before, moves in RECORD_MOVES.items():
        for after in moves:
            one, other = PHOTO_STATE_OF[before], PHOTO_STATE_OF[after]
            if one is not other:
                check_photo_move(one, other)
                check_photo_move(other, one)


def test_no_decision_makes_a_draft_but_an_undo_does() -> None:
    with pytest.raises(ConflictError):
        check_record_move(RecordState.ACCEPTED, RecordState.DRAFT)
    check_record_move(RecordState.ACCEPTED, RecordState.DRAFT, undo=True)
    with pytest.raises(ConflictError):
        check_record_move(RecordState.DRAFT, RecordState.ACCEPTED, undo=True)
