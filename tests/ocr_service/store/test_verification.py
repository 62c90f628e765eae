from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service import verification
from ocr_service.database import Database
from ocr_service.database.values import RecordView
from ocr_service.errors import ConflictError, NotFoundError, UsageError
from ocr_service.records import Field
from ocr_service.states import PhotoState, RecordState, Verdict
from ocr_service.verification import Correction
from ocr_service.verification.field_values import expected_of

Add = Callable[..., int]


def decide(database: Database, draft_id: int, verdict: Verdict, version: int = 1, **more: Any) -> RecordView:
    with database.writing() as session:
        return verification.decide(
            session, draft_id, verdict, reviewer=more.pop("reviewer", "lan"), expected_version=version, **more
        )


def undo(database: Database, reviewer: str = "lan") -> RecordView:
    with database.writing() as session:
        return verification.undo(session, reviewer)


def history(database: Database, record_id: int) -> list[tuple[Any, ...]]:
    with database.reading() as session:
        return [(d.verdict, d.field, d.before, d.after) for d in verification.history(session, record_id)]


def test_two_reviewers_never_get_the_same_draft(database: Database, add_draft: Add, now: datetime) -> None:
    first, second = add_draft(), add_draft()
    with database.writing() as session:
        mine = verification.next_draft(session, "lan", now=now)
        theirs = verification.next_draft(session, "minh", now=now)
        nobody = verification.next_draft(session, "hoa", now=now)
        again = verification.next_draft(session, "lan", now=now)
    assert mine is not None
    assert theirs is not None
    assert again is not None
    assert (mine.id, theirs.id, nobody, again.id) == (first, second, None, first)


def test_a_draft_left_lying_goes_to_the_next_reviewer(database: Database, add_draft: Add, now: datetime) -> None:
    draft_id = add_draft()
    with database.writing() as session:
        verification.next_draft(session, "lan", lease_s=60, now=now)
        later = verification.next_draft(session, "minh", now=now + timedelta(seconds=61))
    assert later is not None
    assert (later.id, later.lease_owner) == (draft_id, "minh")


def test_a_reviewer_can_skip_a_draft(database: Database, add_draft: Add, now: datetime) -> None:
    first, second = add_draft(), add_draft()
    with database.writing() as session:
        skipped = verification.next_draft(session, "lan", after_id=first, now=now)
        assert skipped is not None
        assert skipped.id == second
        assert verification.next_draft(session, "lan", after_id=second, now=now) is None


def test_an_opened_draft_is_held_against_others(database: Database, add_draft: Add, now: datetime) -> None:
    draft_id = add_draft()
    with database.writing() as session:
        assert verification.open_draft(session, draft_id, "lan", now=now).lease_owner == "lan"
        with pytest.raises(ConflictError, match="another reviewer"):
            verification.open_draft(session, draft_id, "minh", now=now)
    with pytest.raises(ConflictError, match="another reviewer"):
        decide(database, draft_id, Verdict.ACCEPT, reviewer="minh", now=now)


def test_the_queue_is_read_by_keyset_and_leases_nothing(database: Database, add_draft: Add) -> None:
    ids = [add_draft() for _ in range(5)]
    with database.reading() as session:
        first = verification.queue(session, limit=2)
        rest = verification.queue(session, after_id=first[-1].id, limit=10)
        assert verification.count_waiting(session) == 5
    assert [d.id for d in (*first, *rest)] == ids
    assert all(d.lease_owner is None for d in first)


def test_accepting_keeps_every_value_and_verifies_the_photo(database: Database, add_draft: Add) -> None:
    draft_id = add_draft()
    record = decide(database, draft_id, Verdict.ACCEPT)
    assert (record.state, record.version, record.decided_by) == (RecordState.ACCEPTED, 2, "lan")
    assert record.photo.state is PhotoState.VERIFIED
    assert record.fields["name"].value == "Nguyễn Văn Mẫu"
    assert record.fields["name"].decided_by is None
    assert history(database, draft_id) == [(Verdict.ACCEPT, "state", "draft", "accepted")]


def test_a_correction_keeps_what_was_before(database: Database, add_draft: Add) -> None:
    draft_id = add_draft()
    record = decide(
        database,
        draft_id,
        Verdict.CORRECT,
        values={"name": Correction(raw="NGUYỄN VĂN MẬU", value="Nguyễn Văn Mậu"), "birth": Correction()},
        reason="dấu nặng",
    )
    assert record.state is RecordState.CORRECTED
    assert (record.fields["name"].raw, record.fields["name"].decided_by) == ("NGUYỄN VĂN MẬU", "lan")
    assert (record.fields["birth"].raw, record.fields["birth"].value) == (None, None)
    rows = history(database, draft_id)
    assert [(field, before and before["raw"]) for _, field, before, _ in rows[1:]] == [
        ("birth", "1948"),
        ("name", "NGUYỄN VĂN MẪU"),
        ("name_status", None),
    ]
    with database.reading() as session:
        evidence = verification.history(session, draft_id)[2].evidence
    assert evidence == {"lines": [0], "confidence": 0.93}


