"""Many files as one stream, for a client beside the server: thousands of small requests cost more than their bytes.

POSIX.1-2001 (pax) archives, so that names may be long and Vietnamese. Each holds few enough files that an interruption
loses little.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from ocr_service.upload.bandwidth import TokenBucket
from ocr_service.upload.journal import Entry
from ocr_service.upload.sending import Shipment
from ocr_service.upload.tally import Phase

_FILES_AT_ONCE = 300
_BYTES_AT_ONCE = 128_000_000


def send_as_tar(shipment: Shipment, bucket: TokenBucket) -> None:
    """Send every pending file once, as archives one after the other."""
    pending = shipment.pending()
    shipment.tally.begin(Phase.SENDING, files=len(pending), size_bytes=sum(entry.size_bytes for entry in pending))
    for group in _groups(_without_copies(pending)):
        unable = shipment.server.put_tar(shipment.batch_id, partial(_pieces, shipment, group, bucket))
        for entry, _ in shipment.announce([entry for entry in group if entry.path not in shipment.troubles]):
            if not entry.is_settled:
                shipment.bounce(entry.path, unable.detail if unable else "the server took the archive without it")
        shipment.tally.done(files=len(group), size_bytes=sum(entry.size_bytes for entry in group))


def archive(members: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """A tar archive of named bytes, in pieces; a member at a time is in memory."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.BytesIO) -> bytes:
    data = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return data


def _pieces(shipment: Shipment, group: Sequence[Entry], bucket: TokenBucket) -> Iterator[bytes]:
    read = ((entry.path, data) for entry in group if (data := shipment.read(entry)) is not None)
    for part in archive(read):
        yield from shipment.paced(part, bucket)


def _without_copies(entries: Iterable[Entry]) -> list[Entry]:
    """One file for each content; the server knows the others by their announcements."""
    return list({entry.sha256: entry for entry in entries}.values())


def _groups(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    group: list[Entry] = []
    for entry in entries:
        full = sum(one.size_bytes for one in group) + entry.size_bytes > _BYTES_AT_ONCE
        if group and (full or len(group) >= _FILES_AT_ONCE):
            yield group
            group = []
        group.append(entry)
    if group:
        yield group
