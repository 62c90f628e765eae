"""What docs/contracts.md promises is what the programs write."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ocr_service.contract import reading_to_json
from ocr_service.fields import parse_text
from ocr_service.records import PhotoType, Reading, ReadingStatus, RejectReason

CONTRACTS = (Path(__file__).parents[2] / "docs" / "contracts.md").read_text(encoding="utf-8")
COMMAND = [sys.executable, "-c", "from ocr_service.cli import main; main()"]

INSCRIPTIONS = (
    "LIỆT SĨ\nĐẶNG VĂN MẪU (tức Sáu Mẫu)\nSN: 1948\nNhập ngũ: 2/1966\nQuê quán: Hiệp Cát - Nam Sách - Hải Hưng\n"
    "CB: H3, a trưởng\nĐ/V: c15/e462\nHS: 12-5-68\nLô A hàng 3 số 12\n"
    "Bằng TQGC số: BK 123 BH QĐ 345/TTg ngày 12/7/1976",
    "MỘ TẬP THỂ 07 LIỆT SĨ",
    "MỘ LIỆT SĨ CHƯA XÁC ĐỊNH ĐƯỢC THÔNG TIN",
    "HÀI CỐT LIỆT SĨ ĐÃ DI CHUYỂN",
    "LIỆT SĨ TRẦN VĂN MẪU\nHy sinh: KCCP\nVợ: Nguyễn Thị Lan phụng lập",
    "LIỆT SĨ\nTRẦN VĂN MẪU\nHS: 12-2-1954 (ÂL)\nqxz 77 !!",
)


def section(title: str) -> str:
    """The part of the contracts under a heading that begins so."""
    found = re.search(rf"^## {re.escape(title)}.*?\n(.*?)(?=^## |\Z)", CONTRACTS, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def codes(text: str) -> set[str]:
    return set(re.findall(r"`([a-z_0-9]+)`", text))


def parse_jsonl(stdin: bytes, code: int = 0) -> tuple[str, str]:
    done = subprocess.run([*COMMAND, "parse", "--jsonl"], input=stdin, capture_output=True, check=False)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode(), done.stderr.decode()


def test_the_object_of_a_photo_has_the_documented_keys_and_no_others() -> None:
    reading = Reading("a.jpg", "00", ReadingStatus.REJECTED, RejectReason.EMPTY, "no data", bundle="x@1")
    table = section("`headstone read … --jsonl OUT`")
    documented = {row.split("|")[1].strip(" `") for row in table.splitlines() if row.startswith("| `")}
    assert set(reading_to_json(reading)) == documented


def test_every_reason_and_photo_type_is_documented() -> None:
    text = section("`headstone read … --jsonl OUT`")
    reasons = re.search(r"^Reasons: (.*?)\n\n", text, re.MULTILINE | re.DOTALL)
    assert reasons is not None
    assert codes(reasons[1]) == {str(reason) for reason in RejectReason}
    types = next(row for row in text.splitlines() if row.startswith("| `photo_type`"))
    assert codes(types) - {"photo_type"} == {str(kind) for kind in PhotoType}


@pytest.mark.parametrize("inscription", INSCRIPTIONS)
def test_every_field_of_an_inscription_is_documented(inscription: str) -> None:
    facts = parse_text(inscription).record
    assert set(facts) <= codes(section("`record`: the fields"))


def test_parse_answers_each_object_in_order_and_passes_over_empty_lines() -> None:
    sent = [json.dumps({"text": text}) for text in INSCRIPTIONS]
    out, _ = parse_jsonl("\r\n\r\n\n".join(sent).encode())
    answers = [json.loads(line) for line in out.splitlines()]
    assert answers == [json.loads(json.dumps(parse_text(text).flat())) for text in INSCRIPTIONS]
    assert all("name_raw" in answer and "kind" in answer and "flags" in answer for answer in answers)


def test_parse_takes_decomposed_text_for_the_same_text() -> None:
    composed = "LIỆT SĨ\nNGUYỄN THỊ HOÀ\nQuê quán: Quảng Thành, Thanh Hoá"
    decomposed = "LIÊ\u0323T SI\u0303\nNGUYÊ\u0303N THI\u0323 HOA\u0300\nQuê quán: Qua\u0309ng Thành, Thanh Hoa\u0301"
    out, _ = parse_jsonl("\n".join(json.dumps({"text": text}) for text in (composed, decomposed)).encode())
    first, second = out.splitlines()
    assert first == second


@pytest.mark.parametrize("line", ["[1]", '{"text": 5}', '{"text": "x", "ctx": []}', '{"text": "x"', "null"])
def test_a_line_that_is_no_such_object_ends_parse_with_its_number(line: str) -> None:
    out, message = parse_jsonl(f'{{"text": "LIỆT SĨ"}}\n{line}\n'.encode(), code=2)
    assert len(out.splitlines()) == 1
    assert "line 2" in message
    assert "Traceback" not in message


def test_the_exit_codes_of_the_help_are_the_documented_ones() -> None:
    documented = set(re.findall(r"^\| (\d+) \|", section("Exit codes"), re.MULTILINE))
    help_text = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"\b(\d+) (?=done|some|wrong|model|results|interrupted)", help_text)) == documented
