from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from ocr_service import intake, verification
from ocr_service.database import Database, open_database
from ocr_service.errors import ConflictError
from ocr_service.records import Context
from ocr_service.states import RecordState, Verdict
from ocr_service.storage import LocalStore

CLAIMING = """
import sys
from ocr_service import intake
from ocr_service.database import connect_database
database, owner = connect_database(sys.argv[1]), sys.argv[2]
while True:
    with database.writing() as session:
        claims = intake.claim_photos(session, owner, limit=7, lease_s=600, max_attempts=3)
    if not claims:
        break
    print(*(claim.photo_id for claim in claims), sep="\\n")
"""


def test_processes_that_claim_at_once_share_the_photos_without_overlap(
    database: Database, database_url: str, store: LocalStore
) -> None:
    with database.writing() as session:
        for index in range(200):
            data = b"\xff\xd8\xff\xe0" + index.to_bytes(2, "big")
            intake.receive(session, store, data, filename="a.jpg", received_by="thu")
    command = [sys.executable, "-c", CLAIMING, database_url]
    running = [subprocess.Popen([*command, f"w{i}"], stdout=subprocess.PIPE, text=True) for i in range(3)]
    claimed = [int(line) for process in running for line in process.communicate(timeout=60)[0].split()]
    assert sorted(claimed) == list(range(1, 201))


def test_reviewers_that_ask_at_once_get_different_drafts(database: Database, add_draft: Callable[..., int]) -> None:
    ids = [add_draft() for _ in range(8)]
    together = Barrier(8)

    def ask(reviewer: str) -> int:
        together.wait()
        with database.writing() as session:
            draft = verification.next_draft(session, reviewer)
        assert draft is not None
        return draft.id

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(ask, (f"reviewer {i}" for i in range(8)))) == ids


def test_of_decisions_at_once_exactly_one_counts(database: Database, add_draft: Callable[..., int]) -> None:
    draft_id = add_draft()
    together = Barrier(6)

    def decide(verdict: Verdict) -> str:
        together.wait()
        try:
            with database.writing() as session:
                verification.decide(session, draft_id, verdict, reviewer=f"r-{verdict}", expected_version=1)
        except ConflictError:
            return "conflict"
        return "decided"

    verdicts = [Verdict.ACCEPT, Verdict.CANNOT_READ, Verdict.NOT_A_HEADSTONE] * 2
    with ThreadPoolExecutor(6) as pool:
        assert Counter(pool.map(decide, verdicts)) == {"decided": 1, "conflict": 5}
    with database.reading() as session:
        assert len(verification.history(session, draft_id)) == 1
        assert verification.verify_audit_chain(session).intact


def test_decisions_on_many_records_at_once_keep_one_chain(database: Database, add_draft: Callable[..., int]) -> None:
    ids = [add_draft() for _ in range(12)]

    def accept(draft_id: int) -> RecordState:
        with database.writing() as session:
            return verification.decide(
                session, draft_id, Verdict.ACCEPT, reviewer=f"r{draft_id}", expected_version=1
            ).state

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(accept, ids)) == {RecordState.ACCEPTED}
    with database.reading() as session:
        report = verification.verify_audit_chain(session)
    assert (report.length, report.intact) == (12, True)


@pytest.mark.parametrize("copies", [6])
def test_the_same_photo_handed_in_at_once_is_one_photo(
    database: Database, store: LocalStore, database_url: str, copies: int
) -> None:
    together = Barrier(copies)

    def hand_in(index: int) -> intake.ReceivedPhoto:
        together.wait()
        taken = intake.take(store, b"\xff\xd8\xff\xe0 the same", 1000)
        with database.writing() as session:
            return intake.receive(
                session,
                store,
                taken,
                filename=f"{index}.jpg",
                received_by="thu",
                context=Context(cemetery="NTLS Tân Phú", plot="A1"),
            )

    with ThreadPoolExecutor(copies) as pool:
        received = list(pool.map(hand_in, range(copies)))
    assert {photo.photo_id for photo in received} == {1}
    assert sorted(photo.duplicate for photo in received) == [False] + [True] * (copies - 1)
    again = open_database(database_url)
    with again.reading() as session:
        assert len(intake.list_photos(session)) == 1
    again.close()
