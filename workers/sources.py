"""Where a reading process takes its photos from: whatever waits, or those that a message names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from sqlalchemy.orm import Session

from ocr_service import intake
from ocr_service.database.values import Claim
from ocr_service.settings import Settings
from ocr_service.states import Priority

Source: TypeAlias = Callable[[Session, str, int], list[Claim]]
"""Claims up to so many photos for an owner; none when there is nothing more."""


def whatever_waits(settings: Settings) -> Source:
    """Photos by priority, then the oldest."""

    def claim(session: Session, owner: str, limit: int) -> list[Claim]:
        return intake.claim_photos(
            session, owner, limit=limit, lease_s=settings.lease_s, max_attempts=settings.max_attempts
        )

    return claim


def named(ids: Sequence[int], settings: Settings) -> Source:
    """Photos that a message names, and between them those that people wait for, whoever was told of them.

    A message of many photos may keep a reader for minutes, and a message that a person waits for may lie behind it.
    """

    def claim(session: Session, owner: str, limit: int) -> list[Claim]:
        lease_s, attempts = settings.lease_s, settings.max_attempts
        waited_for = intake.claim_photos(
            session, owner, limit=limit, lease_s=lease_s, max_attempts=attempts, priority=Priority.WAITING
        )
        return waited_for or intake.claim_photos(
            session, owner, limit=limit, lease_s=lease_s, max_attempts=attempts, ids=ids
        )

    return claim
