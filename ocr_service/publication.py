"""What the portal may see: verified records, without anything about living people."""

from __future__ import annotations

import dataclasses

from sqlalchemy.orm import Session

from ocr_service.database import audit, drafts, photos
from ocr_service.errors import NotFoundError
from ocr_service.redaction import (
    DERIVED_FIELDS,
    SEEN_FIELDS,
    HistoryEntry,
    PublishedField,
    PublishedRecord,
    has_personal_data,
    publishable,
)
from ocr_service.states import VERIFIED_STATES

__all__ = [
    "HistoryEntry",
    "PublishedField",
    "PublishedRecord",
    "get_record",
    "may_show_photo",
    "public_history",
    "search_records",
]


def search_records(
    session: Session,
    *,
    q: str | None = None,
    name: str | None = None,
    hometown: str | None = None,
    birth_year: int | None = None,
    death_year: int | None = None,
    cemetery: str | None = None,
    after_id: int = 0,
    limit: int = 50,
) -> list[PublishedRecord]:
    """Verified records that meet every given condition, by id; go on with ``after_id`` of the last one.

    Texts are found by the beginnings of their words, toneless or with marks: ``nguyen`` finds Nguyễn, ``nguyễn`` only
    Nguyễn. A year meets every date that may mean it (1953 meets ``195X``).
    """
    found = drafts.search(
        session,
        q=q,
        name=name,
        hometown=hometown,
        birth_year=birth_year,
        death_year=death_year,
        cemetery=cemetery,
        after_id=after_id,
        limit=limit,
    )
    return [publishable(facts) for facts in found]


def get_record(session: Session, record_id: int) -> PublishedRecord:
    """One verified record. Raises ``NotFoundError``, also for one that is not verified: that it exists is no news."""
    facts = drafts.facts(session, record_id)
    if facts.state not in VERIFIED_STATES:
        raise NotFoundError(f"there is no record {record_id}")
    return publishable(facts)


def public_history(session: Session, record_id: int) -> list[HistoryEntry]:
    """The verdicts on a verified record, oldest first. Raises ``NotFoundError`` as ``get_record`` does."""
    get_record(session, record_id)
    actions: dict[str, HistoryEntry] = {}
    for row in audit.of_record(session, record_id):
        if row.field == audit.STATE_FIELD:
            actions[row.action] = HistoryEntry(row.version, row.at, row.verdict, ())
        elif row.field in SEEN_FIELDS | DERIVED_FIELDS:
            entry = actions[row.action]
            actions[row.action] = dataclasses.replace(entry, fields=(*entry.fields, row.field))
    return list(actions.values())


def may_show_photo(session: Session, photo_id: int) -> bool:
    """Whether the public may see a photo: its record is verified and nothing on the stone is about living people."""
    record_id = drafts.id_of_photo(session, photos.get(session, photo_id).id)
    if record_id is None:
        return False
    row = drafts.get(session, record_id)
    return row.state in VERIFIED_STATES and not has_personal_data(drafts.fields_of(row))
