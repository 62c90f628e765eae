from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.errors import UsageError
from ocr_service.upload.columns import HEADINGS, Column, column_of, taken_at
from ocr_service.upload.manifest import Manifest, ManifestError, read_manifest

NOW = datetime(2026, 4, 30, 12, 0)
FILES = ("a/IMG_1.jpg", "a/IMG_2.jpg", "b/IMG_2.jpg", "b/mộ 3.JPG")


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def read(path: Path, files: tuple[str, ...] = FILES) -> Manifest:
    return read_manifest(path, files, now=NOW)


def faults(path: Path, files: tuple[str, ...] = FILES) -> list[str]:
    with pytest.raises(ManifestError) as found:
        read(path, files)
    return str(found.value).splitlines()[1:]


def test_a_table_says_what_is_known_of_each_file(tmp_path: Path) -> None:
    manifest = read(
        write(
            tmp_path / "plots.csv",
            "file,plot,cemetery,commune,province,collector,device,taken at,lat,lon\n"
            "a/IMG_1.jpg,A-17,NTLS Tân Phú,Tân Phú,Bến Tre,Lan,Máy 1,2025-05-31 10:20,10.24,106.37\n"
            "b/IMG_2.jpg,,,,,,,,,\n",
        )
    )
    facts = manifest.facts["a/IMG_1.jpg"]
    assert facts.to_json() == {
        "plot": "A-17",
        "cemetery": "NTLS Tân Phú",
        "commune": "Tân Phú",
        "province": "Bến Tre",
        "collector": "Lan",
        "device": "Máy 1",
        "taken_at": "2025-05-31T10:20:00",
        "latitude_deg": 10.24,
        "longitude_deg": 106.37,
    }
    assert manifest.facts["b/IMG_2.jpg"].to_json() == {}
    assert manifest.unlisted == ("a/IMG_2.jpg", "b/mộ 3.JPG")


