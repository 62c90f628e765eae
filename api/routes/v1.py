"""The JSON API, version 1, and the two paths by which operators ask whether the service lives."""

from __future__ import annotations

from fastapi import APIRouter

from api.routes import audit, exports, health, images, photos, records, verification

router = APIRouter()
for part in (records, exports, photos, images, verification, audit):
    router.include_router(part.router, prefix="/api/v1")
router.include_router(health.router)
