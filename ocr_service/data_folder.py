"""The embedded store as the command line uses it: readings made here join the verification queue."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from ocr_service import intake
from ocr_service.database import open_database
from ocr_service.records import Context, Reading, RejectReason
from ocr_service.settings import load_settings
from ocr_service.storage import LocalStore


class DataFolder:
    """An open data folder. ``add`` may be called again with the same photo; nothing is stored twice."""

    def __init__(self, path: Path) -> None:
        """Open the folder, creating it when needed. Raises StorageError, UsageError."""
        self._settings = load_settings(data_dir=path)
        self._database = open_database(self._settings.resolved_database_url)
        self._store = LocalStore(self._settings.objects_dir)
        self._batch_id: int | None = None

    def add(self, reading: Reading, path: Path, context: Context) -> None:
        """Keep the photo and what was read in it, in one transaction. Raises StorageError."""
        if reading.reason is RejectReason.UNREADABLE_FILE:
            return  # there are no bytes to keep; the journal has the reason and the next run tries again
        reviewer = self._settings.reviewer
        if self._batch_id is None:
            with self._database.writing() as session:
                batch_id = intake.open_batch(session, "headstone read", reviewer)
            self._batch_id = batch_id
        with self._database.writing() as session:
            received = intake.receive(
                session,
                self._store,
                path,
                filename=reading.photo,
                received_by=reviewer,
                context=context,
                batch_id=self._batch_id,
                max_bytes=self._settings.max_file_bytes,
            )
            if received.photo_id is not None:
                intake.store_reading(session, reading)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
