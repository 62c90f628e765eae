from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ocr_service.cli import app
from ocr_service.cli.read import summarise
from ocr_service.contract import reading_to_line
from ocr_service.errors import UsageError
from ocr_service.fields import parse_lines
from ocr_service.records import Field, Line, PhotoType, Reading, ReadingStatus

STONE = ("LIỆT SĨ", "NGUYỄN VĂN MẪU", "SINH NĂM: 1948", "HY SINH: 12-5-1968")
OTHER = ("LIỆT SĨ", "TRẦN ĐÌNH CHIẾN", "SINH NĂM: 1951", "HY SINH: 30-4-1975")
PLACE = ((0.0, 0.0), (9.0, 0.0), (9.0, 1.0), (0.0, 1.0))


def shot(photo: str, texts: tuple[str, ...], sure: float, quality: tuple[str, ...] = ()) -> Reading:
    lines = tuple(Line(text, sure, PLACE) for text in texts)
    record = parse_lines(lines).record
    kind = PhotoType.HEADSTONE
    return Reading(photo, photo, ReadingStatus.READ, photo_type=kind, lines=lines, record=record, quality=quality)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "out.jsonl"
    shots = (shot("IMG_10.jpg", OTHER, 0.9), shot("IMG_9.jpg", STONE, 0.9), shot("IMG_8.jpg", STONE, 0.6, ("glare",)))
    path.write_text("".join(reading_to_line(one) + "\n" for one in shots), encoding="utf-8")
    return path


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["group", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_graves_come_in_the_order_of_their_photos_with_the_best_shot_first(journal: Path) -> None:
    rows = [row.split("\t") for row in run(str(journal), "-o", "plain").splitlines()]
    assert rows == [
        ["best", "name", "shots", "others"],
        ["IMG_9.jpg", "Nguyễn Văn Mẫu", "2", "IMG_8.jpg"],
        ["IMG_10.jpg", "Trần Đình Chiến", "1", ""],
    ]


def test_a_grave_as_json_holds_what_its_shots_say_together(journal: Path) -> None:
    first, second = (json.loads(line) for line in run(str(journal), "-o", "json").splitlines())
    assert first["photos"] == ["IMG_9.jpg", "IMG_8.jpg"]
    assert [line["text"] for line in first["lines"]] == list(STONE)
    assert {line["photo"] for line in first["lines"]} == {"IMG_9.jpg"}
    assert first["record"]["name"]["value"] == "Nguyễn Văn Mẫu"
    assert "needs_rephotograph" not in first["record"]["flags"]["value"]  # the best shot has no glare
    assert second["best"] == "IMG_10.jpg"


def test_what_shots_say_together_is_parsed_with_the_context_and_codes_they_were_read_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stone = (*STONE[:2], "QUÊ QUÁN: TÂN THÀNH - HN", "ĐƠN VỊ: KB", STONE[-1])
    path, codes = tmp_path / "out.jsonl", tmp_path / "codes.csv"
    shots = (shot("1.jpg", stone, 0.9), shot("2.jpg", stone, 0.8))
    path.write_text("".join(reading_to_line(one) + "\n" for one in shots), encoding="utf-8")
    codes.write_text("code,from,to,place,meaning,source\nKB,,,,một đơn vị,bảng mẫu\n", encoding="utf-8")
    plain = json.loads(run(str(path), "-o", "json"))["record"]
    monkeypatch.setenv("HEADSTONE_DECODES", str(codes))
    known = json.loads(run(str(path), "-o", "json", "--cemetery", "NTLS A", "--province", "Đồng Tháp"))["record"]
    assert (plain["hometown"]["value"]["province"], plain["unit"]["value"]["decode"]) == ("Hà Nội", None)
    assert known["hometown"]["value"]["district"] == "Hồng Ngự"
    assert known["unit"]["value"]["decode"][0]["meaning"] == "một đơn vị"
    assert "cemetery_from_context" in known["cemetery"]["flags"]


def test_what_is_no_reading_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"photo": 1}\n', encoding="utf-8")
    with pytest.raises(UsageError, match="line 1 is not a reading"):
        CliRunner().invoke(app, ["group", str(path)], catch_exceptions=False)


def test_the_closing_line_of_a_run_counts_photos_to_be_taken_again(capsys: pytest.CaptureFixture[str]) -> None:
    spoilt = shot("a.jpg", STONE, 0.9)
    flagged = replace(spoilt, record={**spoilt.record, "flags": Field(["needs_rephotograph"])})
    assert summarise([flagged, shot("b.jpg", OTHER, 0.9)], interrupted=False) == 0
    assert "1 to be photographed again" in capsys.readouterr().err
