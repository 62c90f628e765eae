"""Photos of a batch that show one grave find each other as they are read, in whatever order that is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from ocr_service.database import shots
from ocr_service.database.models import Photo


def attach_shots(session: Session, photo: Photo, now: datetime) -> None:
    """Tell anew which neighbours of a photo that was just read show its grave, and which of them shows it best.

    The window reaches one grave further than the photos that are told anew, so that its edge cuts no group in two.
    """
    from ocr_service.reading.shots import REACH, group_shots  # the reader's libraries, which only readers need

    around = shots.readings_around(session, photo, 2 * REACH)
    graves = group_shots([reading for _, reading in around])
    ids = [photo_id for photo_id, _ in around]
    place = ids.index(photo.id) if photo.id in ids else 0
    near = ids[max(0, place - REACH) : place + REACH + 1]
    shots.attach(session, near, [(ids[grave.best], [ids[at] for at in grave.shots]) for grave in graves], now)
