from __future__ import annotations

import math
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.metrics import expected_calibration_error
from ocr_service.certainty import (
    CALIBRATION_FILE,
    CERTAIN_FROM,
    NEVER,
    FieldCalibration,
    certain_from,
    field_calibrations,
    load_calibrations,
)
from ocr_service.evaluation import calibration_stones
from ocr_service.evaluation.calibrate_fields import Judged, certain_threshold, describe, draw, fit, judge, to_toml
from ocr_service.evaluation.calibration_stones import read_stones, write_stones
from ocr_service.evaluation.field_samples import GROUP_OF, GROUPS, FieldSample, samples_of
from ocr_service.evaluation.truth import TruePhoto
from ocr_service.fields import parse_lines
from ocr_service.fields.confidence import chance, field_confidence, left_by, log_odds, with_chances
from ocr_service.reading import Reader
from ocr_service.records import Field, Line, Reading, ReadingStatus

NOWHERE = ((0.0, 0.0), (90.0, 0.0), (90.0, 20.0), (0.0, 20.0))
CHANCES = st.floats(0, 1)
FLAGS = st.sets(st.sampled_from(["gazetteer_fix", "lunar_mismatch", "illegible_year", "two_columns"]))


def _samples(scores: list[float], right: list[bool], *flags: str) -> list[FieldSample]:
    return [
        FieldSample("name", Field("An", "AN", score, (0,), flags), is_right)
        for score, is_right in zip(scores, right, strict=True)
    ]


def _drawn(count: int, bias: float, slope: float, seed: int = 1) -> list[FieldSample]:
    """Values whose chance of being right follows a known model."""
    rng = Random(seed)
    scores = [rng.uniform(0.02, 0.98) for _ in range(count)]
    chances = [1 / (1 + math.exp(-bias - slope * log_odds(score))) for score in scores]
    return _samples(scores, [rng.random() < one for one in chances])


@given(CHANCES, CHANCES, FLAGS, st.sampled_from(sorted(field_calibrations())))
def test_a_chance_never_falls_with_the_score_nor_rises_with_a_doubt(
    one: float, other: float, flags: set[str], name: str
) -> None:
    fitted = field_calibrations()[name]
    low, high = sorted((one, other))
    doubts = tuple(flags)
    assert 0 <= chance(Field("X", "X", low), fitted) <= chance(Field("X", "X", high), fitted) < 1
    doubted = Field("X", "X", high * left_by(doubts), (0,), doubts)
    assert chance(doubted, fitted) <= chance(Field("X", "X", high), fitted) + 1e-4
    assert chance(doubted, fitted) <= left_by(doubts)


def test_only_values_that_were_read_get_a_chance() -> None:
    score = field_confidence([0.5])
    record = {
        "name": Field("An", "AN", score, (0,)),
        "birth": Field(None, "?", 0.0, (1,)),
        "enlist": Field("1966", "1966", score, ()),
        "kind": Field("named", "AN", score, (0,)),
    }
    given = with_chances(record)
    assert given["name"].confidence == chance(record["name"], field_calibrations()["name"])
    assert {name: given[name] for name in ("birth", "enlist", "kind")} == {
        name: record[name] for name in ("birth", "enlist", "kind")
    }


def test_every_calibrated_field_has_a_threshold_of_its_own_and_others_the_common_one() -> None:
    assert set(field_calibrations()) == set(GROUP_OF)
    for field in GROUP_OF:
        assert CERTAIN_FROM <= certain_from(field) <= NEVER
    assert certain_from("loc") == CERTAIN_FROM


def test_a_calibration_is_read_as_it_was_written(tmp_path: Path) -> None:
    fitted = {group: FieldCalibration(0.25 + i, 0.5 * i, 0.9 + i / 100) for i, group in enumerate(GROUPS)}
    file = tmp_path / "certainty.toml"
    file.write_text(to_toml(fitted, "made up"), encoding="utf-8")
    assert load_calibrations(file) == {field: fitted[group] for field, group in GROUP_OF.items()}
    assert load_calibrations(CALIBRATION_FILE) == field_calibrations()


def test_fitting_finds_the_model_that_values_follow() -> None:
    fitted = fit(_drawn(4000, bias=-0.5, slope=1.5))
    assert fitted.bias == pytest.approx(-0.5, abs=0.15)
    assert fitted.slope == pytest.approx(1.5, abs=0.15)


def test_a_group_without_an_error_is_fitted_without_boasting() -> None:
    fitted = fit(_samples([0.9 + i / 1000 for i in range(50)], [True] * 50))
    assert chance(Field("An", "AN", 0.95), fitted) == pytest.approx(51 / 52, abs=0.01)


