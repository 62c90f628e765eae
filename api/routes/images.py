"""Pictures of photos and of their lines. Originals never leave: they may hold the place and living people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sqlalchemy.orm import Session

from api.access import Actor
from api.deps import Anybody, ReadSession, Staff, StoreDep
from api.images import line_jpeg, photo_jpeg
from api.keys import Role
from api.params import RowId
from api.problems import responses
from ocr_service import intake, publication
from ocr_service.database.values import PhotoView
from ocr_service.errors import NotFoundError

router = APIRouter(tags=["photos"])

_JPEG: dict[int | str, dict[str, Any]] = {
    200: {"description": "A JPEG.", "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
    304: {"description": "The browser has it already."},
}


def _one_at_a_time() -> None:
    """Each picture in decoding takes memory for all its pixels; two at once keep a small machine alive."""


_DecodingSlot = Annotated[None, Depends(_one_at_a_time, scope="function", max_concurrency=2)]


@router.get(
    "/photos/{photo_id}/image",
    summary="A photo, sized for a screen",
    response_class=Response,
    responses=_JPEG | responses(404, 422),
)
def photo_image(
    photo_id: RowId,
    request: Request,
    actor: Anybody,
    session: ReadSession,
    store: StoreDep,
    _slot: _DecodingSlot,
    size: Annotated[int, Query(ge=64, le=4096, description="Longest side in pixels, at most.")] = 1600,
) -> Response:
    """Upright, without EXIF. A portal sees photos of verified records only."""
    photo = _visible(session, photo_id, actor)
    return _answer(request, f"{photo.sha256[:16]}-{size}", lambda: photo_jpeg(store.read(photo.sha256), size))


@router.get(
    "/photos/{photo_id}/lines/{line}/crop",
    summary="One line of a photo, cut out and level",
    response_class=Response,
    responses=_JPEG | responses(404, 422),
)
def line_crop(
    photo_id: RowId,
    line: Annotated[int, Path(ge=0, le=10_000, description="Index of the line in the last reading.")],
    request: Request,
    _actor: Staff,
    session: ReadSession,
    store: StoreDep,
    _slot: _DecodingSlot,
    height: Annotated[int, Query(ge=16, le=256, description="Height in pixels.")] = 72,
) -> Response:
    """The crop that stands beside a field."""
    photo = intake.get_photo(session, photo_id)
    reading = intake.get_reading(session, photo_id)
    if reading is None or line >= len(reading.lines):
        raise NotFoundError(f"photo {photo_id} has no line {line}")
    cut = reading.lines[line]
    where = hash((cut.quad, height)) & 0xFFFFFFFF
    return _answer(request, f"{photo.sha256[:16]}-{where:x}", lambda: line_jpeg(store.read(photo.sha256), cut, height))


def _visible(session: Session, photo_id: int, actor: Actor) -> PhotoView:
    photo = intake.get_photo(session, photo_id)
    staff = actor.may(Role.COLLECTOR) or actor.may(Role.VERIFIER)
    if not staff and not publication.may_show_photo(session, photo_id):
        raise NotFoundError(f"there is no photo {photo_id}")
    return photo


def _answer(request: Request, name: str, make: Callable[[], bytes]) -> Response:
    # no-cache: asked again each time, for what may be shown can change; what was shown need not be sent twice
    headers = {"ETag": f'"{name}"', "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(make(), media_type="image/jpeg", headers=headers)
