"""Queries on shots: which photos of a batch show the same grave as a better one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from ocr_service.contract import reading_from_json
from ocr_service.database.models import Photo, ReadingRow, Shot
from ocr_service.records import Reading


def readings_around(session: Session, photo: Photo, reach: int) -> list[tuple[int, Reading]]:
    """Photos of the same batch that were read, up to ``reach`` before and after this one, with their newest readings.

    In the order in which they came; each reading is named by its photo's id.
    """
    if photo.batch_id is None:
        return []
    before = select(Photo.id).where(Photo.batch_id == photo.batch_id, Photo.id <= photo.id)
    after = select(Photo.id).where(Photo.batch_id == photo.batch_id, Photo.id > photo.id)
    ids = [
        *reversed(session.scalars(before.order_by(Photo.id.desc()).limit(reach + 1)).all()),
        *session.scalars(after.order_by(Photo.id).limit(reach)),
    ]
    newest = select(func.max(ReadingRow.id)).where(ReadingRow.photo_id.in_(ids)).group_by(ReadingRow.photo_id)
    rows = session.scalars(select(ReadingRow).where(ReadingRow.id.in_(newest)).order_by(ReadingRow.photo_id))
    return [(row.photo_id, reading_from_json(row.document)) for row in rows]


def attach(
    session: Session, photo_ids: Iterable[int], groups: Iterable[tuple[int, Sequence[int]]], now: datetime
) -> None:
    """Say anew which of ``photo_ids`` are further shots of a better photo; groups are best photo and all its shots."""
    chosen = set(photo_ids)
    session.execute(delete(Shot).where(Shot.photo_id.in_(chosen)))
    for best, shots in groups:
        session.add_all(
            Shot(photo_id=shot, best_photo_id=best, at=now) for shot in shots if shot != best and shot in chosen
        )


def of_same_grave(session: Session, photo_id: int) -> list[tuple[int, str]]:
    """Ids and file names of the other photos of a photo's grave, the best first."""
    best = session.scalar(select(Shot.best_photo_id).where(Shot.photo_id == photo_id)) or photo_id
    attached = select(Shot.photo_id).where(Shot.best_photo_id == best)
    found = session.execute(
        select(Photo.id, Photo.filename)
        .where(or_(Photo.id == best, Photo.id.in_(attached)), Photo.id != photo_id)
        .order_by((Photo.id != best), Photo.id)
    )
    return [(other, filename) for other, filename in found]
