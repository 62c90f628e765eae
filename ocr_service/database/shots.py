"""Queries on shots: which photos of a batch show the same grave as a better one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, literal_column, select, update
from sqlalchemy.orm import Session

from ocr_service.contract import reading_from_json
from ocr_service.database.models import Batch, Photo, ReadingRow, RecordRow, Shot
from ocr_service.records import Reading

_IS_DUE: ColumnElement[bool] = literal_column("photos.shots_due")  # as the partial index says it


def take_batch(session: Session, limit: int) -> int | None:
    """A batch with photos that are due, held until the transaction ends; None where others hold all of them.

    Two that told of neighbours at once would both write the same shots. Batches are looked for among the first
    ``limit`` photos that are due.
    """
    first = select(Photo.batch_id).where(_IS_DUE).order_by(Photo.batch_id, Photo.id).limit(limit).subquery()
    return session.scalar(
        select(Batch.id)
        .where(Batch.id.in_(select(first.c.batch_id)))
        .order_by(Batch.id)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    )


def hold_batch(session: Session, batch_id: int) -> None:
    """Wait until nobody else tells of a batch's shots, and keep others from it until the transaction ends."""
    session.execute(select(Batch.id).where(Batch.id == batch_id).with_for_update(key_share=True))


def due(session: Session, batch_id: int, limit: int) -> Sequence[int]:
    """Photos of a batch that were read and not compared with their neighbours since, in order."""
    return session.scalars(
        select(Photo.id).where(_IS_DUE, Photo.batch_id == batch_id).order_by(Photo.id).limit(limit)
    ).all()


def mark_told(session: Session, photo_ids: Collection[int]) -> None:
    """Photos are due no more."""
    session.execute(
        update(Photo)
        .where(Photo.id.in_(photo_ids))
        .values(shots_due=False)
        .execution_options(synchronize_session="fetch")
    )


def readings_around(
    session: Session, batch_id: int, first_id: int, last_id: int, reach: int
) -> list[tuple[int, Reading]]:
    """Newest readings of the photos from first to last, and of up to ``reach`` of the same batch before and after.

    In the order in which they came, without those that were not read yet.
    """
    batch = select(Photo.id).where(Photo.batch_id == batch_id)
    ids = [
        *session.scalars(batch.where(Photo.id < first_id).order_by(Photo.id.desc()).limit(reach)),
        *session.scalars(batch.where(Photo.id >= first_id, Photo.id <= last_id)),
        *session.scalars(batch.where(Photo.id > last_id).order_by(Photo.id).limit(reach)),
    ]
    newest = select(func.max(ReadingRow.id)).where(ReadingRow.photo_id.in_(ids)).group_by(ReadingRow.photo_id)
    rows = session.execute(
        select(ReadingRow.photo_id, ReadingRow.document).where(ReadingRow.id.in_(newest)).order_by(ReadingRow.photo_id)
    )
    return [(row.photo_id, reading_from_json(row.document)) for row in rows]


def attach(
    session: Session, photo_ids: Collection[int], groups: Sequence[tuple[int, Sequence[int]]], now: datetime
) -> None:
    """Say anew which of ``photo_ids`` are further shots of a better photo; groups are best photo and all its shots.

    Where a person has said something, it stays: such photos keep what they are a shot of, others join them and not the
    other way round, and none joins what was set apart.
    """
    known = {photo_id for _, shots in groups for photo_id in shots}
    settled = _settled(session, known)
    free = known & set(photo_ids) - settled.keys()
    session.execute(delete(Shot).where(Shot.photo_id.in_(free)))
    further = [
        {"photo_id": shot, "best_photo_id": best, "at": now}
        for best, shots in (_among_settled(best, shots, settled) for best, shots in groups)
        for shot in shots
        if shot != best and shot in free
    ]
    if further:
        session.execute(insert(Shot), further)


_APART = None


def _settled(session: Session, photo_ids: Collection[int]) -> dict[int, int | None]:
    """Photos that grouping leaves as they are, with the best photo of their graves; ``_APART`` for graves of one.

    Those are the photos that a person has said something about, and the best ones of such.
    """
    touched = RecordRow.version > 1
    of_touched = select(Shot.best_photo_id).join(RecordRow, RecordRow.photo_id == Shot.photo_id)
    settled: dict[int, int | None] = {
        best: best for best in session.scalars(of_touched.where(Shot.best_photo_id.in_(photo_ids), touched))
    }
    own = select(RecordRow.photo_id, Shot.best_photo_id).outerjoin(Shot, Shot.photo_id == RecordRow.photo_id)
    for photo_id, best in session.execute(own.where(RecordRow.photo_id.in_(photo_ids), touched)):
        settled[photo_id] = _APART if best == photo_id else best or photo_id
    return settled


def _among_settled(best: int, shots: Sequence[int], settled: Mapping[int, int | None]) -> tuple[int, Sequence[int]]:
    """A group without what was set apart, around the photo that its settled ones are around already."""
    together = [shot for shot in shots if settled.get(shot, shot) is not _APART]
    order = sorted(together, key=lambda shot: shot != best)
    around = (settled[shot] for shot in order if shot in settled)
    return next((known for known in around if known is not None), order[0] if order else best), together
