from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from models.recogniser import RecognisedLine
from ocr_service.errors import BundleError, EngineError
from ocr_service.fields.decodes import read_decodes
from ocr_service.reading import Reader, check_reader, load_reader, read_photo
from ocr_service.reading.photo import arrange
from ocr_service.reading.picture_kind import picture_kind
from ocr_service.reading.sight import is_text
from ocr_service.records import Context, Field, Line, PhotoType, Reading, ReadingStatus, RejectReason
from preprocess.rectify import face_to_photo, map_quads

SAMPLES = Path(__file__).parents[2] / "datasets" / "samples"
CLEAR = ("01_black_gold", "04_red_granite", "13_turned_by_exif")
QUARTERS = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)


@cache
def reader() -> Reader:
    return load_reader()


@cache
def reading_of(name: str) -> Reading:
    return read_photo((SAMPLES / f"{name}.jpg").read_bytes(), f"{name}.jpg", reader())


def truth_of(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def unread_share(reading: Reading, lines: list[str]) -> float:
    """Errors of the best reading of each line, as a share of all letters; order does not matter."""
    nearest = [min((Levenshtein.distance(t, seen.text) for seen in reading.lines), default=len(t)) for t in lines]
    return sum(nearest) / sum(len(t) for t in lines)


def turned_sample(name: str, turn: int) -> bytes:
    picture = cv2.rotate(cv2.imread(str(SAMPLES / f"{name}.jpg")), turn)
    return cv2.imencode(".png", picture)[1].tobytes()


def box(x: float, y: float, width: float = 200, height: float = 30) -> np.ndarray:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], dtype=np.float32)


def line(text: str) -> Line:
    return Line(text, 0.9, ((0, 0), (1, 0), (1, 1), (0, 1)))


@pytest.mark.parametrize("name", CLEAR)
def test_a_clear_stone_is_read(name: str) -> None:
    reading = reading_of(name)
    assert reading.status is ReadingStatus.READ
    assert reading.photo_type is PhotoType.HEADSTONE
    assert unread_share(reading, truth_of(name)["lines"]) < 0.25
    assert reading.record["kind"].value == "named"


def test_a_reading_names_its_photo_bundle_and_steps() -> None:
    reading = reading_of(CLEAR[0])
    assert reading.photo == "01_black_gold.jpg"
    assert reading.sha256 == hashlib.sha256((SAMPLES / "01_black_gold.jpg").read_bytes()).hexdigest()
    assert reading.bundle == reader().bundle_id == check_reader()
    assert reading.engine == "onnxruntime/cpu"
    assert {"decode", "detect", "recognise", "stone", "quality", "parse"} <= set(reading.timings_ms)
    assert all(milliseconds >= 0 for milliseconds in reading.timings_ms.values())


def test_an_engine_that_is_not_installed_is_an_error_of_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for choose in (check_reader, load_reader):
        with pytest.raises(EngineError, match=r"pip install '\.\[torch\]'"):
            choose(engine="torch")


def test_an_unknown_profile_or_bundle_is_an_error_of_the_application() -> None:
    for choose in (check_reader, load_reader):
        with pytest.raises(BundleError, match="instant"):
            choose(profile="instant")
        with pytest.raises(BundleError, match="nobody-vi"):
            choose("nobody-vi")


@pytest.mark.parametrize("name", CLEAR)
def test_lines_lie_where_the_photo_shows_them(name: str) -> None:
    reading, truth = reading_of(name), truth_of(name)
    for text, quad in zip(truth["lines"], truth["line_quads"], strict=True):
        nearest = min(reading.lines, key=lambda seen: Levenshtein.distance(text, seen.text))
        if Levenshtein.distance(text, nearest.text) < 0.3 * len(text):
            off = np.mean(nearest.quad, axis=0) - np.mean(np.array(quad, dtype=float), axis=0)
            assert np.abs(off).max() < 40
            assert nearest.quad[0][0] < nearest.quad[1][0]


def test_lines_stand_in_reading_order() -> None:
    reading = reading_of(CLEAR[1])
    middles = [float(np.mean([y for _, y in seen.quad])) for seen in reading.lines]
    assert middles == sorted(middles)


@pytest.mark.parametrize("turn", QUARTERS)
def test_a_photo_turned_without_exif_is_read_upright(turn: int) -> None:
    reading = read_photo(turned_sample("04_red_granite", turn), "turned.png", reader())
    upright = reading_of("04_red_granite")
    assert unread_share(reading, [seen.text for seen in upright.lines]) < 0.2
    top = reading.lines[2].quad
    along = np.subtract(top[1], top[0])
    expected = {QUARTERS[0]: (0, 1), QUARTERS[1]: (-1, 0), QUARTERS[2]: (0, -1)}[turn]
    assert np.dot(along / np.linalg.norm(along), expected) > 0.95


