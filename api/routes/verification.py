"""The queue of drafts and what people decide."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.deps import ReadSession, SettingsDep, Verifier, WriteSession
from api.params import Cursor, Limit, RowId
from api.problems import responses
from api.schemas import DecisionRequest, Draft, DraftPage, Proposal, UndoRequest, cursor_of, id_of
from ocr_service import verification
from ocr_service.database.values import RecordView
from ocr_service.verification import Correction

router = APIRouter(tags=["verification"])

_NOTHING_WAITS: dict[int | str, dict[str, Any]] = {204: {"description": "No free draft is left."}}


@router.get("/queue", summary="Drafts that wait, one a grave, oldest first", responses=responses(422))
def queue(session: ReadSession, _actor: Verifier, cursor: Cursor = None, limit: Limit = 20) -> DraftPage:
    """Looking leases nothing; `POST /queue/next` does."""
    found = verification.queue(session, after_id=id_of(cursor) or 0, limit=limit + 1)
    items, more = found[:limit], len(found) > limit
    return DraftPage(items=[_draft(draft) for draft in items], next_cursor=cursor_of(items[-1].id) if more else None)


@router.post(
    "/queue/next",
    summary="Take the next free draft",
    response_model=Draft,
    responses=_NOTHING_WAITS | responses(422),
)
def take_next(
    session: WriteSession,
    actor: Verifier,
    settings: SettingsDep,
    after_id: Annotated[int, Query(ge=0, le=2**63 - 1, description="Skip drafts up to this one.")] = 0,
) -> Draft | Response:
    """Leased to whoever asks, so that two people do not work on the same one."""
    draft = verification.next_draft(session, actor.name, after_id=after_id, lease_s=settings.review_lease_s)
    return Response(status_code=HTTPStatus.NO_CONTENT) if draft is None else _draft(draft)


@router.get("/drafts/{draft_id}", summary="A draft or record as staff see it", responses=responses(404, 422))
def get_draft(draft_id: RowId, session: ReadSession, _actor: Verifier) -> Draft:
    """Whatever its state."""
    return _draft(verification.get_record(session, draft_id))


@router.post("/drafts/{draft_id}/lease", summary="Take one draft", responses=responses(404, 409, 422))
def lease(draft_id: RowId, session: WriteSession, actor: Verifier, settings: SettingsDep) -> Draft:
    """409 where it is with another reviewer or decided."""
    return _draft(verification.open_draft(session, draft_id, actor.name, lease_s=settings.review_lease_s))


@router.post("/drafts/{draft_id}/decisions", summary="Decide on a draft or record", responses=responses(404, 409, 422))
def decide(draft_id: RowId, decision: DecisionRequest, session: WriteSession, actor: Verifier) -> Draft:
    """409 where somebody else was faster: `expected_version` is no longer the version; or the grave has its record."""
    values = {name: Correction(value.raw, value.value) for name, value in decision.values.items()}
    return _draft(
        verification.decide(
            session,
            draft_id,
            decision.verdict,
            reviewer=actor.name,
            expected_version=decision.expected_version,
            values=values,
            reason=decision.reason,
            shots=decision.shots,
        )
    )


@router.post("/decisions/undo", summary="Take back one's own last decision", responses=responses(404, 409, 422))
def undo(session: WriteSession, actor: Verifier, request: UndoRequest | None = None) -> Draft:
    """Nothing is erased: the undo is a further decision."""
    return _draft(verification.undo(session, actor.name, reason=request.reason if request else None))


def _draft(record: RecordView) -> Draft:
    proposed = {
        name: [Proposal.model_validate(one) for one in found] for name, found in verification.proposals(record).items()
    }
    return Draft.model_validate(record).model_copy(update={"proposals": proposed})
