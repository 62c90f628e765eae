"""Uploads (multipart/form-data, RFC 7578) stream into the store as they come; nothing is held in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api.problems import ProblemError
from ocr_service.intake.taking import Refusal, Taken, Taking, finish_together
from ocr_service.storage import ObjectStore

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_FIELD_BYTES = 10_000
MAX_FIELDS = 20
_TOGETHER_BYTES = 32 * 1024**2  # made durable at once; a store that is not a folder holds them in memory until then


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file of the form: in the store, or refused."""

    filename: str
    taken: Taken | Refusal


@dataclass(frozen=True, slots=True)
class UploadForm:
    """What a form held. Empty file inputs, which browsers send without a name, are left out."""

    files: tuple[UploadedFile, ...]
    fields: Mapping[str, str]


async def read_upload(request: Request, store: ObjectStore, *, max_file_bytes: int, max_files: int) -> UploadForm:
    """The form of a request. Raises ``ProblemError`` for what is no such form, ``StorageError``."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send the photos as multipart/form-data.")
    form = _Form(store, max_file_bytes, max_files)
    try:
        parser = MultipartParser(boundary, form.callbacks())
        async for chunk in request.stream():
            # in a thread: writing and syncing files must not stop everybody else's requests
            await run_in_threadpool(parser.write, chunk)
        parser.finalize()
        if not form.ended:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "The form breaks off; send it again.")
        await run_in_threadpool(form.finish)
    except ClientDisconnect as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "The form breaks off; send it again.") from error
    except FormParserError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "This is no well-formed multipart/form-data.") from error
    finally:
        form.discard()
    return UploadForm(tuple(form.files), form.fields)


class _Form:
    """Collects the parts of one form; the parser calls it back."""

    def __init__(self, store: ObjectStore, max_file_bytes: int, max_files: int) -> None:
        self.files: list[UploadedFile] = []
        self.fields: dict[str, str] = {}
        self.ended = False
        self._store, self._max_file_bytes, self._max_files = store, max_file_bytes, max_files
        self._header, self._header_value = b"", b""
        self._disposition = b""
        self._name, self._filename = "", ""
        self._text = b""
        self._came: list[tuple[str, Taking]] = []
        self._is_file = False

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._on_part_begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_part_end": self._on_part_end,
            "on_end": self._on_end,
        }

    def finish(self) -> None:
        """Make the files that came durable at once. Raises ``StorageError``."""
        taken = finish_together(self._store, [taking for _, taking in self._came])
        self.files += [UploadedFile(name, one) for (name, _), one in zip(self._came, taken, strict=True)]
        self._came = []

    def discard(self) -> None:
        """Forget files that are not durable yet."""
        for _, taking in self._came:
            taking.discard()

    def _on_part_begin(self) -> None:
        self._disposition = self._text = b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._header_value
        self._header = self._header_value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._filename = options.get(b"filename", b"").decode("utf-8", "replace")
        self._is_file = bool(self._filename)
        if self._is_file:
            if len(self.files) + len(self._came) >= self._max_files:
                limit = f"More than {self._max_files} files in one request; send them in several."
                raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, limit)
            self._came.append((self._filename, Taking(self._store, self._max_file_bytes)))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._came[-1][1].write(data[start:end])
            return
        self._text += data[start:end]
        if len(self._text) > MAX_FIELD_BYTES:
            raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "A field of the form is too long.")

    def _on_part_end(self) -> None:
        if self._is_file:
            if sum(taking.size_bytes for _, taking in self._came) >= _TOGETHER_BYTES:
                self.finish()
        elif self._name:
            if len(self.fields) >= MAX_FIELDS:
                raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The form has too many fields.")
            self.fields[self._name] = self._text.decode("utf-8", "replace").strip()

    def _on_end(self) -> None:
        self.ended = True
