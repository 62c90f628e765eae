"""The bytes of one announced file, streamed into the store as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api.problems import ProblemError
from ocr_service.intake.completing import difference
from ocr_service.intake.taking import Taking
from ocr_service.storage import ObjectStore

_PIECE_BYTES = 512 * 1024  # most photos in one piece: each costs a change of threads
_STALL_S = 120.0  # a sender that says nothing for so long has gone; a poor line still says something


async def receive_file(request: Request, store: ObjectStore, sha256: str, size_bytes: int) -> Taking:
    """Take the body in, which is to be the announced file; not durable yet. Anything else leaves nothing behind.

    Raises ``ProblemError`` where it is longer than announced (at once), breaks off, falls silent, or has another
    SHA-256.
    """
    _check_length(request.headers.get("content-length"), size_bytes)
    taking = Taking(store, size_bytes)
    try:
        piece = bytearray()
        async for chunk in _chunks(request):
            piece += chunk
            if taking.size_bytes + len(piece) > size_bytes:
                raise _longer(size_bytes)
            if len(piece) >= _PIECE_BYTES:
                await run_in_threadpool(taking.write, bytes(piece))
                piece.clear()
        await run_in_threadpool(taking.write, bytes(piece))
        problem = difference(taking, sha256)
        if problem is not None:
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, problem)
    except BaseException:
        taking.discard()
        raise
    return taking


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(_STALL_S):
                chunk = await anext(stream, None)
        except TimeoutError as error:
            raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, "The upload fell silent; send the file again.") from error
        except ClientDisconnect as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "The upload broke off; send the file again.") from error
        if chunk is None:
            return
        yield chunk


def _check_length(header: str | None, size_bytes: int) -> None:
    if header is not None and header.isascii() and header.isdecimal() and int(header) > size_bytes:
        raise _longer(size_bytes)


def _longer(size_bytes: int) -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The file was announced with {size_bytes} bytes and is longer; announce it anew.",
        # the rest is not wanted
        {"Connection": "close"},
    )
