from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest

from ocr_service import exports, publication, verification
from ocr_service.database import Database
from ocr_service.database.values import RecordField
from ocr_service.errors import NotFoundError
from ocr_service.fields import parse_text
from ocr_service.records import Context, Field
from ocr_service.redaction import REDACTED, public_fields
from ocr_service.states import Verdict

NOWHERE = Context()

Add = Callable[..., int]


def accept(database: Database, *ids: int) -> None:
    with database.writing() as session:
        for record_id in ids:
            verification.decide(session, record_id, Verdict.ACCEPT, reviewer="lan", expected_version=1)


@pytest.fixture
def verified(database: Database, add_draft: Add) -> Database:
    place = Context(cemetery="Nghĩa trang liệt sĩ Tân Phú", cemetery_province="Đồng Tháp", plot="A1")
    ids = [
        add_draft("NGUYỄN VĂN MẪU", place),
        add_draft(
            "NGUYÊN THỊ HÒA", birth=Field("195X", "195."), hometown=Field({"province": "Hải Dương"}, "Hải Dương")
        ),
        add_draft("TRẦN ĐỨC ÂN", death=Field("1966/1967", "1966-1967"), birth=Field("XXXX-08-19", "19.8")),
    ]
    accept(database, *ids)
    add_draft("NGUYỄN VĂN NHÁP")
    return database


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [1, 2, 3]),
        ({"q": "nguyen"}, [1, 2]),
        ({"q": "nguyễn"}, [1]),
        ({"q": "NGUYÊN"}, [2]),
        ({"q": "mau nguyen"}, [1]),
        ({"q": "hoà"}, [2]),
        ({"q": "hòa"}, [2]),
        ({"q": "duc an"}, [3]),
        ({"q": "đức"}, [3]),
        ({"q": "guyen"}, []),
        ({"q": "tân phú"}, [1, 3]),
        ({"name": "tân phú"}, []),
        ({"hometown": "hai duong"}, [2]),
        ({"birth_year": 1948}, [1]),
        ({"birth_year": 1953}, [2]),
        ({"death_year": 1967}, [3]),
        ({"death_year": 1968, "q": "nguyen"}, [1, 2]),
        ({"cemetery": "tan phu"}, [1]),
        ({"cemetery": "TÂN PHÚ"}, [1]),
        ({"cemetery": "nowhere"}, []),
        ({"q": "%"}, []),
        ({"q": "_____"}, []),
        ({"name": "\\"}, []),
        ({"cemetery": "%"}, []),
        ({"q": "  "}, [1, 2, 3]),
        ({"name": "' OR 1=1 --"}, []),
    ],
)
def test_search_finds_exactly(verified: Database, asked: dict[str, object], found: list[int]) -> None:
    with verified.reading() as session:
        assert [r.id for r in publication.search_records(session, **asked)] == found  # type: ignore[arg-type]


def test_search_goes_on_where_it_stopped(verified: Database) -> None:
    with verified.reading() as session:
        first = publication.search_records(session, limit=2)
        assert [r.id for r in publication.search_records(session, after_id=first[-1].id, limit=2)] == [3]


def test_a_draft_is_not_there_for_the_public(verified: Database) -> None:
    with verified.reading() as session:
        assert verification.get_record(session, 4).id == 4
        with pytest.raises(NotFoundError):
            publication.get_record(session, 4)
        with pytest.raises(NotFoundError):
            publication.public_history(session, 4)
        assert not publication.may_show_photo(session, 4)
        assert publication.may_show_photo(session, 1)


def test_a_record_taken_back_is_no_longer_served(verified: Database) -> None:
    with verified.writing() as session:
        taken_back = verification.undo(session, "lan")
    with verified.reading() as session, pytest.raises(NotFoundError):
        publication.get_record(session, taken_back.id)


def test_the_public_history_names_no_person_and_no_value(verified: Database) -> None:
    with verified.reading() as session:
        (entry,) = publication.public_history(session, 1)
    assert (entry.version, entry.verdict, entry.fields) == (2, Verdict.ACCEPT, ())


def test_personal_data_is_never_served(database: Database, add_draft: Add) -> None:
    record_id = add_draft(
        redact=Field([{"kind": "phone", "text": "0900 000 000"}, {"kind": "kin", "text": "Trần Thị Lập Bia"}], None),
        death_place=Field("con Trần  Thị Lập Bia lập", "CON TRẦN THỊ LẬP BIA LẬP - ĐT 0900 000 000"),
        title=Field("ông", "Ông Nguyễn Văn Sống", flags=("living_person_pii",)),
        unit=Field({"raw": "KB", "decode": {"value": "secret"}}, "KB"),
    )
    accept(database, record_id)
    with database.reading() as session:
        record = publication.get_record(session, record_id)
        text = repr(record) + "".join(exports.records_as_csv(session)) + "".join(exports.records_as_jsonl(session))
        assert not publication.may_show_photo(session, record.photo_id)
    assert record.redacted
    assert not {"title", "redact"} & set(record.fields)
    assert record.fields["death_place"].raw == f"CON {REDACTED} LẬP - ĐT {REDACTED}"
    for secret in ("0900", "Lập Bia", "LẬP BIA", "Sống", "secret"):
        assert secret not in text