def test_a_score_that_misleads_is_not_used_the_wrong_way_round() -> None:
    assert fit(_drawn(500, bias=1.0, slope=-1.0)).slope == 0.0


def test_values_with_doubts_keep_them_and_do_not_bend_the_fit() -> None:
    plain = _drawn(500, bias=0.0, slope=1.0)
    doubted = _samples([0.3] * 200, [True] * 200, "illegible_year")
    assert fit([*plain, *doubted]) == fit(plain)


def test_chances_of_unseen_stones_hold() -> None:
    stones = [[sample] for sample in _drawn(3000, bias=0.5, slope=0.7)]
    judged = judge(stones, "name")
    assert len(judged.chances) == len(stones)
    assert expected_calibration_error(judged.chances, judged.right) < 0.03
    assert expected_calibration_error([s.field.confidence for s in judged.samples], judged.right) > 0.05


@pytest.mark.parametrize(
    ("right", "chances", "threshold"),
    [
        ([True] * 120, [0.98] * 120, 0.98),
        ([True] * 99, [0.98] * 99, NEVER),  # too few
        ([True] * 120 + [False] * 80, [0.98] * 120 + [0.96] * 80, 0.98),
        ([True] * 199 + [False], [0.98] * 200, 0.98),  # 99.5 %
        ([True] * 198 + [False] * 2, [0.98] * 200, NEVER),
        ([False] + [True] * 299, [0.99] + [0.97] * 299, 0.97),
        ([True] * 150 + [False, True] * 3, [0.98] * 150 + [0.97] * 6, 0.98),  # ties stand or fall together
        ([True] * 300, [0.98] * 150 + [0.9] * 150, 0.98),  # good company makes nobody certain
    ],
)
def test_certain_is_the_lowest_chance_that_holds_995_in_1000(
    right: list[bool], chances: list[float], threshold: float
) -> None:
    assert certain_threshold(chances, right) == threshold


def test_the_report_names_counts_and_the_diagram_is_a_picture(tmp_path: Path) -> None:
    judged = Judged(_samples([0.9, 0.2], [True, False]), [0.95, 0.1])
    text = describe("name", judged, 0.9)
    assert "2 values, 1 right" in text and "certain from 0.9000: 1 values, 1 right" in text
    draw({"name": judged}, tmp_path / "new" / "diagram.png")
    assert (tmp_path / "new" / "diagram.png").read_bytes().startswith(b"\x89PNG")


def _lines(*texts: str) -> list[Line]:
    return [Line(text, 0.9, NOWHERE) for text in texts]


def test_samples_say_of_each_value_whether_the_stone_says_just_that() -> None:
    truth = TruePhoto(
        Path("1.jpg"),
        ("LIỆT SĨ", "LÊ VĂN AN", "SINH NĂM: 1945", "QUÊ QUÁN: TÂN LẬP - YÊN MỸ - HƯNG YÊN"),
        {"name": "Lê Văn An", "birth_date": "1945", "hometown": {"commune": "Tân Lập", "district": "Yên Mỹ"}},
    )
    seen = samples_of(
        truth, _lines("LIỆT SĨ", "LÊ VĂN ẢN", "SINH NĂM: 1945", "QUÊ QUÁN: TÂN LẬP - YÊN MỸ", "CẤP BẬC: HẠ SĨ")
    )
    assert {sample.group: sample.is_right for sample in seen} == {
        "name": False,
        "date": True,
        "hometown": True,
        "service": False,
    }


def test_deaths_by_the_moon_are_no_samples() -> None:
    text = ("LIỆT SĨ", "LÊ VĂN AN", "HY SINH: 11-11-1967 (ÂL)")
    truth = TruePhoto(Path("1.jpg"), text, {"name": "Lê Văn An", "death_date": "1967"})
    assert "lunar" in parse_lines(_lines(*text)).record["death"].flags
    assert [sample.group for sample in samples_of(truth, _lines(*text))] == ["name"]


def test_stones_are_rendered_and_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_stones(tmp_path / "stones", 1)
    rendered = (tmp_path / "stones" / "0000.jpg").stat().st_mtime_ns
    write_stones(tmp_path / "stones", 1)
    assert (tmp_path / "stones" / "0000.jpg").stat().st_mtime_ns == rendered
    asked = []

    def read_photo(data: bytes, photo: str, reader: Reader | None) -> Reading:
        asked.append(photo)
        return Reading(photo, "0" * 64, ReadingStatus.READ, lines=tuple(_lines("LIỆT SĨ")))

    monkeypatch.setattr(calibration_stones, "read_photo", read_photo)
    for _ in range(2):
        ((true, reading),) = read_stones(tmp_path / "stones", 1, None, tmp_path / "readings.jsonl")
        assert true.path.name == reading.photo == "0000.jpg"
    assert asked == ["0000.jpg"]
