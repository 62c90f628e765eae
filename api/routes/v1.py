"""The JSON API, version 1, and the paths by which operators ask how the service is."""

from __future__ import annotations

from fastapi import APIRouter

from api.routes import audit, batch_files, batches, exports, health, images, metrics, photos, records, verification

router = APIRouter()
for part in (batch_files, batches, records, exports, photos, images, verification, audit):
    router.include_router(part.router, prefix="/api/v1")
router.include_router(health.router)
router.include_router(metrics.router)