def test_a_value_without_a_text_leaves_what_is_cut(database: Database, add_draft: Add) -> None:
    record = decide(database, add_draft(), Verdict.CORRECT, values={"death": Correction(value="1968-05-21")})
    assert (record.fields["death"].raw, record.fields["death"].value) == ("12-5-1968", "1968-05-21")


def test_a_corrected_text_is_normalised_like_a_read_one(database: Database, add_draft: Add) -> None:
    record = decide(database, add_draft(), Verdict.CORRECT, values={"death": Correction(raw="  không   rõ ")})
    assert record.fields["death"].raw == "không rõ"
    assert record.fields["death"].value is None


def test_corrected_text_is_kept_composed(database: Database, add_draft: Add) -> None:
    values = {"name": Correction(raw="Nguye\u0302\u0303n\u0000 A")}
    record = decide(database, add_draft(), Verdict.CORRECT, values=values)
    assert record.fields["name"].raw == "Nguyễn A"


@pytest.mark.parametrize(
    ("verdict", "state", "photo"),
    [
        (Verdict.CANNOT_READ, RecordState.CANNOT_READ, PhotoState.CANNOT_READ),
        (Verdict.NOT_A_HEADSTONE, RecordState.NOT_A_HEADSTONE, PhotoState.NOT_A_HEADSTONE),
    ],
)
def test_a_stone_that_cannot_be_read_and_no_stone_are_different_ends(
    database: Database, add_draft: Add, verdict: Verdict, state: RecordState, photo: PhotoState
) -> None:
    record = decide(database, add_draft(), verdict, reason="rêu phủ kín")
    assert (record.state, record.photo.state) == (state, photo)


def test_a_stale_version_is_a_conflict_and_changes_nothing(database: Database, add_draft: Add) -> None:
    draft_id = add_draft()
    decide(database, draft_id, Verdict.ACCEPT)
    with pytest.raises(ConflictError, match="version 2, not 1"):
        decide(database, draft_id, Verdict.NOT_A_HEADSTONE, reviewer="minh")
    assert len(history(database, draft_id)) == 1


@pytest.mark.parametrize(
    ("verdict", "values"),
    [
        (Verdict.CORRECT, {}),
        (Verdict.CORRECT, {"name": Correction(raw="NGUYỄN VĂN MẪU")}),
        (Verdict.CORRECT, {"shoe_size": Correction(raw="42")}),
        (Verdict.ACCEPT, {"name": Correction(raw="X")}),
        (Verdict.UNDO, {}),
    ],
)
def test_a_verdict_that_makes_no_sense_is_refused(
    database: Database, add_draft: Add, verdict: Verdict, values: dict[str, Correction]
) -> None:
    draft_id = add_draft()
    with pytest.raises(UsageError):
        decide(database, draft_id, verdict, values=values)
    assert history(database, draft_id) == []


def test_a_draft_that_does_not_exist_is_not_found(database: Database) -> None:
    with pytest.raises(NotFoundError):
        decide(database, 99, Verdict.ACCEPT)


def test_a_verified_record_can_be_corrected_but_not_accepted_again(database: Database, add_draft: Add) -> None:
    draft_id = add_draft()
    decide(database, draft_id, Verdict.ACCEPT)
    with pytest.raises(ConflictError, match="cannot become accepted"):
        decide(database, draft_id, Verdict.ACCEPT, version=2)
    fixed = decide(
        database, draft_id, Verdict.CORRECT, version=2, reviewer="minh", values={"birth": Correction("1947")}
    )
    assert (fixed.state, fixed.version, fixed.decided_by) == (RecordState.CORRECTED, 3, "minh")


def test_an_undo_restores_everything_by_a_further_decision(database: Database, add_draft: Add) -> None:
    draft_id = add_draft()
    with database.reading() as session:
        before = verification.get_record(session, draft_id)
    values = {"name": Correction(raw="X Y"), "unit": Correction(raw="C3 D7")}
    decide(database, draft_id, Verdict.CORRECT, values=values)
    after = undo(database)
    assert (after.state, after.fields, after.photo.state) == (before.state, before.fields, before.photo.state)
    assert (after.version, after.decided_by) == (3, None)
    assert [row[0] for row in history(database, draft_id)] == [Verdict.CORRECT] * 4 + [Verdict.UNDO] * 4
    with database.writing() as session:
        again = verification.next_draft(session, "minh")
    assert again is not None
    assert again.id == draft_id