def test_the_face_of_the_stone_is_found() -> None:
    off = [
        np.abs(np.array(quad) - np.array(truth_of(name)["stone_quad"], dtype=float)).mean()
        for name in CLEAR
        for quad in reading_of(name).stone_quads
    ]
    assert off
    assert np.median(off) < 30


def test_a_large_photo_keeps_its_own_pixels_in_quads() -> None:
    picture = cv2.imread(str(SAMPLES / "01_black_gold.jpg"))
    large = cv2.resize(picture, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    reading = read_photo(cv2.imencode(".jpg", large)[1].tobytes(), "large.jpg", reader())
    assert reading.size_px == (picture.shape[1] * 3, picture.shape[0] * 3)
    small = reading_of("01_black_gold")
    name = max(small.lines, key=lambda seen: len(seen.text))
    same = min(reading.lines, key=lambda seen: Levenshtein.distance(seen.text, name.text))
    assert np.abs(np.array(same.quad) / 3 - np.array(name.quad)).max() < 12


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", RejectReason.EMPTY),
        (b"plain text", RejectReason.NOT_AN_IMAGE),
        (b"%PDF-1.4", RejectReason.UNSUPPORTED_TYPE),
        ((SAMPLES / "01_black_gold.jpg").read_bytes()[:20_000], RejectReason.TRUNCATED),
    ],
)
def test_what_cannot_be_decoded_is_rejected_with_a_reason(data: bytes, reason: RejectReason) -> None:
    reading = read_photo(data, "file", reader())
    assert (reading.status, reading.reason) == (ReadingStatus.REJECTED, reason)
    assert reading.detail
    assert reading.sha256 == hashlib.sha256(data).hexdigest()
    assert reading.lines == ()


def test_an_empty_field_has_no_lines_and_goes_to_a_person() -> None:
    noise = np.random.default_rng(5).integers(90, 120, (600, 800, 3), dtype=np.uint8)
    reading = read_photo(cv2.imencode(".png", noise)[1].tobytes(), "field.png", reader())
    assert reading.status is ReadingStatus.READ
    assert (reading.lines, reading.photo_type, reading.quality) == ((), PhotoType.OTHER, ("no_text",))


def test_the_context_reaches_the_parser() -> None:
    data = (SAMPLES / "01_black_gold.jpg").read_bytes()
    reading = read_photo(data, "a.jpg", reader(), Context(plot="Lô A hàng 3 số 12"))
    assert reading.record != reading_of("01_black_gold").record or "loc" not in reading.record


def test_two_columns_that_stand_apart_are_two_stones() -> None:
    quads = [box(x, y) for y in (50, 100, 150) for x in (100, 600)]
    stones, order = arrange(quads, [])
    assert stones == [0, 1] * 3
    assert order == [0, 2, 4, 1, 3, 5]


def test_two_faces_are_read_one_after_the_other() -> None:
    faces = [box(0, 0, 400, 600), box(450, 0, 400, 600)]
    stones, order = arrange([box(500, 50), box(50, 60), box(500, 200)], faces)
    assert stones == [1, 0, 1]
    assert order == [1, 0, 2]


def test_rows_of_an_oblique_face_are_told_apart_on_the_face() -> None:
    face = np.array([[100, 100], [900, 300], [900, 900], [100, 700]], dtype=np.float32)
    on_face = [box(50, 100, 600), box(500, 30), box(50, 30)]
    lines = map_quads(on_face, face_to_photo(face))
    assert lines[1][0][1] > lines[0][0][1]
    assert arrange(lines, [face])[1] == [2, 1, 0]


