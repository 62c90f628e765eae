"""One upload, for the JSON API and the pages alike: the form's files become photos of one batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from api.access import Actor
from api.multipart import UploadForm, read_upload
from api.plain_text import plain_text
from api.problems import ProblemError
from ocr_service import intake
from ocr_service.database import Database
from ocr_service.records import Context
from ocr_service.settings import Settings
from ocr_service.storage import ObjectStore

_MAX_TEXT_CHARS = 200
_NO_FILE = "The form holds no file; add photos as parts named files."


@dataclass(frozen=True, slots=True)
class Upload:
    """What became of an upload."""

    batch_id: int
    files: tuple[intake.ReceivedPhoto, ...]


async def receive_upload(
    request: Request,
    actor: Actor,
    settings: Settings,
    database: Database,
    store: ObjectStore,
    *,
    no_file: str = _NO_FILE,
) -> Upload:
    """Stream a form's files into the store, then note them all in one transaction, as one batch.

    Fields of the form, all optional: ``cemetery``, ``province``, ``commune``, ``plot``, ``label``. Raises
    ``ProblemError`` for a request that is no such form or holds no file (``no_file`` says so), ``StorageError``.
    """
    form = await read_upload(
        request, store, max_file_bytes=settings.max_file_bytes, max_files=settings.max_files_per_request
    )
    if not form.files:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, no_file)
    return await run_in_threadpool(_note, form, actor, database)


def _note(form: UploadForm, actor: Actor, database: Database) -> Upload:
    context = _context(form.fields)
    name = form.files[0].filename.replace("\\", "/").rpartition("/")[2]
    label = _text(form.fields, "label") or context.cemetery or name[:_MAX_TEXT_CHARS]
    with database.writing() as session:
        batch_id = intake.open_batch(session, label, actor.name)
        received = intake.note_received(
            session,
            [(file.filename, file.taken) for file in form.files],
            received_by=actor.name,
            context=context,
            batch_id=batch_id,
        )
    return Upload(batch_id, tuple(received))


def _context(fields: Mapping[str, str]) -> Context:
    return Context(
        cemetery=_text(fields, "cemetery"),
        cemetery_province=_text(fields, "province"),
        cemetery_commune=_text(fields, "commune"),
        plot=_text(fields, "plot"),
    )


def _text(fields: Mapping[str, str], name: str) -> str | None:
    return plain_text(fields.get(name, ""))[:_MAX_TEXT_CHARS].strip() or None