def test_undo_goes_back_decision_by_decision(database: Database, add_draft: Add) -> None:
    first, second = add_draft(), add_draft()
    decide(database, first, Verdict.ACCEPT)
    decide(database, first, Verdict.CORRECT, version=2, values={"birth": Correction("1947")})
    decide(database, second, Verdict.CANNOT_READ)
    assert undo(database).id == second
    back = undo(database)
    assert (back.id, back.state, back.decided_by) == (first, RecordState.ACCEPTED, "lan")
    assert undo(database).state is RecordState.DRAFT
    with pytest.raises(NotFoundError):
        undo(database)


def test_a_decision_can_be_made_anew_after_an_undo(database: Database, add_draft: Add) -> None:
    draft_id = add_draft()
    decide(database, draft_id, Verdict.NOT_A_HEADSTONE)
    undo(database)
    assert decide(database, draft_id, Verdict.ACCEPT, version=3).state is RecordState.ACCEPTED
    assert undo(database).state is RecordState.DRAFT


def test_what_somebody_else_decided_since_is_not_undone(database: Database, add_draft: Add) -> None:
    draft_id = add_draft()
    decide(database, draft_id, Verdict.ACCEPT)
    decide(database, draft_id, Verdict.CANNOT_READ, version=2, reviewer="minh")
    with pytest.raises(ConflictError, match="decided again"):
        undo(database, "lan")
    assert undo(database, "minh").state is RecordState.ACCEPTED
    assert undo(database, "lan").state is RecordState.DRAFT


def test_personal_data_found_by_a_reviewer_can_be_marked(database: Database, add_draft: Add) -> None:
    record = decide(
        database,
        add_draft(),
        Verdict.CORRECT,
        values={"redact": Correction(raw="ĐT 0900 000 000", value=["0900 000 000"])},
    )
    assert record.fields["redact"].value == ["0900 000 000"]


def test_fields_the_reader_did_not_see_can_be_added(database: Database, add_draft: Add) -> None:
    record = decide(database, add_draft(aliases=Field(None)), Verdict.CORRECT, values={"rank": Correction(raw="Hạ sĩ")})
    assert record.fields["rank"].raw == "Hạ sĩ"


def test_what_was_said_about_a_field_does_not_outlive_it(database: Database, add_draft: Add) -> None:
    draft_id = add_draft(
        "TRẦN VĂN",
        name_status=Field("illegible"),
        death=Field("1954-03-16", "12-2-1954 (ÂL)", 0.8, (2,), ("lunar",)),
        death_calendar=Field("lunar", "12-2-1954 (ÂL)"),
        flags=Field(["lunar", "two_columns"]),
    )
    values = {"name": Correction(raw="TRẦN VĂN THỬ"), "death": Correction(raw="12-2-1954")}
    fields = decide(database, draft_id, Verdict.CORRECT, values=values).fields
    assert (fields["name"].value, fields["name_status"].value) == ("Trần Văn Thử", "full")
    assert (fields["death"].value, fields["death_calendar"].value) == ("1954-02-12", "solar")
    assert fields["flags"].value == ["two_columns"]


def test_what_a_person_says_goes_before_what_would_follow(database: Database, add_draft: Add) -> None:
    values = {"name": Correction(raw="NĂM ĐỨC"), "name_status": Correction(value="alias_only")}
    fields = decide(database, add_draft(), Verdict.CORRECT, values=values).fields
    assert fields["name_status"].value == "alias_only"


@pytest.mark.parametrize("correction", [Correction(raw="unknown"), Correction(value="martian"), Correction()])
def test_a_kind_is_one_of_the_known_kinds(database: Database, add_draft: Add, correction: Correction) -> None:
    with pytest.raises(UsageError, match="kind"):
        decide(database, add_draft(), Verdict.CORRECT, values={"kind": correction})