@pytest.mark.parametrize("heading", ["Tên tệp;Khu;Lô;Hàng;Số mộ", "TEN TEP;KHU;LO;HANG;SO MO", "ảnh;khu_mộ;lô;hang;mộ"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_headings_are_vietnamese_with_or_without_marks_and_a_plot_may_come_in_parts(
    tmp_path: Path, heading: str, encoding: str
) -> None:
    text = f"DANH SÁCH MỘ\n\n{heading}\nIMG_1.jpg;A;2;3;15\n"
    assert read(write(tmp_path / "m.csv", text, encoding)).facts["a/IMG_1.jpg"].plot == "khu A, lô 2, hàng 3, mộ 15"


def test_files_are_found_by_path_in_any_case_with_any_slashes_and_by_name_where_it_is_the_only_one(
    tmp_path: Path,
) -> None:
    table = write(tmp_path / "m.csv", "file\nA\\img_1.JPG\n./b/IMG_2.jpg\nMỘ 3.jpg\n")
    assert set(read(table).facts) == {"a/IMG_1.jpg", "b/IMG_2.jpg", "b/mộ 3.JPG"}


def test_every_fault_is_named_with_its_row_before_anything_is_sent(tmp_path: Path) -> None:
    table = write(
        tmp_path / "m.csv",
        "file,plot,khu,taken at,lat,lon,stone colour\n"  # 1
        "a/IMG_1.jpg,A-1,,31/02/2025,,,grey\n"  # 2
        "nowhere.jpg,,,,,,\n"  # 3
        "IMG_2.jpg,,,,,,\n"  # 4
        "a/IMG_1.jpg,,,,,,\n"  # 5
        f"b/IMG_2.jpg,{'x' * 201},,01/01/2030,95,10,\n"  # 6
        '"b/mộ\n3.JPG",A,B,,21,,\n'  # 7
        ",A-9,,,,,\n"  # 8
        "\n"
        "a/IMG_2.jpg,,,,,,,left over\n",  # 10
    )
    found = faults(table)
    expected = (
        ("row 1", "stone colour"),
        ("row 2", "31/02/2025"),
        ("row 2", "no heading"),
        ("row 3", "nowhere.jpg"),
        ("row 4", "may be 2 files"),
        ("row 5", "listed already in row 2"),
        ("row 6", "201 characters"),
        ("row 6", "future"),
        ("row 6", "'95'"),
        ("row 7", "given twice"),
        ("row 7", "longitude"),
        ("row 8", "no file"),
        ("row 10", "left over"),
    )
    for row, words in expected:
        assert any(line.startswith(f"{row}:") and words in line for line in found), (row, words, found)


def test_many_faults_are_counted_and_the_first_fifty_shown(tmp_path: Path) -> None:
    table = write(tmp_path / "m.csv", "file\n" + "".join(f"missing{n}.jpg\n" for n in range(80)))
    found = faults(table)
    assert len(found) == 51
    assert found[0].startswith("row 2:")
    assert found[-1] == "… and 30 more"


def test_sheets_of_a_workbook_are_named_and_numbers_and_dates_are_as_they_are_shown(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first = book.active
    first.title = "Khu A"
    first.append(["Nghĩa trang liệt sĩ xã Tân Phú"])
    first.append(["STT", "Tên tệp", "Hàng", "Số mộ", "Ngày chụp"])
    first.append([1, "IMG_1.jpg", 3.0, 15, date(2025, 5, 31)])
    second = book.create_sheet("Khu B")
    second.append(["Tên tệp", "Hàng", "Ngày chụp"])
    second.append(["b/IMG_2.jpg", "4a", datetime(2025, 6, 1, 8, 5)])
    notes = book.create_sheet("Ghi chú")
    notes.append(["mưa cả buổi sáng"])
    path = tmp_path / "m.xlsx"
    book.save(path)
    facts = read(path).facts
    assert facts["a/IMG_1.jpg"].to_json() == {"plot": "hàng 3, mộ 15", "taken_at": "2025-05-31"}
    assert facts["b/IMG_2.jpg"].to_json() == {"plot": "hàng 4a", "taken_at": "2025-06-01T08:05:00"}

    second.append(["none.jpg"])
    book.save(path)
    assert faults(path) == ["sheet “Khu B”, row 3: the file “none.jpg” is not in the folder"]


def test_a_list_that_names_no_files_says_so(tmp_path: Path) -> None:
    (found,) = faults(write(tmp_path / "m.csv", "plot,cemetery\nA-1,NTLS\n"))
    assert found.startswith("row 1:")
    assert "“file”" in found
    assert faults(write(tmp_path / "empty.csv", ""))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"t\xea\xf2p;khu\n1.jpg;A\n", "UTF-8"),  # as Windows-1258 has it
        (b'file,plot\n"a', "line 2"),
        (b"\xd0\xcf\x11\xe0 old", "xlsx"),
        (b"PK\x03\x04 cut", "save it anew"),
    ],
)
def test_what_is_no_table_is_refused_with_what_to_do(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=words):
        read(path)


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.xlsx"
    openpyxl.Workbook().save(path)
    path.write_bytes(path.read_bytes().replace(b"workbook", b"wOrkbook"))
    with pytest.raises(UsageError, match="save it anew"):
        read(path)


def test_no_heading_names_two_columns() -> None:
    for column, headings in HEADINGS.items():
        for heading in headings:
            assert column_of(heading) is column, heading
    assert column_of("Khu  Mộ:") is Column.KHU
    assert column_of("màu đá") is None


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("31/05/2025", "2025-05-31"),
        ("1-6-2025", "2025-06-01"),
        ("31.05.2025 8h05", "2025-05-31T08:05:00"),
        ("31/05/2025 10:20:30", "2025-05-31T10:20:30"),
        ("2025-05-31T10:20+07:00", "2025-05-31T10:20:00+07:00"),
    ],
)
def test_days_come_first_and_a_date_stays_a_date(text: str, iso: str) -> None:
    assert taken_at(text, now=NOW) == iso


@pytest.mark.parametrize("text", ["05/31/2025", "hôm qua", "2025", "31/05/25", "2027-01-01", "31/05/2025 25:00"])
def test_what_is_no_date_or_not_yet_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|future|time"):
        taken_at(text, now=NOW)


@given(st.dates(date(1990, 1, 1), date(2026, 4, 29)))
def test_every_day_reads_the_same_in_both_ways_of_writing(day: date) -> None:
    assert taken_at(f"{day:%d/%m/%Y}", now=NOW) == taken_at(day.isoformat(), now=NOW) == day.isoformat()
