import io
import json
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console

from models import bundle as bundles
from models.metrics import LineErrors
from ocr_service.certainty import NEVER, certain_from
from ocr_service.errors import BundleError, UsageError
from ocr_service.evaluation import (
    PEERS,
    EngineScore,
    SeenLine,
    SeenPhoto,
    TruePhoto,
    evaluate,
    field_report,
    load_truth,
    measure,
    peers,
    tables,
    to_json,
)
from ocr_service.evaluation.detection import DetectionScore, match_quads, quad_iou, score_detection
from ocr_service.evaluation.facts import Comparison, FieldScore, Verdict, compare_facts, score_of
from ocr_service.evaluation.field_report import wilson_low
from ocr_service.fields import parse_text
from ocr_service.records import Field
from ocr_service.settings import Settings

SQUARE = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
SHIFTED = ((5.0, 0.0), (15.0, 0.0), (15.0, 10.0), (5.0, 10.0))


def _photo(path, width=400, height=300):
    path.write_bytes(cv2.imencode(path.suffix, np.full((height, width, 3), 127, np.uint8))[1].tobytes())


@pytest.fixture
def rendered(tmp_path):
    """A folder in the renderer's format: N.jpg beside N.json."""
    for number, lines in ((2, ["LIỆT SĨ", "LÊ VĂN AN"]), (10, ["VÔ DANH"])):
        _photo(tmp_path / f"{number}.jpg", width=100 * number)
        truth = {"lines": lines, "truth": {"name": "Lê Văn An"}, "line_quads": [SQUARE] * len(lines)}
        (tmp_path / f"{number}.json").write_text(json.dumps(truth), encoding="utf-8")
    return tmp_path


INTERIM = Settings(bundle="interim")
INTERIM_DIR = bundles.WEIGHTS_DIR / "interim" / "1"


@pytest.fixture
def shelf(tmp_path_factory, monkeypatch):
    """An empty folder of shipped bundles."""
    folder = tmp_path_factory.mktemp("weights")
    monkeypatch.setattr(bundles, "WEIGHTS_DIR", folder)
    return folder


class FakePeer:
    """Reads what it was told to, whatever the photo."""

    def __init__(self, **photos):
        self.photos = photos
        self.asked = []

    def read(self, path: Path) -> SeenPhoto:
        self.asked.append(path.name)
        return self.photos.get(path.stem, SeenPhoto())


def test_sidecar_truth_is_loaded_in_number_order_with_its_facts_and_quads(rendered):
    photos = load_truth(rendered)
    assert [photo.path.name for photo in photos] == ["2.jpg", "10.jpg"]
    assert photos[0].lines == ("LIỆT SĨ", "LÊ VĂN AN")
    assert photos[0].facts == {"name": "Lê Văn An"}
    assert photos[0].line_quads == (SQUARE, SQUARE)


def test_narrow_photos_are_left_out(rendered):
    assert [photo.path.name for photo in load_truth(rendered, min_width_px=300)] == ["10.jpg"]
    with pytest.raises(UsageError, match="5000 px"):
        load_truth(rendered, min_width_px=5000)


def test_transcriptions_drop_the_separator_of_two_stones(tmp_path):
    _photo(tmp_path / "a.png")
    entries = [{"file": "a.png", "lines": ["ÔNG", "|", "BÀ"], "image_type": "photo"}]
    (tmp_path / "transcriptions.json").write_text(json.dumps(entries), encoding="utf-8")
    (photo,) = load_truth(tmp_path)
    assert photo.lines == ("ÔNG", "BÀ")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("note.txt", "x", "holds no truth"),
        ("1.json", '{"lines": ["A"]}', "no photo beside it"),
        ("1.json", "{", "cannot be read"),
        ("1.json", "[]", "not a truth file"),
        ("transcriptions.json", '[{"file": "x.jpg", "lines": []}]', "missing"),
    ],
)
def test_a_folder_without_usable_truth_is_refused_with_a_reason(tmp_path, name, content, says):
    (tmp_path / name).write_text(content)
    with pytest.raises(UsageError, match=says):
        load_truth(tmp_path)


