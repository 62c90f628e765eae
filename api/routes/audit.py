"""The append-only log of decisions, for staff."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import ReadSession, Verifier
from api.params import Cursor, Limit
from api.problems import responses
from api.schemas import ChainReport, Decision, DecisionPage, cursor_of, id_of
from ocr_service import verification

router = APIRouter(prefix="/audit", tags=["audit"])


@router.get("", summary="Decisions, newest first", responses=responses(422))
def decisions(
    session: ReadSession,
    _actor: Verifier,
    record_id: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="Only decisions on this record.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> DecisionPage:
    """Who, when, which field, what before and after, why."""
    found = verification.audit_page(session, record_id=record_id, before_id=id_of(cursor), limit=limit + 1)
    items, more = found[:limit], len(found) > limit
    return DecisionPage(
        items=[Decision.model_validate(row) for row in items], next_cursor=cursor_of(items[-1].id) if more else None
    )


@router.get("/chain", summary="Whether the log still is what was written")
def chain(session: ReadSession, _actor: Verifier) -> ChainReport:
    """Walks the whole hash chain, and checks every decided record against it."""
    return ChainReport.model_validate(verification.verify_audit_chain(session))
