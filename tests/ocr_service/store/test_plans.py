"""With millions of rows nothing on the hot path may look at all of them: the databases themselves say how they would.

PostgreSQL plans by what it counted, SQLite (which nobody asked to count) by the shape of its indexes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session

from bench.services import PostgreSQL
from bench.synthetic import fill
from ocr_service import intake, publication, verification
from ocr_service.database import Database, accounts, announcements, backlog, open_database, overview, photos
from ocr_service.database.announcements import AnnouncedFile, ArrivedFile
from ocr_service.database.values import Claim
from ocr_service.records import Origin, Reading, ReadingStatus, RejectReason
from ocr_service.states import FileState, PhotoState, Priority, Verdict

PHOTOS, WAITING, BATCH_SIZE = 20_000, 400, 50
NOW = datetime.fromisoformat("2026-05-01T08:00:00+00:00")
LARGE = ("photos", "arrivals", "readings", "records", "decisions", "shots")
PARTIAL = ("waiting", "unpublished", "published", "leased", "rephotograph", "shots_due")

Work = Callable[[Session], object]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def many(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database of 20,000 photos in 400 batches, of which few wait and nearly all are done."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('many') / 'store.sqlite3'}"
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        url = server.create_database("many")
    database = open_database(url)
    fill(database, PHOTOS, waiting=WAITING, batch_size=BATCH_SIZE, arrivals=True)
    yield database
    database.close()
    if request.param == "postgresql":
        server.drop_database("many")


def claimed(session: Session) -> list[Claim]:
    return intake.claim_photos(session, "w1", limit=8, lease_s=60, max_attempts=3, now=NOW)


def finish(session: Session) -> object:
    claims = claimed(session)
    read = [(one, Reading(one.filename, one.sha256, ReadingStatus.READ, bundle="t@1")) for one in claims]
    return intake.finish_many(session, read, now=NOW)


def finish_and_group(session: Session) -> object:
    finish(session)
    return intake.group_shots(session, now=NOW)


def publish_again(session: Session) -> object:
    intake.photos_to_publish(session, window=100, stale_s=60, limit=20, now=NOW)
    return intake.photos_to_publish(session, window=100, stale_s=60, limit=20, now=NOW + timedelta(hours=1))


def decide(session: Session) -> object:
    draft = verification.next_draft(session, "lan", now=NOW)
    assert draft is not None
    return verification.decide(session, draft.id, Verdict.CANNOT_READ, reviewer="lan", expected_version=draft.version)


def come_in(session: Session) -> object:
    batch = announcements.get_batch(session, 7)
    sha256s = [f"{number:064x}" for number in range(50)]
    announcements.announce(session, 7, [AnnouncedFile(f"B/{name[-3:]}.jpg", name, 9) for name in sha256s], NOW, "thu")
    arrived = [ArrivedFile(name, 9, Origin()) for name in sha256s]
    return announcements.settle(session, batch, arrived, NOW, "thu")


HOT: dict[str, Work] = {
    "claim": claimed,
    "claim of those that a message names": lambda s: intake.claim_photos(
        s, "w1", limit=64, lease_s=60, max_attempts=3, ids=range(PHOTOS - 64, PHOTOS), now=NOW
    ),
    "claim of one priority": lambda s: intake.claim_photos(
        s, "w1", limit=8, lease_s=60, max_attempts=3, priority=Priority.WAITING, now=NOW
    ),
    "begin": lambda s: intake.begin_many(s, claimed(s), lease_s=60, now=NOW),
    "finish": finish,
    "group": finish_and_group,
    "fail": lambda s: intake.fail(s, claimed(s)[0], "broken", max_attempts=3, now=NOW),
    "has work": lambda s: intake.has_work(s, now=NOW),
    "expired": lambda s: intake.give_back_expired(s, max_attempts=3, now=NOW),
    "reader gone": lambda s: intake.give_back_claims(s, "w1", "killed", max_attempts=3, now=NOW),
    "publish": publish_again,
    "backlog": backlog.backlog,
    "known by its bytes": lambda s: intake.find_photo(s, "0" * 64),
    "come in": come_in,
    "page of a batch": lambda s: intake.list_photos(s, batch_id=7, before_id=PHOTOS, limit=20),
    "page of all": lambda s: intake.list_photos(s, before_id=PHOTOS, limit=20),
    "page of a state": lambda s: intake.list_photos(s, state=PhotoState.IN_VERIFICATION, before_id=PHOTOS, limit=20),
    "counts of a batch": lambda s: photos.counts(s, 7),
    "account of a batch": lambda s: accounts.account(s, announcements.get_batch(s, 7), NOW),
    "accounts of recent batches": lambda s: accounts.page(s, created_by=None, before_id=None, limit=2, read_since=NOW),
    "files of a batch": lambda s: accounts.files(s, 7, after_id=300, limit=20),
    "files of a batch in a state": lambda s: accounts.files(s, 7, state=FileState.VERIFIED, after_id=300, limit=20),
    "standings": lambda s: accounts.standings(s, 7, [f"{number:064x}" for number in range(50)]),
    "retry of a batch": lambda s: announcements.retry(s, 7, RejectReason.TRUNCATED, NOW),
    "why photos were set aside": overview.reasons,
    "next draft": lambda s: verification.next_draft(s, "lan", after_id=5000, now=NOW),
    "queue of drafts": lambda s: verification.queue(s, after_id=5000, limit=20),
    "how many drafts wait": verification.count_waiting,
    "decide": decide,
    "search of the portal": lambda s: publication.search_records(s, after_id=5000, limit=20),
    "search of the portal by words": lambda s: publication.search_records(s, q="nguyen", after_id=5000, limit=20),
}


@pytest.mark.parametrize("name", HOT)
def test_nothing_on_the_hot_path_looks_at_every_row(many: Database, name: str) -> None:
    with many.engine.connect() as connection, Session(connection, autoflush=True) as session:
        with statements_of(connection) as seen:
            HOT[name](session)
        assert seen
        scans = {scan for statement, parameters in seen for scan in scans_of(connection, statement, parameters)}
        connection.rollback()
    assert scans == set()


def test_a_look_at_every_row_shows(many: Database) -> None:
    with many.engine.connect() as connection, Session(connection) as session:
        with statements_of(connection) as seen:
            photos.counts(session)  # known: pages that show it keep it for a while
            session.connection().exec_driver_sql("SELECT * FROM photos WHERE filename = 'x'")
            session.connection().exec_driver_sql("UPDATE records SET version = 2 WHERE decided_by = 'x'")
        found = [scans_of(connection, statement, parameters) for statement, parameters in seen]
        connection.rollback()
    assert all(found)


@contextmanager
def statements_of(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """What is said to the database in the block, with the parameters of its first execution."""
    seen: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, parameters: Any, ___: object, many: bool) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            seen.append((statement, parameters[0] if many else parameters))

    event.listen(connection, "before_cursor_execute", note)
    yield seen
    event.remove(connection, "before_cursor_execute", note)


def scans_of(connection: Connection, statement: str, parameters: Any) -> list[str]:
    """Steps of the plan that go through a large table, or the whole of an index that leaves no row out."""
    if connection.dialect.name == "sqlite":
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        steps = [row[3] for row in plan]
        through = [step for step in steps if re.match(rf"SCAN ({'|'.join(LARGE)})\b", step)]
        return [step for step in through if not re.search(rf"ix_photos_({'|'.join(PARTIAL)})\b", step)]
    (plan,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
    return list(_scans_of_node(plan["Plan"]))


def _scans_of_node(node: dict[str, Any], limited: bool = False) -> Iterator[str]:
    kind, index = node["Node Type"], node.get("Index Name", "")
    whole = kind == "Seq Scan" or ("Index" in kind and "Index Cond" not in node and not limited)
    if whole and node.get("Relation Name") in LARGE and index.removeprefix("ix_photos_") not in PARTIAL:
        yield f"{kind} of {node['Relation Name']} {index}"
    for child in node.get("Plans", ()):
        yield from _scans_of_node(child, limited or kind == "Limit")
