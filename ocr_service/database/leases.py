"""Queries on leases of photos: claim, begin, end, give back. A token fences off whoever held a photo before."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, Text, bindparam, case, cast, literal, select, update
from sqlalchemy.orm import Session

from ocr_service.database.models import Photo, in_state, of_priority
from ocr_service.database.values import Claim, HeldPhoto
from ocr_service.records import Context, RejectReason
from ocr_service.states import PhotoState, Priority, check_photo_move

PHOTOS: Table = Photo.__table__  # type: ignore[assignment]

FELL_SILENT = literal("its reader fell silent (").concat(Photo.lease_owner).concat(")")


def claim(
    session: Session,
    owner: str,
    limit: int,
    lease_s: float,
    now: datetime,
    ids: Sequence[int] | None = None,
    priority: Priority | None = None,
) -> list[Claim]:
    """Take up to ``limit`` received photos in one statement; nobody else gets the same ones.

    Those that people wait for first, then the oldest; only some of ``ids``, or of one priority, where that is given.
    """
    waiting = select(Photo.id).where(in_state(PhotoState.RECEIVED)).limit(limit)
    waiting = waiting.order_by(Photo.priority, Photo.id) if ids is None else waiting.where(Photo.id.in_(ids))
    if priority is not None:
        waiting = waiting.where(of_priority(priority))
    # SKIP LOCKED is PostgreSQL's; SQLite has one writer at a time and leaves it out. A common table expression with a
    # lock in it is run once; a plain subquery may be run again and again and would then claim more than its limit.
    taken = waiting.with_for_update(skip_locked=True).cte("waiting")
    until = now + timedelta(seconds=lease_s)
    rows = session.execute(
        update(Photo)
        .where(Photo.id.in_(select(taken.c.id)))
        .values(
            state=PhotoState.READING,
            lease_owner=owner,
            lease_until=until,
            lease_token=Photo.lease_token + 1,
            queued_at=None,  # the message did its work; a photo that is given back needs another
            changed_at=now,
        )
        .returning(
            Photo.id,
            Photo.sha256,
            Photo.filename,
            Photo.context,
            Photo.attempts,
            Photo.lease_token,
            Photo.priority,
            Photo.batch_id,
        )
        .execution_options(synchronize_session=False)
    ).all()
    return [
        Claim(
            photo_id=row.id,
            sha256=row.sha256,
            filename=row.filename,
            context=Context(**row.context),
            attempts=row.attempts,
            owner=owner,
            token=row.lease_token,
            until=until,
            priority=Priority(row.priority),
            batch_id=row.batch_id,
        )
        for row in sorted(rows, key=lambda row: (row.priority, row.id))
    ]


def has_work(session: Session, now: datetime) -> bool:
    """Whether a photo waits or was left behind; reads only, so that idle readers hold nobody up."""
    waits = select(Photo.id).where(in_state(PhotoState.RECEIVED)).order_by(Photo.priority, Photo.id)
    left = select(Photo.id).where(in_state(PhotoState.READING), Photo.lease_until < now)
    return any(session.scalar(which.limit(1)) is not None for which in (waits, left))


def begin(session: Session, claims: Sequence[Claim], lease_s: float, now: datetime) -> list[Claim]:
    """Count a try for each and renew the leases; claims that were lost meanwhile are left out."""
    held = [claim for claim, photo in zip(claims, lock_held(session, claims), strict=True) if photo is not None]
    until = now + timedelta(seconds=lease_s)
    rows = session.execute(
        update(Photo)
        .where(Photo.id.in_([claim.photo_id for claim in held]))
        .values(attempts=Photo.attempts + 1, lease_until=until, changed_at=now)
        .returning(Photo.id, Photo.attempts)
        .execution_options(synchronize_session="fetch")
    )
    attempts = {row.id: row.attempts for row in rows}
    return [dataclasses.replace(claim, attempts=attempts[claim.photo_id], until=until) for claim in held]


def lock_held(session: Session, claims: Sequence[Claim]) -> list[HeldPhoto | None]:
    """For each claim its photo, locked until the transaction ends; None where the claim was lost, or named before."""
    rows = session.execute(
        select(Photo.id, Photo.lease_token, Photo.lease_owner, Photo.cemetery_id, Photo.grave_id, Photo.batch_id)
        .where(Photo.id.in_([claim.photo_id for claim in claims]), in_state(PhotoState.READING))
        .order_by(Photo.id)  # two that lock the same rows in one order never wait for each other in a ring
        .with_for_update(key_share=True)
    )
    held = {
        (row.id, row.lease_token, row.lease_owner): HeldPhoto(row.id, row.cemetery_id, row.grave_id, row.batch_id)
        for row in rows
    }
    return [held.pop((claim.photo_id, claim.token, claim.owner), None) for claim in claims]


def leave_reading(session: Session, ends: Sequence[tuple[int, PhotoState, Mapping[str, Any]]], now: datetime) -> None:
    """End claims that ``lock_held`` found to hold: photo, new state and the facts to note, the same ones for all."""
    for state in {state for _, state, _ in ends}:
        check_photo_move(PhotoState.READING, state)
    if not ends:
        return
    facts: dict[str, Any] = {name: bindparam(name) for name in ends[0][2]}
    statement = (
        update(PHOTOS)
        .where(PHOTOS.c.id == bindparam("photo"))
        .values(state=bindparam("to"), lease_owner=None, lease_until=None, changed_at=now, **facts)
    )
    session.execute(statement, [{"photo": photo, "to": state, **noted} for photo, state, noted in ends])
    session.expire_all()  # this statement went past the session, whose photos may have been loaded before


def give_back(
    session: Session, which: ColumnElement[bool], detail: ColumnElement[str], max_attempts: int, now: datetime
) -> int:
    """Take photos from whoever reads them: back into the queue, or failed with the evidence. Number of photos."""
    held = select(Photo.id).where(in_state(PhotoState.READING), which).with_for_update(skip_locked=True).cte("held")
    spent = Photo.attempts >= max_attempts
    tries = literal("given up after ").concat(cast(Photo.attempts, Text)).concat(" tries; the last time ")
    given = session.execute(
        update(Photo)
        .where(Photo.id.in_(select(held.c.id)))
        .values(
            state=case((spent, literal(PhotoState.FAILED, Photo.state.type)), else_=PhotoState.RECEIVED),
            reason=case((spent, literal(RejectReason.READER_FAILED, Photo.reason.type)), else_=Photo.reason),
            detail=case((spent, tries.concat(detail)), else_=detail),
            lease_owner=None,
            lease_until=None,
            lease_token=Photo.lease_token + 1,
            changed_at=now,
        )
        .returning(Photo.id)
        .execution_options(synchronize_session="fetch")
    )
    return len(given.all())
