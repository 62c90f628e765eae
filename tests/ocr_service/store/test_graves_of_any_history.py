"""Whatever people say of the shots of a grave in whatever order: it has one record, and no shot is out of sight."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from ocr_service import verification
from ocr_service.database import Database, connect_database, shots
from ocr_service.database.models import Batch, Photo, ReadingRow, RecordRow, Shot
from ocr_service.errors import ConflictError, NotFoundError
from ocr_service.states import VERIFIED_STATES, PhotoState, RecordState, Verdict

PHOTOS = (1, 2, 3, 4)
NOW = datetime(2026, 4, 1, tzinfo=UTC)
VERDICTS = [Verdict.ACCEPT, Verdict.CANNOT_READ, Verdict.DETACH, Verdict.SAME_GRAVE]
DOCUMENT: dict[str, Any] = {
    "photo": "a", "sha256": None, "status": "read", "reason": None, "detail": None, "photo_type": "headstone",
    "size_px": [9, 9], "stone_quads": [], "lines": [], "record": {}, "quality": [], "timings_ms": {}, "bundle": "t@1",
    "engine": None,
}  # fmt: skip

_sayings = st.tuples(st.sampled_from(VERDICTS), st.sampled_from(PHOTOS), st.sampled_from(["lan", "minh"]))
_undos = st.tuples(st.just(Verdict.UNDO), st.just(0), st.sampled_from(["lan", "minh"]))
_groupings = st.tuples(st.just("group"), st.lists(st.integers(0, 1), min_size=4, max_size=4), st.sampled_from(PHOTOS))


@pytest.fixture(scope="module")
def four_drafts(sqlite_template: Path) -> Iterator[Path]:
    """A database of one batch whose four photos wait for verification, each by itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "four.sqlite3"
        shutil.copyfile(sqlite_template, path)
        database = connect_database(f"sqlite:///{path}")
        with database.writing() as session:
            session.execute(insert(Batch), [{"id": 1, "label": "hàng 3", "created_by": "thu"}])
            session.execute(insert(Photo), [
                {"id": one, "sha256": f"{one:064x}", "size_bytes": 9, "filename": f"{one}.jpg", "batch_id": 1,
                 "context": {}, "received_by": "thu", "state": PhotoState.IN_VERIFICATION} for one in PHOTOS
            ])  # fmt: skip
            session.execute(
                insert(ReadingRow),
                [{"id": one, "photo_id": one, "bundle": "t@1", "document": DOCUMENT} for one in PHOTOS],
            )
            session.execute(
                insert(RecordRow), [{"id": one, "photo_id": one, "reading_id": one, "fields": {}} for one in PHOTOS]
            )
        database.close()
        yield path


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(_sayings, _undos, _groupings), max_size=14))
def test_a_grave_has_one_record_and_no_shot_is_out_of_sight(
    four_drafts: Path, history: list[tuple[Any, Any, Any]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(four_drafts, Path(folder) / "store.sqlite3")
        database = connect_database(f"sqlite:///{folder}/store.sqlite3")
        try:
            for event in [("group", [1, 1, 1, 1], 2), *history]:
                happen(database, event)
                with database.reading() as session:
                    check(session)
        finally:
            database.close()


def happen(database: Database, event: tuple[Any, Any, Any]) -> None:
    what, which, more = event
    try:
        with database.writing() as session:
            if what == "group":
                together = [one for one, belongs in zip(PHOTOS, which, strict=True) if belongs]
                groups = [(one, [one]) for one in PHOTOS if one not in together]
                if together:
                    groups.append((more if more in together else together[0], together))
                shots.attach(session, PHOTOS, groups, NOW)
            elif what is Verdict.UNDO:
                verification.undo(session, more, now=NOW)
            else:
                version = verification.get_record(session, which).version
                verification.decide(session, which, what, reviewer=more, expected_version=version, now=NOW)
    except (ConflictError, NotFoundError):
        pass  # refused, and so nothing happened


def check(session: Session) -> None:
    assert verification.verify_audit_chain(session).intact
    best = {shot.photo_id: shot.best_photo_id for shot in session.scalars(select(Shot))}
    graves: dict[int, list[RecordState]] = defaultdict(list)
    waiting: set[int] = set()
    for row in session.scalars(select(RecordRow)):
        graves[best.get(row.photo_id, row.photo_id)].append(row.state)
        if row.state is RecordState.DRAFT:
            waiting.add(best.get(row.photo_id, row.photo_id))
    for states in graves.values():
        verified = [state for state in states if state in VERIFIED_STATES]
        assert verified or RecordState.FURTHER_SHOT not in states, "no shot ends without a record"
    served = [best.get(draft.photo.id, draft.photo.id) for draft in verification.queue(session, limit=9)]
    assert sorted(served) == sorted(waiting), "of each grave with drafts, one is served"
