"""Verified records, for portals."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import Portal, ReadSession
from api.params import Cursor, Limit, RowId
from api.problems import responses
from api.schemas import HistoryEntry, Record, RecordDetail, RecordPage, cursor_of, id_of
from ocr_service import publication

router = APIRouter(tags=["records"])

_Text = Annotated[str | None, Query(max_length=200)]
_Year = Annotated[int | None, Query(ge=1800, le=2100)]


@router.get("/records", summary="Search verified records", responses=responses(422))
def search(
    session: ReadSession,
    _actor: Portal,
    q: Annotated[
        str | None,
        Query(
            max_length=200,
            description="Beginnings of words, in any field. Toneless finds every tone, with marks only that one.",
            examples=["nguyen van mau", "nguyễn"],
        ),
    ] = None,
    name: _Text = None,
    hometown: _Text = None,
    birth_year: _Year = None,
    death_year: _Year = None,
    cemetery: _Text = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> RecordPage:
    """Every given condition must hold. A year meets every date that may mean it: 1953 meets `195X`."""
    found = publication.search_records(
        session,
        q=q,
        name=name,
        hometown=hometown,
        birth_year=birth_year,
        death_year=death_year,
        cemetery=cemetery,
        after_id=id_of(cursor) or 0,
        limit=limit + 1,
    )
    items, more = found[:limit], len(found) > limit
    return RecordPage(
        items=[Record.model_validate(record) for record in items], next_cursor=cursor_of(items[-1].id) if more else None
    )


@router.get("/records/{record_id}", summary="A verified record with its history", responses=responses(404, 422))
def get_record(record_id: RowId, session: ReadSession, _actor: Portal) -> RecordDetail:
    """404 also for one that is not verified."""
    detail = RecordDetail.model_validate(publication.get_record(session, record_id))
    history = [HistoryEntry.model_validate(entry) for entry in publication.public_history(session, record_id)]
    return detail.model_copy(update={"history": history})
