"""Handing photos in and following them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from api.deps import Collector, DatabaseDep, ReadSession, SettingsDep, Staff, StoreDep, WriteSession
from api.params import Cursor, Limit, RowId
from api.problems import file_problem, responses
from api.schemas import Photo, PhotoDetail, PhotoPage, Reading, ReceivedFile, UploadReceipt, cursor_of, id_of
from api.uploads import receive_upload
from ocr_service import intake
from ocr_service.states import PhotoState

router = APIRouter(tags=["photos"])

_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1},
                        "cemetery": {"type": "string", "description": "Name of the cemetery, for all files."},
                        "province": {"type": "string"},
                        "commune": {"type": "string"},
                        "plot": {"type": "string", "description": "Plot of the one grave that all files show."},
                        "label": {"type": "string", "description": "Name of the batch."},
                    },
                }
            }
        },
    }
}


@router.post(
    "/photos",
    status_code=HTTPStatus.ACCEPTED,
    summary="Hand photos in",
    responses=responses(400, 413, 415, 422, 507),
    openapi_extra=_FORM,
)
async def upload(
    request: Request, actor: Collector, settings: SettingsDep, database: DatabaseDep, store: StoreDep
) -> UploadReceipt:
    """Each file is answered for: taken in, known already, or refused with its problem; the rest go on."""
    receipt = await receive_upload(request, actor, settings, database, store)
    return UploadReceipt(batch_id=receipt.batch_id, files=[_file(file) for file in receipt.files])


@router.get("/photos", summary="Photos, newest first", responses=responses(422))
def list_photos(
    session: ReadSession,
    _actor: Staff,
    state: Annotated[PhotoState | None, Query(description="Only photos in this state.")] = None,
    batch_id: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PhotoPage:
    """Every photo is in exactly one state."""
    found = intake.list_photos(session, state=state, batch_id=batch_id, before_id=id_of(cursor), limit=limit + 1)
    items, more = found[:limit], len(found) > limit
    return PhotoPage(
        items=[Photo.model_validate(photo) for photo in items], next_cursor=cursor_of(items[-1].id) if more else None
    )


@router.get("/photos/{photo_id}", summary="A photo with what was read", responses=responses(404, 422))
def get_photo(photo_id: RowId, session: ReadSession, _actor: Staff) -> PhotoDetail:
    """State, reason where it was rejected, and the last reading."""
    detail = PhotoDetail.model_validate(intake.get_photo(session, photo_id))
    reading = intake.get_reading(session, photo_id)
    return detail.model_copy(update={"reading": None if reading is None else Reading.model_validate(reading)})


@router.post(
    "/photos/{photo_id}/retry",
    status_code=HTTPStatus.ACCEPTED,
    summary="Read a rejected or failed photo again",
    responses=responses(404, 409, 422),
)
def retry(photo_id: RowId, session: WriteSession, _actor: Staff) -> Photo:
    """It goes back into the queue with all its tries."""
    return Photo.model_validate(intake.retry(session, photo_id))


def _file(received: intake.ReceivedPhoto) -> ReceivedFile:
    problem = None
    if received.photo_id is None and received.reason is not None:
        problem = file_problem(received.reason, received.detail)
    return ReceivedFile(
        filename=received.filename,
        photo_id=received.photo_id,
        sha256=received.sha256,
        state=received.state,
        duplicate=received.duplicate,
        problem=problem,
    )
