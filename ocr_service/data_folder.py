"""The embedded store as the command line uses it: readings made here join the verification queue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy.exc import SQLAlchemyError

from ocr_service import intake
from ocr_service.database import open_database
from ocr_service.errors import StorageError
from ocr_service.records import Context, Reading, RejectReason
from ocr_service.settings import load_settings
from ocr_service.storage import open_store
from preprocess.decode import DecodeLimits


class DataFolder:
    """An open data folder. ``add`` may be called again with the same photo; nothing is stored twice."""

    def __init__(self, path: Path) -> None:
        """Open the folder, creating it when needed. Raises StorageError, UsageError."""
        self._path = path
        self._settings = load_settings(data_dir=path)
        self._database = open_database(self._settings.resolved_database_url)
        self._store = open_store(self._settings)
        self._batch_id: int | None = None

    def add(self, reading: Reading, path: Path, context: Context) -> None:
        """Keep the photo and what was read in it, in one transaction. Raises StorageError."""
        if reading.reason is RejectReason.UNREADABLE_FILE:
            return  # there are no bytes to keep; the journal has the reason and the next run tries again
        with self._reported():
            self._add(reading, path, context)

    def _add(self, reading: Reading, path: Path, context: Context) -> None:
        with self._database.reading() as session:
            known = intake.find_photo(session, reading.sha256)
        if known is not None:
            with self._database.writing() as session:
                intake.store_reading(session, reading)
            return
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
                max_bytes=DecodeLimits().max_bytes,  # what could be read can be kept, whatever may be uploaded
            )
            if received.photo_id is not None:
                intake.store_reading(session, reading)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            cause = getattr(error, "orig", None) or getattr(error, "strerror", None) or error
            raise StorageError(
                f"cannot write to {self._path}: {cause}; make room and run the same command again"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