@pytest.mark.parametrize(
    ("texts", "record", "kind"),
    [
        ([], {}, PhotoType.OTHER),
        (["LIỆT SĨ", "TRẦN VĂN A"], {"kind": "named", "name": "Trần Văn A"}, PhotoType.HEADSTONE),
        (["LIỆT SĨ", "CHƯA XÁC ĐỊNH ĐƯỢC THÔNG TIN"], {"kind": "unknown"}, PhotoType.HEADSTONE),
        (["MỘ TẬP THỂ", "07 LIỆT SĨ"], {"kind": "collective"}, PhotoType.COLLECTIVE_STONE),
        (["Lô A", "Hàng 3", "Số 12"], {"kind": "other"}, PhotoType.NUMBER_PLATE),
        (["NGHĨA TRANG LIỆT SĨ XÃ A"], {"kind": "other", "flags": ["not_a_grave"]}, PhotoType.GATE),
        (["SƠ ĐỒ NGHĨA TRANG"], {"kind": "other", "flags": ["not_a_grave"]}, PhotoType.PLAN),
        (["TỔ QUỐC GHI CÔNG"], {"kind": "other", "flags": ["not_a_grave"]}, PhotoType.MONUMENT),
        (["TỔ", "QUỐC", "GHI", "CÔNG"], {"kind": "partial", "name": "Tổ"}, PhotoType.MONUMENT),
        (["ĐỜI ĐỜI NHỚ ƠN CÁC LIỆT SĨ"], {"kind": "unknown", "flags": ["blank_stone"]}, PhotoType.MONUMENT),
        (["TỔ QUỐC GHI CÔNG", "LIỆT SĨ", "TRẦN VĂN A"], {"kind": "named", "name": "A"}, PhotoType.HEADSTONE),
        (["NTLS", "LÊ BÌNH"], {"kind": "named", "name": "Lê Bình"}, PhotoType.GATE),
        (["NGHĨA TRANG LIỆT SĨ", "XÃ A", "TỔ QUỐC GHI CÔNG"], {"kind": "partial"}, PhotoType.GATE),
        (["NGHĨA TRANG LIỆT SĨ XÃ A", "LIỆT SĨ", "LÊ BÌNH"], {"kind": "named", "name": "Lê Bình"}, PhotoType.HEADSTONE),
        (["NGHĨA TRANG A", "LÊ BÌNH", "1950"], {"kind": "named", "birth": "1950"}, PhotoType.HEADSTONE),
        (["NỘI QUY NGHĨA TRANG", "1. Đi nhẹ", "2. Nói khẽ"], {"kind": "memorial_list"}, PhotoType.OTHER),
        (["LIỆT SĨ", "A", "LIỆT SĨ", "B", "LIỆT SĨ"], {"kind": "named", "name": "A"}, PhotoType.OVERVIEW),
        ([*"KHU", *map(str, range(40))], {"kind": "other"}, PhotoType.PLAN),
        ([f"{n} Trần Văn A 1945" for n in range(30)], {"kind": "named", "name": "A"}, PhotoType.NAME_BOARD),
        (["biamo.example"], {"kind": "other"}, PhotoType.OTHER),
    ],
)
def test_the_kind_of_picture_follows_from_its_text(
    texts: list[str], record: dict[str, object], kind: PhotoType
) -> None:
    fields = {key: Field(value) for key, value in record.items()}
    assert picture_kind([line(text) for text in texts], fields) is kind


def test_short_small_lines_all_over_the_frame_are_an_overview() -> None:
    def at(x: float, y: float, width: float, height: float) -> Line:
        return Line("TRẦN VĂN A", 0.9, ((x, y), (x + width, y), (x + width, y + height), (x, y + height)))

    named = {"kind": Field("named"), "name": Field("Trần Văn A")}
    many = [at(x, y, 90, 12) for x in (50, 500, 1100) for y in (400, 430)]
    one = [at(400, 200 + 80 * row, 500, 40) for row in range(6)]
    assert picture_kind(many, named, (1400, 1050)) is PhotoType.OVERVIEW
    assert picture_kind(one, named, (1400, 1050)) is PhotoType.HEADSTONE


def test_a_small_stone_in_a_large_frame_is_read() -> None:
    stone = cv2.imread(str(SAMPLES / "01_black_gold.jpg"))
    small = cv2.resize(stone, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    frame = np.full((2048, 2048, 3), (90, 120, 100), np.uint8)
    frame[600 : 600 + small.shape[0], 700 : 700 + small.shape[1]] = small
    reading = read_photo(cv2.imencode(".png", frame)[1].tobytes(), "far.png", reader())
    assert unread_share(reading, truth_of("01_black_gold")["lines"]) < 0.15


def test_a_table_of_decodes_answers_what_a_unit_code_meant(tmp_path: Path) -> None:
    table = tmp_path / "decodes.csv"
    table.write_text("code,from,to,place,meaning,source\nKH,,,,Khu 6,invented\n", encoding="utf-8")
    photo = (SAMPLES / "15_oblique_terrazzo.jpg").read_bytes()
    assert reading_of("15_oblique_terrazzo").record["unit"].value["decode"] is None
    unit = read_photo(photo, "p.jpg", replace(reader(), decodes=read_decodes(table))).record["unit"]
    assert unit.value["decode"] == [{"code": "KH", "meaning": "Khu 6", "source": "invented"}]


@pytest.mark.parametrize(
    ("text", "char_probability", "expected"),
    [
        ("ÔNG", 0.8, True),
        ("CC", 0.7, False),  # a leaf
        ("MỘ TẬP THỂ", 0.6, True),
        ("MỘ TẬP THỂ", 0.4, False),
        ("9919919199199", 0.9, False),  # a border
        ("9/9/1999", 0.9, True),
        ("* * *", 0.99, False),
    ],
)
def test_ornaments_are_no_text(text: str, char_probability: float, expected: bool) -> None:
    chars = (char_probability,) * len(text)
    assert is_text(RecognisedLine(text, 0.5, chars, chars, ())) is expected