def test_a_stone_without_a_name_keeps_its_kind_and_wording(database: Database, add_draft: Add) -> None:
    values = {"kind": Correction(value="unknown"), "name": Correction()}
    fields = decide(database, add_draft(), Verdict.CORRECT, values=values).fields
    assert (fields["kind"].value, fields["name"].value, fields["name"].raw) == ("unknown", None, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("death", "not a date"),
        ("death", "1968-02-30"),
        ("death", "1968-13"),
        ("birth", "1950/7292"),
        ("birth", "1968/1950"),
        ("enlist", 1968),
        ("party", False),
        ("rank", {"a": [1]}),
        ("rank", "king"),
        ("war", "KCCX"),
        ("name_status", "famous"),
        ("name", ["Nguyễn Văn Mẫu"]),
        ("name", " "),
        ("position", 3),
        ("aliases", "Sáu"),
        ("aliases", [1]),
        ("age", True),
        ("age", "20"),
        ("age", -1),
        ("hometown", "Bến Tre"),
        ("hometown", {"planet": "Mars"}),
        ("hometown", {"province": 5}),
        ("unit", {"chain": [["c"]]}),
        ("unit", {"chain": "c3"}),
        ("loc", {"hang": 3}),
        ("persons", [{"name": "A", "birth": "soon"}]),
        ("persons", ["A"]),
        ("redact", "0900"),
        ("kind", "martian"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_its_name(
    database: Database, add_draft: Add, name: str, value: Any
) -> None:
    draft_id = add_draft()
    with pytest.raises(UsageError, match=rf"the value of {name} does not fit; expected is \w+"):
        decide(database, draft_id, Verdict.CORRECT, values={name: Correction("X", value)})
    assert history(database, draft_id) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("death", date) for date in ("1968-02-29", "195X-02", "XXXX-08-19", "1966/1967", "1948~", "19XX-XX-05")),
        ("party", True),
        ("rank", "ha_si"),
        ("position", "đánh xe Ríp"),
        ("aliases", ["Sáu Cựu"]),
        ("age", 20),
        ("hometown", {"commune": "A", "province_2025_candidates": ["B"], "commune_2025": {"code": "1", "name": "C"}}),
        ("unit", {"raw": "c3 d7", "chain": [["c", "3"], [None, "7"]], "mailbox": None}),
        ("loc", {"raw": "lô A", "lo": "A"}),
        ("persons", [{"name": "Trần Văn Ba", "birth": "1947"}, {"name": None, "kind": "unknown"}]),
    ],
)
def test_a_value_of_the_right_type_is_kept(database: Database, add_draft: Add, name: str, value: Any) -> None:
    fields = decide(database, add_draft(), Verdict.CORRECT, values={name: Correction("X", value)}).fields
    assert fields[name].value == value


@pytest.mark.parametrize("name", ["rank", "war", "age", "death", "party"])
def test_words_without_a_normal_form_stay_words_with_a_blank_and_a_flag(name: str) -> None:
    value, flags = verification.normalised(name, "zzz qqq")
    assert value is None or (name, value) == ("party", True)
    assert value is not None or "not_normalised" in flags


@pytest.mark.parametrize("name", sorted(verification.CORRECTABLE_FIELDS - {"kind"}))
@given(words=st.text(st.characters(categories=["Lu", "Ll", "Nd", "Zs", "Po", "Pd"]), min_size=1, max_size=40))
def test_whatever_is_typed_gives_a_value_of_the_fields_type(name: str, words: str) -> None:
    words = words.strip() or "x"
    value, _ = verification.normalised(name, words)
    assert expected_of(name, value) is None


def test_ranks_and_wars_are_those_that_the_parser_gives() -> None:
    for words, code in (("Chuẩn úy", "chuan_uy"), ("Đại tướng", "dai_tuong"), ("H3", "thuong_si")):
        assert verification.normalised("rank", words) == (code, ())
    assert verification.normalised("war", "KCCP")[0] == "KCCP"


def test_a_corrected_name_is_corrected_wherever_it_stands(database: Database, add_draft: Add) -> None:
    draft_id = add_draft(
        "NGUYEN VAN MAU",
        name=Field("Nguyen Van Mau", "NGUYEN VAN MAU", 0.5, (0,)),
        aliases=Field(["Sáu"], "NGUYEN VAN MAU (Sáu)"),
        name_variants=Field(["Mau"], "NGUYEN VAN MAU (MAU)"),
        persons=Field([{"name": "Nguyen Van Mau", "name_raw": "NGUYEN VAN MAU"}, {"name": "Lê Tư"}]),
        names=Field(["Nguyen Van Mau", "Lê Tư"]),
    )
    fields = decide(database, draft_id, Verdict.CORRECT, values={"name": Correction("NGUYỄN VĂN MẪU")}).fields
    assert fields["persons"].value == [{"name": "Nguyễn Văn Mẫu"}, {"name": "Lê Tư"}]
    assert fields["names"].value == ["Nguyễn Văn Mẫu", "Lê Tư"]
    assert (fields["aliases"].value, fields["aliases"].raw) == (["Sáu"], "NGUYỄN VĂN MẪU (Sáu)")
    assert fields["name_variants"].value is None


def test_corrected_rows_are_the_persons_of_a_stone_of_many(database: Database, add_draft: Add) -> None:
    rows = "1. Trần Văn Ba 1947 - 1968\n2. Lê Thị Tư"
    values = {"kind": Correction(value="collective"), "persons": Correction(rows)}
    fields = decide(database, add_draft(), Verdict.CORRECT, values=values).fields
    assert [(person["name"], person.get("death")) for person in fields["persons"].value] == [
        ("Trần Văn Ba", "1968"),
        ("Lê Thị Tư", None),
    ]