def test_measuring_counts_lines_false_lines_quads_and_confidence(rendered):
    seen = (SeenLine("LIỆT SĨ", 0.9, SQUARE), SeenLine("LÊ VAN AN", 0.2, SHIFTED), SeenLine("0399", 0.1))
    score = measure("fake", FakePeer(**{"2": SeenPhoto(seen)}), load_truth(rendered))
    assert score.errors == LineErrors(
        lines=3, exact_lines=1, missed_lines=1, false_lines=1, chars=23, char_errors=8, bare_char_errors=7
    )
    assert score.detection == DetectionScore(lines=3, missed=2, false=1)
    assert score.auroc == 1.0
    assert score.photos[0].lines == (("LIỆT SĨ", "LIỆT SĨ"), ("LÊ VĂN AN", "LÊ VAN AN"), (None, "0399"))
    assert score.photos[1].lines == (("VÔ DANH", None),)


def test_the_first_photo_warms_up_and_is_not_counted_twice(rendered):
    peer = FakePeer()
    score = measure("fake", peer, load_truth(rendered))
    assert peer.asked == ["2.jpg", "2.jpg", "10.jpg"]
    assert len(score.photos) == 2


def test_a_peer_that_is_not_installed_is_reported(rendered, monkeypatch):
    monkeypatch.setattr(peers.shutil, "which", lambda program: None)
    (score,) = evaluate(load_truth(rendered), ["tesseract"], Settings())
    assert score.not_installed == "not installed: program tesseract"
    assert to_json([score], rendered)["engines"]["tesseract"] == {"not_installed": score.not_installed}


def test_an_unknown_reader_is_an_error_before_any_is_measured(rendered):
    with pytest.raises(UsageError, match=r"crystal.*choose among ours, ours-fast"):
        evaluate(
            load_truth(rendered), ["ours", "crystal-ball"], Settings(), on_photo=lambda *_: pytest.fail("measured")
        )


def test_engines_and_profiles_of_ours_that_are_not_there_are_reported(rendered, monkeypatch, shelf):
    for package in ("torch", "paddleocr"):
        monkeypatch.setitem(sys.modules, package, None)
    scores = evaluate(
        load_truth(rendered), ["ours-fast", "ours-torch", "ours-paddleocr"], Settings(bundle=str(INTERIM_DIR))
    )
    fast, torch, paddleocr = (score.not_installed for score in scores)
    assert "headstone-vi-fast does not ship" in fast
    assert "pip install '.[torch]'" in torch
    assert "make extras" in paddleocr


def test_a_bundle_of_ours_that_is_missing_ends_the_comparison(rendered):
    with pytest.raises(BundleError, match="nobody-vi"):
        evaluate(load_truth(rendered), ["ours"], Settings(bundle="nobody-vi"))


def test_ours_name_their_bundle_and_runtime(rendered, shelf):
    folder = shutil.copytree(INTERIM_DIR, shelf / "headstone-vi-fast" / "7")
    manifest = (folder / "bundle.toml").read_text(encoding="utf-8")
    manifest = manifest.replace('name = "interim"', 'name = "headstone-vi-fast"').replace('"1"', '"7"', 1)
    (folder / "bundle.toml").write_text(manifest, encoding="utf-8")
    scores = evaluate(load_truth(rendered), ["ours", "ours-fast"], Settings(bundle=str(INTERIM_DIR)))
    assert [(score.bundle, score.runtime) for score in scores] == [
        ("interim@1", "onnxruntime/cpu"),
        ("headstone-vi-fast@7", "onnxruntime/cpu"),
    ]
    assert to_json(scores, rendered)["engines"]["ours"]["bundle"] == "interim@1"
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(tables(scores)[0])
    assert "ours-fast: headstone-vi-fast@7 onnxruntime/cpu" in console.export_text()


