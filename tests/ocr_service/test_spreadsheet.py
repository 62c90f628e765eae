import csv
from pathlib import Path

import pytest

from ocr_service.certainty import certain_from
from ocr_service.records import Field, Reading, ReadingStatus, RejectReason
from ocr_service.spreadsheet import CSV_COLUMNS, csv_row, hometown_text, record_confidence, record_is_certain, write_csv


def reading(photo: str = "a.jpg", **record: Field) -> Reading:
    return Reading(photo, "ab" * 32, ReadingStatus.READ, record=record, bundle="test@1")


def test_a_row_shows_normalised_values_and_the_weakest_confidence() -> None:
    row = csv_row(
        reading(
            name=Field("Đặng Văn Mẫu", "ĐẶNG VĂN MẪU", 0.9),
            death=Field("1968-05-12", "12-5-68", 0.6),
            hometown=Field({"commune": "Ngọc Xá", "district": "Quế Võ", "province": "Hà Bắc"}, "…", 0.8),
        )
    )
    assert (row["name"], row["death"], row["confidence"]) == ("Đặng Văn Mẫu", "1968-05-12", "0.600")
    assert row["hometown"] == "Ngọc Xá, Quế Võ, Hà Bắc"


def test_confidence_is_unknown_rather_than_zero_when_nothing_was_read() -> None:
    assert record_confidence({"name": Field(None)}) is None
    assert csv_row(reading(name=Field(None)))["confidence"] == ""


def test_a_hometown_without_parts_shows_what_was_cut() -> None:
    assert hometown_text(Field({"region": "Miền Bắc"}, "Miền Bắc")) == "Miền Bắc"
    assert hometown_text(None) == ""


@pytest.mark.parametrize("text", ["=1+1", "+84", "-2+3", "@cmd", "\tx"])
def test_text_that_looks_like_a_formula_is_made_harmless_in_the_file_only(tmp_path: Path, text: str) -> None:
    found = reading(name=Field(text))
    write_csv(tmp_path / "out.csv", [found])
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        assert next(csv.DictReader(file))["name"] == "'" + text
    assert csv_row(found)["name"] == text


def test_results_are_readable_by_whoever_may_read_the_folder(tmp_path: Path) -> None:
    write_csv(tmp_path / "out.csv", [])
    (tmp_path / "plain").touch()
    assert (tmp_path / "out.csv").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_file_opens_as_utf8_with_one_row_a_photo(tmp_path: Path) -> None:
    rejected = Reading("b.txt", "", ReadingStatus.REJECTED, reason=RejectReason.NOT_AN_IMAGE, bundle="test@1")
    write_csv(tmp_path / "out.csv", [reading(name=Field("Lê, Văn")), rejected])
    content = (tmp_path / "out.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [row["name"] for row in rows] == ["Lê, Văn", ""]
    assert rows[1]["reason"] == "not_an_image"


def test_a_record_is_certain_where_each_of_its_searched_fields_is() -> None:
    sure = {name: Field("X", "X", certain_from(name), (0,)) for name in ("name", "death")}
    assert record_is_certain(sure)
    assert not record_is_certain(sure | {"hometown": Field({}, "X", 0.5, (0,))})
    assert not record_is_certain({"name": Field(None)})
