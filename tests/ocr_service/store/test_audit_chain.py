from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import pytest
from sqlalchemy import text

from ocr_service import verification
from ocr_service.database import Database
from ocr_service.database.values import ChainReport
from ocr_service.states import Verdict
from ocr_service.verification import Correction


@pytest.fixture
def decided(database: Database, add_draft: Callable[..., int]) -> Database:
    """Three decisions, six rows: a correction of two fields (and what follows), an acceptance, its undo."""
    ids = [add_draft(), add_draft()]
    values = {"name": Correction(raw="TRẦN VĂN THỬ"), "birth": Correction(raw="1950")}
    with database.writing() as session:
        verification.decide(session, ids[0], Verdict.CORRECT, reviewer="lan", expected_version=1, values=values)
        verification.decide(session, ids[1], Verdict.ACCEPT, reviewer="lan", expected_version=1)
        verification.undo(session, "lan")
    return database


def report(database: Database) -> ChainReport:
    with database.reading() as session:
        return verification.verify_audit_chain(session)


def tamper(database: Database, statement: str) -> None:
    """What somebody with the database in hands could do."""
    unlocking = {
        "sqlite": ["DROP TRIGGER decisions_no_update", "DROP TRIGGER decisions_no_delete"],
        "postgresql": ["ALTER TABLE decisions DISABLE TRIGGER decisions_append_only"],
    }
    with database.writing() as session:
        for unlock in unlocking[database.engine.dialect.name]:
            session.execute(text(unlock))
        session.execute(text(statement))


def test_an_untouched_chain_is_intact(decided: Database) -> None:
    assert report(decided) == ChainReport(6, True)


def test_an_empty_chain_is_intact(database: Database) -> None:
    assert report(database) == ChainReport(0, True)


def test_anybody_can_compute_the_hashes_again(decided: Database) -> None:
    previous = "0" * 64
    with decided.reading() as session:
        rows = [row for record in (1, 2) for row in verification.history(session, record)]
    for row in sorted(rows, key=lambda row: row.id):
        content = {
            "record_id": row.record_id,
            "action": row.action,
            "undoes": row.undoes,
            "version": row.version,
            "at": row.at.isoformat(timespec="microseconds"),
            "reviewer": row.reviewer,
            "verdict": row.verdict.value,
            "field": row.field,
            "before": row.before,
            "after": row.after,
            "reason": row.reason,
            "evidence": row.evidence,
            "prev_hash": previous,
        }
        written = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        previous = hashlib.sha256(written.encode()).hexdigest()
        assert row.hash == previous


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE decisions SET reviewer = 'minh' WHERE id = 3", 3),
        ("UPDATE decisions SET after = '{}' WHERE id = 2", 2),
        ("UPDATE decisions SET at = '2020-01-01 00:00:00.000000' WHERE id = 1", 1),
        ("UPDATE decisions SET reason = '' WHERE id = 1", 1),
        ("DELETE FROM decisions WHERE id = 2", 3),
        ("DELETE FROM decisions WHERE id = 1", 2),
        ("DELETE FROM decisions WHERE id = 6", None),
        ("DELETE FROM decisions", None),
    ],
)
def test_any_change_of_the_chain_shows(decided: Database, statement: str, broken_at: int | None) -> None:
    tamper(decided, statement)
    found = report(decided)
    assert (found.intact, found.broken_at) == (False, broken_at)
    assert found.problem


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE records SET fields = (SELECT fields FROM records WHERE id = 2) WHERE id = 1",
        "UPDATE records SET state = 'accepted' WHERE id = 1",
        "UPDATE records SET state = 'accepted' WHERE id = 2",
    ],
)
def test_a_record_that_is_not_what_was_decided_shows(decided: Database, statement: str) -> None:
    with decided.writing() as session:
        session.execute(text(statement))
    found = report(decided)
    assert not found.intact
    assert "not what was decided" in (found.problem or "")


def test_a_record_follows_from_its_reading_and_its_decisions(decided: Database) -> None:
    with decided.reading() as session:
        record = verification.get_record(session, 1)
        raws = {name: field.raw for name, field in record.reading.record.items()}
        for decision in verification.history(session, 1):
            if decision.field != "state":
                raws[decision.field] = decision.after["raw"]
    assert raws == {name: field.raw for name, field in record.fields.items()}
