"""A verifier works through graves: one photo of each is served, the others follow what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from ocr_service import intake, publication, verification
from ocr_service.database import Database, graves
from ocr_service.database.values import RecordView
from ocr_service.errors import ConflictError
from ocr_service.fields import parse_lines
from ocr_service.intake import accounting
from ocr_service.intake.receipts import receipt
from ocr_service.records import Context, Line, PhotoType, Reading, ReadingStatus
from ocr_service.states import FileState, PhotoState, RecordState, Verdict
from ocr_service.storage import LocalStore
from ocr_service.verification import Correction

STONE = ("LIỆT SĨ", "NGUYỄN VĂN MẪU", "SINH NĂM: 1948", "HY SINH: 12-5-1968")
OTHER = ("LIỆT SĨ", "TRẦN ĐÌNH CHIẾN", "SINH NĂM: 1951", "HY SINH: 30-4-1975")
PLACE = ((0.0, 0.0), (9.0, 0.0), (9.0, 1.0), (0.0, 1.0))
D, A, F, X = RecordState.DRAFT, RecordState.ACCEPTED, RecordState.FURTHER_SHOT, RecordState.CANNOT_READ

Shots = Callable[..., list[int]]


@pytest.fixture
def shots(database: Database, store: LocalStore, now: datetime) -> Shots:
    """Reads photos of one batch, each of one stone as surely as said; gives the ids of their drafts."""
    with database.writing() as session:
        batch_id = intake.open_batch(session, "hàng 3", "thu", now=now)

    def add(*sure: float, stone: Sequence[str] = STONE) -> list[int]:
        return [read(confidence, stone) for confidence in sure]

    def read(sure: float, stone: Sequence[str]) -> int:
        with database.writing() as session:
            place = sum(intake.count_photos(session).values())
            photo = intake.receive(
                session, store, b"\xff\xd8\xff\xe0" + bytes([place]), filename=f"{place}.jpg", received_by="thu",
                context=Context(), batch_id=batch_id, now=now,
            )  # fmt: skip
            lines = tuple(Line(text, sure, PLACE) for text in stone)
            reading = Reading(
                f"{place}.jpg", photo.sha256 or "", ReadingStatus.READ, photo_type=PhotoType.HEADSTONE,
                size_px=(10, 10), lines=lines, record=parse_lines(lines).record, bundle="test@1",
            )  # fmt: skip
            draft_id = intake.store_reading(session, reading, now=now)
        assert draft_id is not None
        return draft_id

    return add


def served(database: Database, reviewer: str = "lan") -> list[int]:
    """The drafts that the queue shows; the first of them is what the next reviewer gets."""
    with database.writing() as session:
        found = [draft.id for draft in verification.queue(session, limit=50)]
        after, leased = 0, []
        while draft := verification.next_draft(session, reviewer, after_id=after):
            leased.append(draft.id)
            after = draft.id
    assert leased == found
    return found


def say(database: Database, record_id: int, verdict: Verdict, by: str = "lan", **more: object) -> RecordView:
    with database.writing() as session:
        version = verification.get_record(session, record_id).version
        return verification.decide(
            session,
            record_id,
            verdict,
            reviewer=by,
            **{"expected_version": version, **more},  # type: ignore[arg-type]
        )


def undo(database: Database, by: str = "lan") -> RecordView:
    with database.writing() as session:
        return verification.undo(session, by)


def states(database: Database, ids: Sequence[int]) -> list[RecordState]:
    with database.reading() as session:
        assert verification.verify_audit_chain(session).intact
        return [verification.get_record(session, one).state for one in ids]


def published(database: Database) -> list[int]:
    with database.reading() as session:
        return [record.id for record in publication.search_records(session)]


def test_the_queue_serves_the_best_shot_of_each_grave_alone(database: Database, shots: Shots) -> None:
    _, best, _ = shots(0.6, 0.95, 0.7)
    (alone,) = shots(0.9, stone=OTHER)
    assert served(database) == [best, alone]


@pytest.mark.parametrize("verdict", [Verdict.ACCEPT, Verdict.CORRECT])
def test_what_is_verified_ends_the_other_shots_and_one_record_is_published(
    database: Database, shots: Shots, verdict: Verdict
) -> None:
    worse, best, worst = shots(0.8, 0.95, 0.6)
    values = {"birth": Correction("1949")} if verdict is Verdict.CORRECT else None
    say(database, best, verdict, values=values)
    assert states(database, (worse, worst)) == [F, F]
    assert served(database) == []
    assert published(database) == [best]
    with database.reading() as session:
        (_, told) = (verification.history(session, one)[0] for one in (worse, worst))
        assert (told.verdict, told.before, told.after, told.reviewer) == (Verdict.SAME_GRAVE, "draft", F, "lan")
        assert told.evidence["record_id"] == best
        assert verification.count_waiting(session) == 0


def test_further_shots_stand_in_the_account_and_the_receipt_with_their_record(database: Database, shots: Shots) -> None:
    best, _ = shots(0.95, 0.8)
    say(database, best, Verdict.ACCEPT)
    with database.reading() as session:
        batch = accounting.get_batch(session, 1)
        counts = accounting.batch_standing(session, batch).account.counts
        assert {state: count for state, count in counts.items() if count} == {
            FileState.VERIFIED: 1,
            FileState.FURTHER_SHOT: 1,
        }
        lines = b"".join(receipt(session, batch)).decode().splitlines()
        assert f"further_shot,2,1,,Shows the grave of record {best}." in lines[2]
        assert " verified=1 further_shot=1 " in lines[-1]
        assert intake.get_photo(session, 2).state is PhotoState.FURTHER_SHOT


@pytest.mark.parametrize("verdict", [Verdict.CANNOT_READ, Verdict.NOT_A_HEADSTONE])
def test_the_next_shot_comes_up_where_the_best_is_rejected(database: Database, shots: Shots, verdict: Verdict) -> None:
    best, second, third = shots(0.95, 0.8, 0.7)
    say(database, best, verdict)
    assert served(database) == [second]
    say(database, second, Verdict.ACCEPT)
    assert states(database, (third,)) == [F]
    assert published(database) == [second]
    assert served(database) == []


def test_a_shot_of_another_grave_comes_up_by_itself_and_keeps_its_own_record(database: Database, shots: Shots) -> None:
    best, wrong, right = shots(0.95, 0.8, 0.7)
    told = say(database, wrong, Verdict.DETACH, reason="mộ khác")
    assert (told.state, told.other_shots, told.decided_by) == (D, (), None)
    assert served(database) == [best, wrong]
    say(database, best, Verdict.ACCEPT)
    say(database, wrong, Verdict.ACCEPT)
    assert states(database, (best, wrong, right)) == [A, A, F]


def test_a_further_shot_can_be_taken_apart_after_its_grave_was_verified(database: Database, shots: Shots) -> None:
    best, other = shots(0.95, 0.8)
    say(database, best, Verdict.ACCEPT)
    say(database, other, Verdict.DETACH)
    assert states(database, (best, other)) == [A, D]
    assert served(database) == [other]
    with database.reading() as session:
        assert intake.get_photo(session, 2).detail is None
    undo(database)
    assert states(database, (best, other)) == [A, F]


def test_the_best_shot_can_be_taken_apart_from_the_others(database: Database, shots: Shots) -> None:
    best, second, third = shots(0.95, 0.8, 0.7)
    say(database, best, Verdict.DETACH)
    assert served(database) == [best, second]
    say(database, second, Verdict.ACCEPT)
    assert states(database, (best, second, third)) == [D, A, F]
    undo(database)
    undo(database)
    with database.reading() as session:
        assert {one.record_id for one in verification.get_record(session, third).other_shots} == {best, second}


def test_there_is_nothing_to_take_a_lone_shot_apart_from(database: Database, shots: Shots) -> None:
    (alone,) = shots(0.9)
    with pytest.raises(ConflictError, match="no other shot"):
        say(database, alone, Verdict.DETACH)


def test_grouping_leaves_apart_what_a_person_took_apart(database: Database, shots: Shots) -> None:
    best, wrong = shots(0.8, 0.7)
    say(database, wrong, Verdict.DETACH)
    (better,) = shots(0.95)
    assert served(database) == [wrong, better]
    with database.reading() as session:
        assert [one.record_id for one in verification.get_record(session, better).other_shots] == [best]


def test_an_undo_takes_back_what_became_of_the_other_shots(database: Database, shots: Shots) -> None:
    best, other = shots(0.95, 0.8)
    say(database, best, Verdict.ACCEPT)
    back = undo(database)
    assert (back.id, back.decided_by) == (best, None)
    assert states(database, (best, other)) == [D, D]
    assert served(database) == [best]
    say(database, other, Verdict.DETACH)
    assert undo(database).id == other
    assert served(database) == [best]


def test_an_undo_leaves_alone_what_somebody_decided_since(database: Database, shots: Shots) -> None:
    best, other = shots(0.95, 0.8)
    say(database, best, Verdict.ACCEPT)
    say(database, other, Verdict.DETACH, by="minh")
    say(database, other, Verdict.ACCEPT, by="minh")
    undo(database)
    assert states(database, (best, other)) == [D, A]


def test_further_shots_come_back_where_their_record_is_given_up(database: Database, shots: Shots) -> None:
    best, other = shots(0.95, 0.8)
    say(database, best, Verdict.ACCEPT)
    say(database, best, Verdict.CANNOT_READ, by="minh")
    assert states(database, (best, other)) == [X, D]
    assert served(database) == [other]
    assert undo(database, "minh").id == best
    assert states(database, (best, other)) == [A, F]
    with database.reading() as session:
        assert intake.get_photo(session, 2).detail == f"Shows the grave of record {best}."


def test_a_grave_that_another_shot_was_verified_for_is_not_verified_twice_by_an_undo(
    database: Database, shots: Shots
) -> None:
    best, other = shots(0.95, 0.8)
    say(database, best, Verdict.ACCEPT)
    say(database, best, Verdict.CANNOT_READ, by="minh")
    say(database, other, Verdict.ACCEPT)
    with pytest.raises(ConflictError, match=f"record {other} is of the same grave"):
        undo(database, "minh")
    assert published(database) == [other]


def test_shots_that_come_after_the_decision_change_nothing_and_ask_a_person(database: Database, shots: Shots) -> None:
    (first,) = shots(0.7)
    say(database, first, Verdict.ACCEPT)
    (late,) = shots(0.95)
    assert states(database, (first, late)) == [A, D]
    assert served(database) == [late]
    with pytest.raises(ConflictError, match=f"record {first} is of the same grave"):
        say(database, late, Verdict.ACCEPT)
    ended = say(database, late, Verdict.SAME_GRAVE)
    assert (ended.state, ended.decided_by) == (F, "lan")
    assert published(database) == [first]
    undo(database)
    say(database, late, Verdict.DETACH)
    say(database, late, Verdict.ACCEPT)
    assert published(database) == [first, late]


def test_a_late_shot_comes_back_when_somebody_takes_back_the_record_that_it_ended_with(
    database: Database, shots: Shots
) -> None:
    (first,) = shots(0.7)
    say(database, first, Verdict.ACCEPT)
    (late,) = shots(0.95)
    say(database, late, Verdict.SAME_GRAVE, by="minh")
    undo(database)
    assert states(database, (first, late)) == [D, D]
    assert undo(database, "minh").state is D
    assert served(database) == [first]


def test_there_is_no_further_shot_without_a_verified_record(database: Database, shots: Shots) -> None:
    _, other = shots(0.95, 0.8)
    with pytest.raises(ConflictError, match="verify one first"):
        say(database, other, Verdict.SAME_GRAVE)


def test_two_records_of_one_grave_become_one_by_a_persons_word(database: Database, shots: Shots, now: datetime) -> None:
    first, second = shots(0.9, 0.8)
    say(database, second, Verdict.DETACH)
    say(database, first, Verdict.ACCEPT)
    say(database, second, Verdict.ACCEPT)
    with database.writing() as session:
        graves.point(session, 2, 1, now)  # as of before graves were told from photos
    say(database, second, Verdict.SAME_GRAVE)
    assert states(database, (first, second)) == [A, F]


def test_only_shots_that_the_person_saw_end(database: Database, shots: Shots) -> None:
    best, seen, unseen = shots(0.95, 0.8, 0.7)
    say(database, best, Verdict.ACCEPT, shots=[seen])
    assert states(database, (seen, unseen)) == [F, D]
    assert served(database) == [unseen]


def test_a_shot_that_another_reviewer_looks_at_does_not_end(database: Database, shots: Shots, now: datetime) -> None:
    best, other = shots(0.95, 0.8)
    with database.writing() as session:
        verification.open_draft(session, other, "minh", now=now)
    say(database, best, Verdict.ACCEPT, now=now + timedelta(seconds=5))
    assert states(database, (best, other)) == [A, D]


def test_a_decision_on_a_shot_that_ended_meanwhile_is_a_conflict(database: Database, shots: Shots) -> None:
    best, other = shots(0.95, 0.8)
    say(database, best, Verdict.ACCEPT)
    with pytest.raises(ConflictError, match="version 2, not 1"):
        say(database, other, Verdict.ACCEPT, expected_version=1)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # in SQLite one waits for the other
def test_two_shots_that_are_accepted_at_once_make_one_record(database: Database, shots: Shots) -> None:
    pairs = [shots(0.95, 0.8, stone=stone) for stone in (STONE, OTHER)]

    def accept(record_id: int) -> bool:
        try:
            with database.writing() as session:
                verification.decide(session, record_id, Verdict.ACCEPT, reviewer=f"r{record_id}", expected_version=1)
        except ConflictError:
            return False
        return True

    for pair in pairs:
        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(accept, pair)) == [False, True]
    assert len(published(database)) == len(pairs)
