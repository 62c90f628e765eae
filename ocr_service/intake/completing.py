"""Files that clients put into the object store by themselves are looked up, checked and given their name there."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ocr_service.intake.taking import Refusal, Taken, Taking, finish_together
from ocr_service.storage import ObjectStore

_AT_ONCE = 8  # waiting for the store, mostly


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file of a batch whose bytes are awaited."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class NotThere:
    """The bytes of a file are not in the store, or are not those that were announced; says what to do."""

    detail: str


def adopt(store: ObjectStore, batch_id: int, wanted: Sequence[Wanted]) -> list[Taken | Refusal | NotThere]:
    """What became of each file, in order; those that were taken are durable. Raises ``StorageError``."""
    with ThreadPoolExecutor(_AT_ONCE, "adopt") as threads:
        fetched = list(threads.map(lambda one: _fetch(store, batch_id, one), wanted))
    outcomes = iter(finish_together(store, [one for one in fetched if isinstance(one, Taking)]))
    return [one if isinstance(one, NotThere) else next(outcomes) for one in fetched]


def remove_uploads(store: ObjectStore, batch_id: int, sha256s: Sequence[str]) -> None:
    """Remove what was adopted or refused from where clients put it. Raises ``StorageError``."""
    with ThreadPoolExecutor(_AT_ONCE, "remove") as threads:
        list(threads.map(lambda sha256: store.delete_uploaded(batch_id, sha256), sha256s))


def difference(taking: Taking, sha256: str) -> str | None:
    """Why what came is not the announced file, None where it is."""
    if taking.sha256 == sha256:
        return None
    return (
        f"What came has the SHA-256 {taking.sha256[:12]}…, not {sha256[:12]}…; send the file again, and if it was "
        "changed, announce it anew."
    )


def _fetch(store: ObjectStore, batch_id: int, wanted: Wanted) -> Taking | NotThere:
    upload = store.uploaded(batch_id, wanted.sha256)
    if upload is None:
        return NotThere("Its bytes are not in the object store; send them first.")
    if upload.size_bytes != wanted.size_bytes:
        return NotThere(
            f"What came has {upload.size_bytes} bytes, not {wanted.size_bytes}; send the file again, and if it was "
            "changed, announce it anew."
        )
    taking = Taking(upload, wanted.size_bytes)
    for chunk in upload.chunks():
        taking.write(chunk)
    problem = difference(taking, wanted.sha256)
    return taking if problem is None else NotThere(problem)