def test_nothing_about_living_people_gets_from_a_parsed_stone_to_the_public(database: Database, add_draft: Add) -> None:
    stone = "LIỆT SĨ\nNGUYỄN VĂN MẪU\nHy sinh: 12/5/1968\nVợ: Trần Thị Lập Bia phụng lập - ĐT 0912 345 678"
    record_id = add_draft("NGUYỄN VĂN MẪU", NOWHERE, **parse_text(stone).record)
    accept(database, record_id)
    with database.reading() as session:
        text = "".join(exports.records_as_csv(session)) + "".join(exports.records_as_jsonl(session))
        found = publication.search_records(session, q="mau")
    assert "Mẫu" in text
    assert "0912" in stone
    for secret in ("Lập Bia", "0912", "345 678"):
        assert secret not in text + repr(found)


def test_only_what_a_verifier_saw_is_published(database: Database, add_draft: Add) -> None:
    record_id = add_draft(
        kind=Field("named", "NGUYỄN VĂN MẪU\nrác 1", 0.9),
        name_status=Field("full", "rác 2"),
        war=Field("KCCM", "rác 3"),
        other_names=Field(["Rác 4"], "rác 4"),
        persons=Field([{"name": "Nguyễn Văn Mẫu"}, {"name": "Rác 5"}]),
        names=Field(["Rác 6"]),
        other_lines=Field(["rác 7"]),
        other_stones=Field([{"name": "Rác 8"}]),
        name_variants=Field(["Rác 9"]),
        lunar=Field("1968-04-16", "rác 10"),
        burial=Field({"raw": "rác 11"}, "rác 11"),
        award=Field({"raw": "rác 12"}, "rác 12"),
        header=Field("rác 13", "rác 13"),
        flags=Field(["rác_14"]),
    )
    accept(database, record_id)
    with database.reading() as session:
        record = publication.get_record(session, record_id)
        text = repr(record) + "".join(exports.records_as_csv(session)) + "".join(exports.records_as_jsonl(session))
        assert publication.search_records(session, q="rac") == []
        assert "Rác 5" in repr(verification.get_record(session, record_id).fields)
    assert "rác" not in text.lower()
    assert (record.fields["kind"].value, record.fields["kind"].raw) == ("named", None)
    assert (record.fields["name_status"].value, record.fields["war"].value) == ("full", "KCCM")


@pytest.mark.parametrize(("kind", "served"), [("collective", True), ("memorial_list", True), ("named", False)])
def test_a_list_of_persons_is_published_for_stones_of_many_only(kind: str, served: bool) -> None:
    person = {"name": "Trần Văn Ba", "birth": "1947", "name_raw": "TRẦN VĂN BA", "unit": "rác"}
    fields = {"kind": RecordField("", kind), "persons": RecordField("1. TRẦN VĂN BA 1947", [person])}
    published, _ = public_fields(fields)
    assert ("persons" in published) is served
    if served:
        assert published["persons"].value == [{"name": "Trần Văn Ba", "birth": "1947"}]


def test_a_record_without_personal_data_is_served_whole() -> None:
    fields = {"name": RecordField("MẪU", "Mẫu"), "redact": RecordField(None, [])}
    served, redacted = public_fields(fields)
    assert (list(served), redacted) == (["name"], False)


def test_the_csv_has_one_row_a_record_and_runs_no_formula(database: Database, add_draft: Add) -> None:
    accept(database, add_draft("=HYPERLINK(1)"), add_draft(hometown=Field(None, None)))
    add_draft()
    with database.reading() as session:
        text = "".join(exports.records_as_csv(session))
    assert text.startswith("\ufeffid,")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["id"] for row in rows] == ["1", "2"]
    assert rows[0]["name"].startswith("'=")
    assert rows[0]["hometown"] == "Tân Phú, Bến Tre"
    assert (rows[1]["hometown"], rows[1]["rank"]) == ("", "")


def test_the_jsonl_has_the_three_values_of_each_fact(verified: Database) -> None:
    with verified.reading() as session:
        lines = [json.loads(line) for line in exports.records_as_jsonl(session)]
    assert [line["id"] for line in lines] == [1, 2, 3]
    assert lines[0]["fields"]["death"] == {"raw": "12-5-1968", "value": "1968-05-12", "on_record": None, "flags": []}
    assert lines[0]["place"]["cemetery"] == "Nghĩa trang liệt sĩ Tân Phú"
