from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from api.pages.form import FORM_FIELDS
from ocr_service import intake, verification
from ocr_service.records import Alternative, Context, Field, Line, PhotoType, Reading, ReadingStatus, RejectReason
from ocr_service.redaction import SEEN_FIELDS
from ocr_service.states import RecordState, Verdict

NASTY = '"><img src=x onerror=alert(1)>'

Draft = Callable[..., int]


def jpeg(shade: int = 90) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (320, 240), (shade % 256, shade // 256, 90)).save(file, "JPEG")
    return file.getvalue()


def line(text: str, confidence: float, row: int, *others: str) -> Line:
    quad = ((20.0, 20.0 + 30 * row), (300.0, 20.0 + 30 * row), (300.0, 44.0 + 30 * row), (20.0, 44.0 + 30 * row))
    return Line(text, confidence, quad, 0, tuple(Alternative(other, 0.2) for other in others))


LINES = (line("NGUYỄN VĂN MẪU", 0.93, 0, "NGUYỄN VĂN MẬU"), line("Hy sinh: 12/5/1968", 0.995, 1), line("e462", 0.4, 2))
FIELDS = {
    "kind": Field("named", "NGUYỄN VĂN MẪU\nHy sinh: 12/5/1968", 0.99, (0, 1)),
    "name": Field("Nguyễn Văn Mẫu", "NGUYỄN VĂN MẪU", 0.93, (0,)),
    "death": Field("1968-05-12", "12/5/1968", 0.995, (1,)),
    "unit": Field({"chain": [["e", "462"]]}, "e462", 0.4, (2,)),
    "hometown": Field(
        {"province": "Hà Bắc", "province_2025": "Bắc Ninh"}, "Hà Bắc", 0.99, (), ("historic_province", "ambiguous_code")
    ),
}


@pytest.fixture
def draft(app: FastAPI) -> Draft:
    """Stores a photo with its reading, as if a reader had done it, and gives the id of the draft."""
    number = iter(range(1, 100))

    def store(record: dict[str, Field] | None = None, filename: str = "IMG_0412.jpg", lines: Any = LINES) -> int:
        with app.state.database.writing() as session:
            data = jpeg(next(number) * 7)
            photo = intake.receive(
                session,
                app.state.store,
                data,
                filename=filename,
                received_by="thu",
                context=Context(cemetery="NTLS Tân Phú"),
            )
            assert photo.sha256 is not None
            reading = Reading(
                filename, photo.sha256, ReadingStatus.READ, photo_type=PhotoType.HEADSTONE, size_px=(320, 240),
                lines=lines, record=FIELDS if record is None else record, bundle="invented@1",
            )  # fmt: skip
            draft_id = intake.store_reading(session, reading)
        assert draft_id is not None
        return draft_id

    return store


def shown(client: TestClient, draft_id: int) -> dict[str, Any]:
    """What the verification page's script is given."""
    page = client.get(f"/verify/{draft_id}").text
    match = re.search(r'<script type="application/json" id="verify-data">(.*?)</script>', page, re.DOTALL)
    assert match is not None
    return json.loads(match[1])["draft"]


def decide(
    client: TestClient, draft_id: int, verdict: str = "accept", version: int = 1, **fields: dict[str, str]
) -> Any:
    body = {"record": draft_id, "version": version, "verdict": verdict, "fields": fields}
    return client.post("/verify/decisions", json=body)


def record(app: FastAPI, draft_id: int) -> Any:
    with app.state.database.reading() as session:
        return verification.get_record(session, draft_id)


# What is shown


def test_the_form_has_every_field_that_is_published() -> None:
    assert set(FORM_FIELDS) == SEEN_FIELDS


def test_a_value_that_cannot_be_is_weak_however_well_it_was_read(client: TestClient, draft: Draft) -> None:
    absurd = {**FIELDS, "birth": Field("1950/7292", "1950/7292", 0.99, (0,)), "enlist": Field("1966", "66", 0.99, (0,))}
    fields = shown(client, draft(absurd))["fields"]
    assert (fields["birth"]["level"], fields["enlist"]["level"]) == ("weak", "sure")


@pytest.mark.parametrize("flag", ["interval", "season", "approx", "lunar", "two_digit_year", "illegible_year"])
def test_a_date_in_doubt_is_never_shown_as_certain(client: TestClient, draft: Draft, flag: str) -> None:
    doubtful = {**FIELDS, "birth": Field("1950/1951", "1950-1951", 0.99, (0,), (flag,))}
    birth = shown(client, draft(doubtful))["fields"]["birth"]
    assert birth["level"] == "check"
    assert birth["notes"][0]["attention"]


def test_the_persons_of_a_stone_of_many_are_shown_and_corrected_by_rows(
    client: TestClient, app: FastAPI, draft: Draft
) -> None:
    read = [{"name": "Tran Van Ba", "birth": "1947"}, {"name": "Lê Thị Tư"}]
    draft_id = draft({"kind": Field("collective", "x", 0.9), "persons": Field(read, None, 0.9)})
    persons = shown(client, draft_id)["fields"]["persons"]
    assert (persons["cut"], persons["value"]) == ("Tran Van Ba\nLê Thị Tư", "Tran Van Ba (1947); Lê Thị Tư")
    assert decide(client, draft_id, persons={"value": "X"}).status_code == 422
    rows = " 1. Trần  Văn Ba 1947\n\n2. Lê Thị Tư"
    assert decide(client, draft_id, persons={"cut": rows}).status_code == 200
    field = record(app, draft_id).fields["persons"]
    assert field.raw == "1. Trần Văn Ba 1947\n2. Lê Thị Tư"
    published = client.get(f"/api/v1/records/{draft_id}").json()["fields"]["persons"]["value"]
    assert published == [{"name": "Trần Văn Ba", "birth": "1947"}, {"name": "Lê Thị Tư"}]


def test_the_history_says_what_follows_from_a_name_in_words(client: TestClient, draft: Draft) -> None:
    draft_id = draft({**FIELDS, "name_status": Field("illegible", "NGUYỄN V…", 0.5)})
    assert decide(client, draft_id, name={"cut": "NGUYỄN VĂN MẬU"}).status_code == 200
    page = client.get(f"/records/{draft_id}").text
    assert "<del>không rõ chữ</del> → <ins>đủ họ tên</ins>" in page


def test_a_draft_is_shown_as_cut_and_in_its_normal_form(client: TestClient, draft: Draft) -> None:
    fields = shown(client, draft())["fields"]
    assert (fields["name"]["cut"], fields["name"]["value"]) == ("NGUYỄN VĂN MẪU", "Nguyễn Văn Mẫu")
    assert (fields["death"]["cut"], fields["death"]["value"]) == ("12/5/1968", "12/05/1968")
    assert fields["hometown"]["meaning"] == "nay thuộc Bắc Ninh"


def test_certainty_is_told_in_three_levels(client: TestClient, draft: Draft) -> None:
    fields = shown(client, draft())["fields"]
    assert [fields[name]["level"] for name in ("death", "name", "unit", "birth")] == ["sure", "check", "weak", "none"]


def test_a_field_that_needs_judgement_is_never_shown_as_certain(client: TestClient, draft: Draft) -> None:
    hometown = shown(client, draft())["fields"]["hometown"]
    assert hometown["level"] == "check"
    assert [note["attention"] for note in hometown["notes"]] == [True, False]


def test_a_field_that_was_not_read_stays_blank(client: TestClient, draft: Draft) -> None:
    birth = shown(client, draft())["fields"]["birth"]
    assert (birth["cut"], birth["value"]) == ("", "")


def test_other_readings_of_a_line_are_offered(client: TestClient, draft: Draft) -> None:
    assert shown(client, draft())["fields"]["name"]["others"] == ["NGUYỄN VĂN MẬU"]


def test_lines_without_a_field_are_listed_apart(client: TestClient, draft: Draft) -> None:
    assert shown(client, draft({"name": FIELDS["name"]}))["other_lines"] == [1, 2]


def test_what_users_wrote_is_text_and_never_markup(client: TestClient, draft: Draft) -> None:
    fields = {"name": Field(NASTY, NASTY, 0.9, (0,))}
    draft_id = draft(fields, filename=f"{NASTY}.jpg", lines=(line(NASTY, 0.9, 0, NASTY + "</script>"),))
    assert decide(client, draft_id).status_code == 200
    pages = [f"/verify/{draft_id}", f"/records/{draft_id}", "/records", "/photos", "/photos/1", "/"]
    for path in pages:
        text = client.get(path).text
        assert "<img src=x" not in text, path
        assert "</script>" not in re.sub(r"<script[^>]*>.*?</script>", "", text, flags=re.DOTALL), path
    assert html.escape(NASTY, quote=True)[-20:] in client.get(f"/records/{draft_id}").text


@pytest.mark.parametrize(
    "path", ["/", "/upload", "/verify", "/records", "/photos", "/photos/1", "/records/1", "/nowhere"]
)
def test_pages_hold_no_inline_script_or_style(client: TestClient, draft: Draft, path: str) -> None:
    decide(client, draft())
    draft()
    text = client.get(path, headers={"Accept": "text/html"}).text
    assert "<html" in text
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    scripts = re.findall(r"<script([^>]*)>", text)
    assert scripts
    assert all("src=" in attributes or 'type="application/json"' in attributes for attributes in scripts)


# Deciding


def test_accepting_a_draft_makes_it_a_record(client: TestClient, app: FastAPI, draft: Draft) -> None:
    draft_id = draft()
    answer = decide(client, draft_id)
    assert answer.json() == {"version": 2, "title": "Nguyễn Văn Mẫu", "left": 0}
    assert record(app, draft_id).state is RecordState.ACCEPTED


def test_a_correction_of_the_words_as_cut_gives_a_new_normal_form(
    client: TestClient, app: FastAPI, draft: Draft
) -> None:
    draft_id = draft()
    assert decide(client, draft_id, death={"cut": "12/5/1969"}).status_code == 200
    view = record(app, draft_id)
    assert view.state is RecordState.CORRECTED
    assert (view.fields["death"].raw, view.fields["death"].value) == ("12/5/1969", "1969-05-12")
    assert view.fields["death"].decided_by == "lan"
    assert view.fields["name"].decided_by is None


def test_a_correction_of_the_normal_form_keeps_the_words_as_cut(client: TestClient, app: FastAPI, draft: Draft) -> None:
    draft_id = draft()
    assert decide(client, draft_id, death={"value": "5/1968"}).status_code == 200
    death = record(app, draft_id).fields["death"]
    assert (death.raw, death.value) == ("12/5/1968", "1968-05")


def test_a_field_left_blank_is_blank_in_the_record(client: TestClient, app: FastAPI, draft: Draft) -> None:
    draft_id = draft()
    assert decide(client, draft_id, unit={"cut": ""}).status_code == 200
    unit = record(app, draft_id).fields["unit"]
    assert (unit.raw, unit.value) == (None, None)


def test_entries_that_change_nothing_are_an_acceptance(client: TestClient, app: FastAPI, draft: Draft) -> None:
    draft_id = draft()
    assert decide(client, draft_id, name={"cut": " NGUYỄN VĂN  MẪU "}).status_code == 200
    assert record(app, draft_id).state is RecordState.ACCEPTED


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"death": {"value": "30/2/1968"}}, "không có trong lịch"),
        ({"kind": {"value": "castle"}}, "không có trong danh sách"),
        ({"kind": {"value": ""}}, "Chọn loại mộ"),
        ({"shoe_size": {"cut": "42"}}, "Không có mục"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused_in_words(
    client: TestClient, app: FastAPI, draft: Draft, fields: dict[str, dict[str, str]], said: str
) -> None:
    draft_id = draft()
    answer = decide(client, draft_id, **fields)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert record(app, draft_id).state is RecordState.DRAFT


def test_a_decision_on_what_somebody_else_decided_is_a_conflict(client: TestClient, app: FastAPI, draft: Draft) -> None:
    draft_id = draft()
    with app.state.database.writing() as session:
        verification.decide(session, draft_id, Verdict.CANNOT_READ, reviewer="minh", expected_version=1)
    assert decide(client, draft_id).status_code == 409
    assert record(app, draft_id).state is RecordState.CANNOT_READ


def test_the_same_decision_sent_twice_is_made_once(client: TestClient, app: FastAPI, draft: Draft) -> None:
    draft_id = draft()
    first, second = decide(client, draft_id), decide(client, draft_id)
    assert first.json() == second.json()
    assert record(app, draft_id).version == 2
    assert decide(client, draft_id, "cannot_read").status_code == 409


def test_undo_brings_the_draft_back(client: TestClient, app: FastAPI, draft: Draft) -> None:
    draft_id = draft()
    decide(client, draft_id, death={"cut": "1969"})
    answer = client.post("/verify/undo", json={}).json()
    assert (answer["draft"]["id"], answer["draft"]["fields"]["death"]["cut"], answer["left"]) == (
        draft_id,
        "12/5/1968",
        1,
    )
    assert record(app, draft_id).state is RecordState.DRAFT
    assert client.post("/verify/undo", json={}).status_code == 404


def test_drafts_come_ahead_without_those_in_hand(client: TestClient, draft: Draft) -> None:
    first, second, third = draft(), draft(), draft()

    def ahead(after: int, *hidden: int) -> list[int]:
        answer = client.post("/verify/drafts", json={"after": after, "count": 2, "hidden": list(hidden)})
        return [one["id"] for one in answer.json()["drafts"]]

    assert ahead(0) == [first, second]
    assert ahead(second, second) == [third, first]
    assert ahead(third, first, second, third) == []


def test_the_meaning_of_typed_words_is_told(client: TestClient, draft: Draft) -> None:
    asked = {"record": draft(), "field": "death", "cut": "5-1969"}
    assert client.post("/verify/meaning", json=asked).json()["value"] == "05/1969"


# Without scripts


def plain(client: TestClient, draft_id: int, verdict: str, **changed: str) -> Any:
    fields = shown(client, draft_id)["fields"]
    form = {f"cut.{name}": field["cut"] for name, field in fields.items()}
    form |= {f"value.{name}": field["value"] for name, field in fields.items()}
    form |= {"record": str(draft_id), "version": "1", "verdict": verdict} | changed
    return client.post("/verify", data=form, follow_redirects=False)


def test_a_plain_form_accepts_and_goes_on(client: TestClient, app: FastAPI, draft: Draft) -> None:
    draft_id = draft()
    answer = plain(client, draft_id, "accept")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/verify?after={draft_id}")
    assert record(app, draft_id).state is RecordState.ACCEPTED


def test_a_plain_form_corrects(client: TestClient, app: FastAPI, draft: Draft) -> None:
    draft_id = draft()
    assert plain(client, draft_id, "accept", **{"cut.death": "12/5/1969"}).status_code == 303
    death = record(app, draft_id).fields["death"]
    assert (death.raw, death.value) == ("12/5/1969", "1969-05-12")


def test_a_plain_form_that_makes_no_sense_comes_back_with_the_reason(client: TestClient, draft: Draft) -> None:
    answer = plain(client, draft(), "accept", **{"value.death": "31/2/1968"})
    assert answer.status_code == 422
    assert "không có trong lịch" in answer.text


def test_a_plain_form_skips_and_undoes(client: TestClient, app: FastAPI, draft: Draft) -> None:
    first, second = draft(), draft()
    assert plain(client, first, "skip").headers["location"] == f"/verify?after={first}"
    plain(client, second, "not_a_headstone")
    assert record(app, second).state is RecordState.NOT_A_HEADSTONE
    assert plain(client, first, "undo").headers["location"] == f"/verify/{second}"
    assert record(app, second).state is RecordState.DRAFT


# Records and photos


def test_records_are_found_with_and_without_tone_marks(client: TestClient, draft: Draft) -> None:
    draft_id = draft()
    assert f"/records/{draft_id}" not in client.get("/records?q=nguyen").text
    decide(client, draft_id)
    for query in ("q=nguyen van mau", "q=Nguyễn Văn Mẫu", "hometown=ha bac", "death_year=1968"):
        assert f"/records/{draft_id}" in client.get(f"/records?{query}").text, query
    for query in ("q=tran", "death_year=1969"):
        assert f"/records/{draft_id}" not in client.get(f"/records?{query}").text, query


def test_htmx_gets_the_found_records_alone(client: TestClient, draft: Draft) -> None:
    draft_id = draft()
    decide(client, draft_id)
    part = client.get("/records?q=mau", headers={"HX-Request": "true"}).text
    assert f"/records/{draft_id}" in part
    assert "<html" not in part


def test_a_long_list_goes_on_where_it_stopped(client: TestClient, draft: Draft) -> None:
    ids = [draft() for _ in range(52)]
    for draft_id in ids:
        decide(client, draft_id)
    first = client.get("/records?q=mau").text
    more = re.search(r'hx-get="([^"]*after=\d+)"', first)
    assert more is not None
    rest = client.get(html.unescape(more[1]), headers={"HX-Request": "true"}).text
    found = [int(number) for number in re.findall(r"/records/(\d+)", first + rest)]
    assert found == ids


def test_a_record_page_tells_who_decided_what(client: TestClient, draft: Draft) -> None:
    draft_id = draft()
    decide(client, draft_id, death={"cut": "12/5/1969"})
    page = client.get(f"/records/{draft_id}").text
    assert "<del>12/5/1968</del>" in page
    assert "<ins>12/5/1969</ins>" in page
    assert "lan" in page


def test_the_page_of_a_rejected_photo_says_why_and_what_to_do(client: TestClient, app: FastAPI) -> None:
    with app.state.database.writing() as session:
        photo = intake.receive(session, app.state.store, jpeg(), filename="đứt.jpg", received_by="thu")
        assert photo.sha256 is not None
        intake.store_reading(
            session, Reading("đứt.jpg", photo.sha256, ReadingStatus.REJECTED, RejectReason.TRUNCATED, "ends too early")
        )
    page = client.get(f"/photos/{photo.photo_id}").text
    assert "Tệp ảnh bị đứt" in page
    assert "Sao chép lại" in page
    assert "Tệp ảnh bị đứt" in client.get("/").text
    answer = client.post("/photos/retry", data={"state": "rejected", "reason": "truncated"}, follow_redirects=False)
    assert answer.headers["location"] == "/?retried=1"
    assert "đang chờ máy đọc" in client.get(f"/photos/{photo.photo_id}").text
