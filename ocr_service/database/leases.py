"""Queries on leases of photos: claim, begin, give back. A token fences off whoever held a photo before."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, and_, select, update
from sqlalchemy.orm import Session

from ocr_service.database.models import Photo
from ocr_service.database.values import Claim
from ocr_service.records import Context
from ocr_service.states import PhotoState, check_photo_move


def claim(session: Session, owner: str, limit: int, lease_s: float, now: datetime) -> list[Claim]:
    """Take up to ``limit`` received photos, oldest first, in one statement; nobody else gets the same ones."""
    waiting = (
        select(Photo.id)
        .where(Photo.state == PhotoState.RECEIVED)
        .order_by(Photo.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has one writer at a time and leaves it out
    )
    until = now + timedelta(seconds=lease_s)
    taken = session.execute(
        update(Photo)
        .where(Photo.id.in_(waiting.scalar_subquery()))
        .values(
            state=PhotoState.READING,
            lease_owner=owner,
            lease_until=until,
            lease_token=Photo.lease_token + 1,
            changed_at=now,
        )
        .returning(Photo.id, Photo.sha256, Photo.filename, Photo.context, Photo.attempts, Photo.lease_token)
        .execution_options(synchronize_session=False)
    ).all()
    return [
        Claim(row.id, row.sha256, row.filename, Context(**row.context), row.attempts, owner, row.lease_token, until)
        for row in sorted(taken, key=lambda row: int(row.id))
    ]


def begin(session: Session, held: Claim, lease_s: float, now: datetime) -> Claim | None:
    """Count a try and renew the lease; None where the claim was lost meanwhile."""
    until = now + timedelta(seconds=lease_s)
    attempts = session.scalar(
        update(Photo)
        .where(*_still_held(held))
        .values(attempts=Photo.attempts + 1, lease_until=until, changed_at=now)
        .returning(Photo.attempts)
        .execution_options(synchronize_session="fetch")
    )
    return None if attempts is None else dataclasses.replace(held, attempts=attempts, until=until)


def has_work(session: Session, now: datetime) -> bool:
    """Whether a photo waits or was left behind; reads only, so that idle readers hold nobody up."""
    waits = Photo.state == PhotoState.RECEIVED
    left = and_(Photo.state == PhotoState.READING, Photo.lease_until < now)
    return any(session.scalar(select(Photo.id).where(which).limit(1)) is not None for which in (waits, left))


def expired(session: Session, now: datetime) -> Sequence[Photo]:
    """Photos whose reader let its lease run out, locked for whoever asks."""
    return session.scalars(
        select(Photo)
        .where(Photo.state == PhotoState.READING, Photo.lease_until < now)
        .order_by(Photo.id)
        .with_for_update(skip_locked=True)
    ).all()


def held_by(session: Session, owner: str) -> Sequence[Photo]:
    """Photos that one reader holds."""
    return session.scalars(
        select(Photo)
        .where(Photo.state == PhotoState.READING, Photo.lease_owner == owner)
        .order_by(Photo.id)
        .with_for_update(skip_locked=True)
    ).all()


def leave_reading(session: Session, held: Claim, state: PhotoState, now: datetime, **facts: Any) -> bool:
    """End a claim in ``state``; False where the claim was lost meanwhile, and then nothing changes."""
    check_photo_move(PhotoState.READING, state)
    result = session.execute(
        update(Photo)
        .where(*_still_held(held))
        .values(state=state, lease_owner=None, lease_until=None, changed_at=now, **facts)
        .execution_options(synchronize_session="fetch")
    )
    assert isinstance(result, CursorResult)  # noqa: S101 - what an UPDATE gives
    return result.rowcount == 1


def _still_held(held: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        Photo.id == held.photo_id,
        Photo.state == PhotoState.READING,
        Photo.lease_token == held.token,
        Photo.lease_owner == held.owner,
    )
