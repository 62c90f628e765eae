"""What Prometheus asks for: what this process counted, and the backlog as the database has it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.deps import Monitor
from ocr_service import metrics

router = APIRouter(tags=["operation"])


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={200: {"content": {CONTENT_TYPE_LATEST: {"schema": {"type": "string"}}}}},
)
def show(_actor: Monitor, request: Request) -> Response:
    """Names and labels of `ocr_service.metrics`; counts of this process, the backlog of the whole service."""
    found = generate_latest(metrics.registry(request.app.state.backlog_collector))
    return Response(found, media_type=CONTENT_TYPE_LATEST)
