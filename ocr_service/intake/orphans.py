"""The object store is kept free of what no row names."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import structlog

from ocr_service.database import Database
from ocr_service.database.incoming import known_photos
from ocr_service.database.types import utc_now
from ocr_service.storage import ObjectStore
from ocr_service.storage.orphans import Swept, prefix_of_hour, sweep_orphans

log = structlog.get_logger(__name__)


def sweep_objects(database: Database, store: ObjectStore, *, now: datetime | None = None) -> Swept:
    """Sweep the part of the store whose hour it is; to be called hourly, by one process or by several.

    Each question to the database is a transaction of its own: listing takes longer than one should last. Raises
    ``StorageError``.
    """
    now = now or utc_now()

    def named(names: Collection[str]) -> Collection[str]:
        with database.reading() as session:
            return known_photos(session, names)

    swept = sweep_orphans(store, named, now, prefix_of_hour(now))
    if swept != Swept(0, 0, 0, 0):
        log.info(
            "objects that no photo names",
            set_aside=swept.set_aside,
            put_back=swept.put_back,
            deleted=swept.deleted,
            leftovers=swept.leftovers,
        )
    return swept
