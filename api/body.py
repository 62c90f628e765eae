"""A request's body for code that reads it like a file, in a thread of its own, while it is still coming."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from anyio import from_thread
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

_PIECE_BYTES = 1024 * 1024
_PIECES_AHEAD = 4  # received while the thread works on earlier ones


class _Pieces:
    """The pieces of a body as a file that can be read forward."""

    def __init__(self, pieces: asyncio.Queue[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""
        self._ended = False

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most ``size``; fewer only at the end, or where the sender went away."""
        have = [self._rest]
        have_bytes = len(self._rest)
        while have_bytes < size and not self._ended:
            piece = from_thread.run(self._pieces.get)
            self._ended = not piece
            have.append(piece)
            have_bytes += len(piece)
        data = b"".join(have)
        self._rest = data[size:]
        return data[:size]


async def with_body(request: Request, work: Callable[[_Pieces], None]) -> None:
    """Run ``work`` in a thread over the body of a request; raises what it raises."""
    pieces: asyncio.Queue[bytes] = asyncio.Queue(_PIECES_AHEAD)
    feeding = asyncio.create_task(_feed(request, pieces))
    try:
        await run_in_threadpool(work, _Pieces(pieces))
    finally:
        feeding.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await feeding


async def _feed(request: Request, pieces: asyncio.Queue[bytes]) -> None:
    piece = bytearray()
    try:
        async for chunk in request.stream():
            piece += chunk
            if len(piece) >= _PIECE_BYTES:
                await pieces.put(bytes(piece))
                piece.clear()
    except ClientDisconnect:
        pass  # what came is worked on; the reader sees that it breaks off
    if piece:
        await pieces.put(bytes(piece))
    await pieces.put(b"")
