"""With millions of rows nothing on the hot path may look at all of them: the databases themselves say how they would.

PostgreSQL plans by what it counted, SQLite (which nobody asked to count) by the shape of its indexes.
"""

from __future__ import annotations

import json
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

PHOTOS, WAITING, BATCH_SIZE = 20_000, 8_000, 50
NOW = datetime.fromisoformat("2026-05-01T08:00:00+00:00")
LARGE = ("photos", "arrivals", "readings", "records", "decisions", "shots")
PARTIAL = ("waiting", "unpublished", "published", "rephotograph", "shots_due")

Work = Callable[[Session], object]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def many(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database of 20,000 photos in 400 batches."""
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


def decide_on_shots(session: Session) -> object:
    """Photos 3 and 9 are further shots of 2 and 8, which have their records."""
    verification.decide(session, 3, Verdict.SAME_GRAVE, reviewer="lan", expected_version=1)
    verification.decide(session, 9, Verdict.DETACH, reviewer="lan", expected_version=1)
    return verification.decide(session, 2, Verdict.CANNOT_READ, reviewer="lan", expected_version=1)


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
    "accounts of recent batches": lambda s: accounts.page(s, created_by=None, before_id=None, limit=10, read_since=NOW),
    "files of a batch": lambda s: accounts.files(s, 7, after_id=300, limit=20),
    "files of a batch in a state": lambda s: accounts.files(s, 7, state=FileState.VERIFIED, after_id=300, limit=20),
    "standings": lambda s: accounts.standings(s, 7, [f"{number:064x}" for number in range(50)]),
    "retry of a batch": lambda s: announcements.retry(s, 7, RejectReason.TRUNCATED, NOW),
    "why photos were set aside": overview.reasons,
    "next draft": lambda s: verification.next_draft(s, "lan", after_id=5000, now=NOW),
    "queue of drafts": lambda s: verification.queue(s, after_id=5000, limit=20),
    "how many drafts wait": verification.count_waiting,
    "decide": decide,
    "decide on shots": decide_on_shots,
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


@pytest.mark.parametrize(
    ("name", "indexes"),
    [
        ("claim", {"waiting"}),
        ("claim of one priority", {"waiting"}),
        ("has work", {"waiting"}),
        ("publish", {"published", "unpublished"}),
        ("group", {"shots_due"}),
        ("backlog", {"waiting"}),
    ],
)
def test_queues_are_read_in_their_own_order_and_from_their_own_indexes(
    many: Database, name: str, indexes: set[str]
) -> None:
    with many.engine.connect() as connection, Session(connection) as session:
        with statements_of(connection) as seen:
            HOT[name](session)
        plans = {statement: plan_of(connection, statement, parameters) for statement, parameters in seen}
        connection.rollback()
    assert indexes <= set(re.findall(r"ix_photos_(\w+)", "\n".join(plans.values())))
    assert not [plan for statement, plan in plans.items() if "'received'" in statement and sorts(plan)]


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("next draft", "records_state_id"),
        ("queue of drafts", "records_state_id"),
        ("search of the portal", "records_verified_id"),
        ("search of the portal by words", "records_verified_id"),
        ("page of a state", "photos_state_id"),
        ("page of a batch", "photos_batch_id_id"),
        ("files of a batch", "arrivals_batch_id_id"),
    ],
)
def test_a_page_is_read_from_its_own_place_in_an_index_and_not_sorted(many: Database, name: str, index: str) -> None:
    with many.engine.connect() as connection, Session(connection) as session:
        with statements_of(connection) as seen:
            HOT[name](session)
        plans = [plan_of(connection, *one) for one in seen]
        connection.rollback()
    (page,) = [plan for plan in plans if f"ix_{index}" in plan]
    assert not sorts(page)
    # both columns of the index say where the page begins
    assert re.search(r"=\? AND id[<>]\?\)|ROW\(| = .* AND \(id [<>] ", page), page


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


def plan_of(connection: Connection, statement: str, parameters: Any) -> str:
    """How the database would do it: a line for each step, or JSON."""
    if connection.dialect.name == "sqlite":
        return "\n".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))
    return json.dumps(connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one())


def sorts(plan: str) -> bool:
    """Whether rows are sorted that an index could have given in order."""
    return "FOR ORDER BY" in plan or '"Sort"' in plan


def scans_of(connection: Connection, statement: str, parameters: Any) -> list[str]:
    """Steps of the plan that go through a large table, or the whole of an index that leaves no row out."""
    plan = plan_of(connection, statement, parameters)
    if connection.dialect.name == "sqlite":
        through = [step for step in plan.splitlines() if re.match(rf"SCAN ({'|'.join(LARGE)})\b", step)]
        return [step for step in through if not re.search(rf"ix_photos_({'|'.join(PARTIAL)})\b", step)]
    return list(_scans_of_node(json.loads(plan)[0]["Plan"]))


def _scans_of_node(node: dict[str, Any]) -> Iterator[str]:
    kind, condition = node["Node Type"], node.get("Index Cond", "")
    index = node.get("Index Name", "").removeprefix("ix_photos_")
    # what passes by rows until it finds some: where they all stand at the end, it passes by nearly all of them
    passes_by = "Index" in kind and "Filter" in node and not re.search(r" = |ROW\(", condition)
    whole = "Index" in kind and not condition and index not in ("pk_photos", *PARTIAL)
    if node.get("Relation Name") in LARGE and index not in PARTIAL and (kind == "Seq Scan" or passes_by or whole):
        yield f"{kind} of {node['Relation Name']} {index} {condition}"
    for child in node.get("Plans", ()):
        yield from _scans_of_node(child)
