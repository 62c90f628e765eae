"""The states of a photo and of a record, each with its one table of legal moves.

    photo    received → reading → in_verification → verified | further_shot | cannot_read | not_a_headstone
                 ↑        ├→ rejected   the file is no photo that can be read; says why
                 └────────┴→ failed     the reader broke on it; says what was seen
    record   draft → accepted | corrected        (both are verified: a person looked and said so)
                   → cannot_read | not_a_headstone
                   → further_shot   of a grave that another photo's record was verified for; draft again once it is not

``read`` is no state of its own: a reading and its draft are stored in one transaction, so a photo that was read is in
verification.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType

from ocr_service.errors import ConflictError


class PhotoState(StrEnum):
    """Where a photo stands. Every photo is in exactly one of these."""

    RECEIVED = "received"
    READING = "reading"
    IN_VERIFICATION = "in_verification"
    VERIFIED = "verified"
    FURTHER_SHOT = "further_shot"
    CANNOT_READ = "cannot_read"
    NOT_A_HEADSTONE = "not_a_headstone"
    REJECTED = "rejected"
    FAILED = "failed"


class Priority(IntEnum):
    """Whose photos are read first; lower comes earlier."""

    WAITING = 0  # a person looks at the page and waits
    BULK = 1  # whole cemeteries, read when their turn comes


class FileState(StrEnum):
    """Where a file of a batch stands, for its accounts. Every file of every batch is in exactly one of these."""

    ANNOUNCED = "announced"
    REFUSED = "refused"  # never became a photo; says why
    DUPLICATE = "duplicate"  # the same bytes as a photo that came before
    RECEIVED = "received"
    QUEUED = "queued"  # received, and a message says so
    READING = "reading"
    IN_VERIFICATION = "in_verification"
    NEEDS_REPHOTOGRAPH = "needs_rephotograph"  # read, but the photo kept text from being read; a person looks at it too
    VERIFIED = "verified"
    FURTHER_SHOT = "further_shot"  # shows the grave of another photo, whose record was verified
    CANNOT_READ = "cannot_read"
    NOT_A_HEADSTONE = "not_a_headstone"
    REJECTED = "rejected"
    FAILED = "failed"


class RecordState(StrEnum):
    """Where a record stands. ``draft`` is what the reader proposed; everything else was said by a person."""

    DRAFT = "draft"
    ACCEPTED = "accepted"
    CORRECTED = "corrected"
    FURTHER_SHOT = "further_shot"
    CANNOT_READ = "cannot_read"
    NOT_A_HEADSTONE = "not_a_headstone"


class Verdict(StrEnum):
    """What a person says about a draft or a record; ``undo`` takes the same person's last word back.

    ``same_grave``: it is a further shot of a grave that has its record. ``detach``: it is to be looked at by itself.
    """

    ACCEPT = "accept"
    CORRECT = "correct"
    SAME_GRAVE = "same_grave"
    DETACH = "detach"
    CANNOT_READ = "cannot_read"
    NOT_A_HEADSTONE = "not_a_headstone"
    UNDO = "undo"


VERIFIED_STATES = frozenset({RecordState.ACCEPTED, RecordState.CORRECTED})

_DECIDED = frozenset({PhotoState.VERIFIED, PhotoState.FURTHER_SHOT, PhotoState.CANNOT_READ, PhotoState.NOT_A_HEADSTONE})

PHOTO_MOVES: Mapping[PhotoState, frozenset[PhotoState]] = MappingProxyType(
    {
        # a reading made elsewhere (the command line) may be stored without a worker having claimed the photo
        PhotoState.RECEIVED: frozenset({PhotoState.READING, PhotoState.IN_VERIFICATION, PhotoState.REJECTED}),
        PhotoState.READING: frozenset(
            {PhotoState.RECEIVED, PhotoState.IN_VERIFICATION, PhotoState.REJECTED, PhotoState.FAILED}
        ),
        PhotoState.IN_VERIFICATION: _DECIDED,
        PhotoState.VERIFIED: _DECIDED | {PhotoState.IN_VERIFICATION},
        PhotoState.FURTHER_SHOT: _DECIDED | {PhotoState.IN_VERIFICATION},
        PhotoState.CANNOT_READ: _DECIDED | {PhotoState.IN_VERIFICATION},
        PhotoState.NOT_A_HEADSTONE: _DECIDED | {PhotoState.IN_VERIFICATION},
        PhotoState.REJECTED: frozenset({PhotoState.RECEIVED}),
        PhotoState.FAILED: frozenset({PhotoState.RECEIVED}),
    }
)

_LATER = frozenset(
    {RecordState.CORRECTED, RecordState.FURTHER_SHOT, RecordState.CANNOT_READ, RecordState.NOT_A_HEADSTONE}
)

RECORD_MOVES: Mapping[RecordState, frozenset[RecordState]] = MappingProxyType(
    {
        # a draft that is told apart from another shot stays one
        RecordState.DRAFT: frozenset(RecordState),
        # what was verified can still be wrong: a later look may correct it, never silently
        RecordState.ACCEPTED: _LATER,
        RecordState.CORRECTED: _LATER,
        RecordState.FURTHER_SHOT: frozenset({RecordState.DRAFT}),
        RecordState.CANNOT_READ: (_LATER | {RecordState.ACCEPTED}) - {RecordState.CANNOT_READ},
        RecordState.NOT_A_HEADSTONE: (_LATER | {RecordState.ACCEPTED}) - {RecordState.NOT_A_HEADSTONE},
    }
)

STATE_AFTER: Mapping[Verdict, RecordState] = MappingProxyType(
    {
        Verdict.ACCEPT: RecordState.ACCEPTED,
        Verdict.CORRECT: RecordState.CORRECTED,
        Verdict.SAME_GRAVE: RecordState.FURTHER_SHOT,
        Verdict.DETACH: RecordState.DRAFT,
        Verdict.CANNOT_READ: RecordState.CANNOT_READ,
        Verdict.NOT_A_HEADSTONE: RecordState.NOT_A_HEADSTONE,
    }
)

PHOTO_STATE_OF: Mapping[RecordState, PhotoState] = MappingProxyType(
    {
        RecordState.DRAFT: PhotoState.IN_VERIFICATION,
        RecordState.ACCEPTED: PhotoState.VERIFIED,
        RecordState.CORRECTED: PhotoState.VERIFIED,
        RecordState.FURTHER_SHOT: PhotoState.FURTHER_SHOT,
        RecordState.CANNOT_READ: PhotoState.CANNOT_READ,
        RecordState.NOT_A_HEADSTONE: PhotoState.NOT_A_HEADSTONE,
    }
)


def check_photo_move(before: PhotoState, after: PhotoState) -> None:
    """Raise ``ConflictError`` unless a photo may go from ``before`` to ``after``."""
    if after not in PHOTO_MOVES[before]:
        raise ConflictError(f"a photo that is {before} cannot become {after}; look at its page for what holds now")


def check_record_move(before: RecordState, after: RecordState, *, undo: bool = False) -> None:
    """Raise ``ConflictError`` unless a record may go from ``before`` to ``after``; an undo walks a move backwards."""
    legal = before in RECORD_MOVES[after] if undo else after in RECORD_MOVES[before]
    if not legal:
        raise ConflictError(f"a record that is {before} cannot become {after}; load it again to see what holds now")