def _write(path, lines):
    image = np.full((400, 640, 3), 235, np.uint8)
    for row, text in enumerate(lines):
        cv2.putText(image, text, (60, 110 + 90 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (20, 20, 20), 4, cv2.LINE_AA)
    cv2.imwrite(str(path), image)


@pytest.mark.parametrize("engine", ["ours", "rapidocr", "asterocr"])
def test_each_installed_reader_reads_a_plain_photo(tmp_path, engine):
    _write(tmp_path / "1.png", ["NAM 1945", "NAM 1968"])
    (tmp_path / "1.json").write_text(json.dumps({"lines": ["NAM 1945", "NAM 1968"]}))
    (score,) = evaluate(load_truth(tmp_path), [engine], INTERIM)
    assert score.errors.bare_cer <= 0.25
    assert score.errors.missed_lines == 0
    assert score.seconds_per_photo > 0
    assert score.cpu_seconds_per_photo > 0


def test_peers_answer_a_file_that_is_no_photo_with_a_reason(tmp_path):
    (tmp_path / "1.jpg").write_bytes(b"no photo")
    for engine in ("ours", "rapidocr", "asterocr"):
        seen = PEERS[engine](INTERIM).read(tmp_path / "1.jpg")
        assert seen.rejected
        assert seen.lines == ()


def test_facts_compare_as_people_would():
    record = {
        "name": Field("Lê Văn An", confidence=0.95),
        "birth": Field("1945", confidence=0.95),
        "hometown": Field({"commune": "Tân Lập", "district": "Yên Mỹ", "province": None}, confidence=0.5),
        "kind": Field("named", confidence=0.9),
    }
    facts = {
        "name": "LÊ VĂN AN",
        "birth_date": "1946",
        "death_date": "1968",
        "hometown": {"commune": "tân lập", "district": None, "province": "Hưng Yên"},
        "unknown": True,
    }
    verdicts = {name: seen.verdict for name, seen in compare_facts(facts, record).items()}
    assert verdicts == {
        "name": Verdict.RIGHT,
        "birth": Verdict.WRONG,
        "death": Verdict.BLANK,
        "hometown_commune": Verdict.RIGHT,
        "hometown_province": Verdict.BLANK,
        "unknown": Verdict.WRONG,
    }


def test_what_the_stone_does_not_say_is_extra_unless_its_text_says_it():
    stated = parse_text("LIỆT SĨ\nLÊ VĂN AN\nSINH NĂM: 1945").record
    record = parse_text("LIỆT SĨ\nLÊ VĂN AN\nSINH NĂM: 1945\nCẤP BẬC: HẠ SĨ").record
    facts = {"name": "Lê Văn An"}  # a truth file that left out the birth
    assert {name: seen.verdict for name, seen in compare_facts(facts, record, stated).items()} == {
        "name": Verdict.RIGHT,
        "rank": Verdict.EXTRA,
    }
    assert set(compare_facts(facts, record)) == {"name"}


def test_a_name_on_the_stone_of_an_unknown_is_extra_and_the_stone_no_unknown():
    record = {"name": Field("Lê Văn An", confidence=0.9), "kind": Field("named", confidence=0.9)}
    compared = compare_facts({"unknown": True}, record, parse_text("LIỆT SĨ\nCHƯA BIẾT TÊN").record)
    assert {name: seen.verdict for name, seen in compared.items()} == {"name": Verdict.EXTRA, "unknown": Verdict.WRONG}


def test_a_named_stone_taken_for_an_unknown_is_counted():
    record = parse_text("LIỆT SĨ\nCHƯA BIẾT TÊN").record
    compared = compare_facts({"name": "Lê Văn An"}, record, parse_text("LIỆT SĨ\nLÊ VĂN AN").record)
    assert (compared["name"].verdict, compared["unknown"].verdict) == (Verdict.BLANK, Verdict.EXTRA)


@pytest.mark.parametrize(
    ("wanted", "given", "verdict"),
    [
        ({"commune": "Mỹ Hoà", "province": "ĐT"}, {"commune": "Mỹ Hòa", "province": "Đồng Tháp"}, Verdict.RIGHT),
        ({"commune": "Định Hùng"}, {"commune": "Định Hưng"}, Verdict.WRONG),
        ({"commune": "Mỹ Quí"}, {"commune": "Mỹ Quý"}, Verdict.RIGHT),
    ],
)
def test_a_place_is_right_in_every_spelling_of_the_same_words(wanted, given, verdict):
    compared = compare_facts({"hometown": wanted}, {"hometown": Field(given, confidence=0.9)})
    assert {seen.verdict for seen in compared.values()} == {verdict}


@pytest.mark.parametrize(("wanted", "given"), [("Lê Văn Hoà", "Lê Văn Hòa"), ("LÊ VĂN AN", "Lê Văn An")])
def test_a_name_is_right_in_either_orthography_of_its_tones(wanted, given):
    compared = compare_facts({"name": wanted}, {"name": Field(given, confidence=0.9)})
    assert compared["name"].verdict is Verdict.RIGHT


def test_a_tone_makes_another_name():
    compared = compare_facts({"name": "Đặng Nhật Thận"}, {"name": Field("Đặng Nhật Thân", confidence=0.9)})
    assert compared["name"].verdict is Verdict.WRONG


def test_what_is_given_as_certain_is_counted_apart():
    seen = [
        Comparison(Verdict.WRONG, certain_from("name")),
        Comparison(Verdict.WRONG, 0.3),
        Comparison(Verdict.RIGHT, certain_from("name") - 0.01),
        Comparison(Verdict.BLANK),
        Comparison(Verdict.EXTRA, 1.0),
    ]
    score = sum((score_of("name", one) for one in seen), FieldScore())
    assert (score.right, score.blank, score.wrong, score.extra, score.total, score.given) == (1, 1, 2, 1, 4, 4)
    assert (score.sure_right, score.sure_wrong, score.sure_extra, score.sure_found) == (0, 1, 1, 1)


def test_few_counts_say_little():
    assert wilson_low(0, 0) == 0.0
    assert wilson_low(5, 5) == pytest.approx(0.566, abs=0.001)
    assert wilson_low(995, 1000) == pytest.approx(0.9884, abs=0.0001)


def test_overlap_of_quads():
    assert quad_iou(SQUARE, SQUARE) == pytest.approx(1.0)
    assert quad_iou(SQUARE, SHIFTED) == pytest.approx(1 / 3)


def test_a_quad_stands_for_one_line_only():
    assert match_quads([SQUARE, SHIFTED], [SQUARE]) == [(0, 0)]
    assert score_detection([SQUARE], [SQUARE, SQUARE]) == DetectionScore(lines=1, missed=0, false=1)
    assert score_detection([SQUARE], [SHIFTED]) == DetectionScore(lines=1, missed=1, false=1)


def test_tables_show_every_reader_and_json_carries_the_same_figures(monkeypatch):
    monkeypatch.setattr(field_report, "certain_from", lambda field: NEVER if field == "name" else 0.9123)
    good = EngineScore(
        "ours",
        errors=LineErrors(4, 3, 0, 1, 40, 2, 1),
        fields={"name": FieldScore(right=2, wrong=1, extra=1, sure_right=1), "birth": FieldScore(right=1)},
        detection=DetectionScore(lines=4, missed=1, false=2),
        field_ece=0.05,
    )
    absent = EngineScore("tesseract", not_installed="not installed: program tesseract")
    console = Console(width=160, record=True, file=io.StringIO())
    for table in tables([good, absent]):
        console.print(table)
    text = console.export_text()
    assert "5.0%" in text and "3/4" in text and "not installed" in text and "2/3 (1 + 1)" in text
    assert "1 / 2 of 4" in text and "2/4 50%" in text and "1/3 33%" in text and "ECE 0.050" in text
    assert "never" in text and "0.9123" in text
    machine = to_json([good, absent], Path("truth"))["engines"]["ours"]
    assert machine["cer"] == 0.05
    assert machine["exact_share"] == 0.75
    assert (machine["quads_total"], machine["quads_found"], machine["quads_missed"]) == (4, 3, 1)
    name = machine["fields"]["name"]
    assert (name["right"], name["wrong"], name["extra"], name["sure_wrong"]) == (2, 1, 1, 0)
    assert (name["precision"], name["certain_share"], name["certain_precision"]) == (0.5, 0.33333, 1.0)


def test_tables_without_facts_leave_the_fields_out():
    assert len(tables([EngineScore("ours")])) == 1


def test_truth_without_photos_measures_nothing():
    score = measure("fake", FakePeer(), [])
    assert score.photos == ()
    assert (score.seconds_per_photo, score.ece, score.auroc) == (0.0, None, None)


def test_readers_without_fields_are_judged_on_their_text_by_our_parser():
    true = TruePhoto(Path("1.jpg"), ("SINH NĂM: 1945",), {"birth_date": "1945"})
    seen = SeenPhoto((SeenLine("SINH NĂM: 1945"),))
    score = measure("fake", FakePeer(**{"1": seen}), [true])
    assert score.fields["birth"].total == 1
