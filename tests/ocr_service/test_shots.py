from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.inscriptions import sample_inscription
from ocr_service.fields import parse_lines
from ocr_service.reading.shots import Grave, group_shots, is_same_grave, merge_lines
from ocr_service.records import Context, Line, Reading, ReadingStatus, RejectReason

STONE = (
    "LIỆT SĨ",
    "NGUYỄN VĂN MẪU",
    "SINH NĂM: 1948",
    "QUÊ QUÁN: HIỆP CÁT - NAM SÁCH - HẢI HƯNG",
    "HY SINH: 12-5-1968",
)
NEIGHBOUR = (
    "LIỆT SĨ",
    "NGUYỄN VĂN MẠNH",
    "SINH NĂM: 1945",
    "QUÊ QUÁN: HIỆP CÁT - NAM SÁCH - HẢI HƯNG",
    "HY SINH: 3-1-1972",
)
UNKNOWN = ("LIỆT SĨ", "CHƯA XÁC ĐỊNH ĐƯỢC THÔNG TIN")
PLACE = ((0.0, 0.0), (9.0, 0.0), (9.0, 1.0), (0.0, 1.0))


def lines_of(texts: tuple[str, ...], sure: float = 0.9) -> list[Line]:
    return [Line(text, sure, PLACE) for text in texts]


def shot(photo: str, texts: tuple[str, ...], sure: float = 0.9, plot: str | None = None) -> Reading:
    lines = lines_of(texts, sure)
    record = parse_lines(lines, Context(plot=plot)).record
    return Reading(photo, f"sha-{photo}", ReadingStatus.READ, lines=tuple(lines), record=record)


def graves_of(*readings: Reading) -> list[tuple[int, ...]]:
    return [grave.shots for grave in group_shots(readings)]


def test_two_shots_of_one_stone_are_one_grave_and_the_surer_is_the_best() -> None:
    misread = (
        "LIỆT SĨ",
        "NGUYEN VĂN MẪU",
        "SINH NĂM: 1948",
        "QUÊ QUÁN: HIÊP CÁT - NAM SÁCH - HẢI HƯNG",
        "HY SINH: 12-5-1968",
    )
    assert group_shots([shot("a", misread, 0.6), shot("b", STONE), shot("c", NEIGHBOUR)]) == [
        Grave(best=1, shots=(0, 1)),
        Grave(best=2, shots=(2,)),
    ]


def test_men_of_one_family_name_and_village_are_not_one_grave() -> None:
    assert graves_of(shot("a", STONE), shot("b", NEIGHBOUR)) == [(0,), (1,)]


@pytest.mark.parametrize(
    "other",
    [
        ("LIỆT SĨ", "NGUYỄN VĂN MẪU", "SINH NĂM: 1951", *STONE[3:4], "HY SINH: 30-4-1975"),
        ("LIỆT SĨ", "TRẦN ĐÌNH CHIẾN", *STONE[2:]),
    ],
)
def test_one_name_with_other_dates_and_one_life_with_another_name_are_other_graves(other: tuple[str, ...]) -> None:
    assert graves_of(shot("a", STONE), shot("b", other)) == [(0,), (1,)]


def test_stones_that_say_the_same_of_nobody_stay_apart() -> None:
    assert graves_of(*(shot(name, UNKNOWN) for name in "abc")) == [(0,), (1,), (2,)]


def test_stones_that_name_a_comrade_by_a_phrase_stay_apart() -> None:
    phrase = ("TÊN ĐỒNG", "CHÍ GẮN LIỀN CHIẾN CÔNG QUÊ HƯƠNG TRUNG DŨNG", "HY SINH: 6-8-1963")
    assert graves_of(shot("a", phrase), shot("b", phrase)) == [(0,), (1,)]


def test_a_name_without_any_date_joins_nothing() -> None:
    bare = ("LIỆT SĨ", "NGUYỄN VĂN MẪU", "QUÊ: NAM SÁCH")
    assert graves_of(shot("a", bare), shot("b", bare)) == [(0,), (1,)]


def test_the_same_text_on_two_plots_is_two_graves() -> None:
    assert graves_of(shot("a", (*STONE, "HÀNG 3 SỐ 12")), shot("b", (*STONE, "HÀNG 4 SỐ 12"))) == [(0,), (1,)]


def test_the_same_text_far_away_in_the_upload_order_is_not_joined() -> None:
    others = [
        shot(f"{i}", ("LIỆT SĨ", f"{name} VĂN TƯ", f"SINH NĂM: 19{i}1", f"HY SINH: 19{i}9"))
        for i, name in zip(range(30, 34), ("LÊ", "PHẠM", "ĐỖ", "HOÀNG"), strict=True)
    ]
    assert (0,) in graves_of(shot("a", STONE), *others, shot("b", STONE))


def test_a_photo_that_was_not_read_is_a_grave_of_its_own() -> None:
    broken = Reading("b", "", ReadingStatus.REJECTED, RejectReason.EMPTY, "no data")
    assert graves_of(shot("a", STONE), broken, shot("c", STONE)) == [(0, 2), (1,)]


def test_near_duplicate_pictures_are_joined_by_their_fingerprints_if_their_text_agrees() -> None:
    def picture(name: str, text: tuple[str, ...], fingerprint: int) -> Reading:
        return replace(shot(name, text), fingerprint=fingerprint)

    looks, other = 0b1011, (1 << 40) - 1
    assert graves_of(picture("a", UNKNOWN, looks), picture("b", UNKNOWN, looks), picture("c", UNKNOWN, other)) == [
        (0, 1),
        (2,),
    ]
    assert graves_of(picture("a", STONE, looks), picture("b", NEIGHBOUR, looks)) == [(0,), (1,)]


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_every_photo_belongs_to_exactly_one_grave(seed: int, count: int) -> None:
    rng = Random(seed)
    kinds = [STONE, NEIGHBOUR, UNKNOWN]
    readings = [shot(f"{i}", rng.choice(kinds)) for i in range(count)]
    graves = group_shots(readings)
    assert sorted(at for grave in graves for at in grave.shots) == list(range(count))
    assert all(grave.best in grave.shots for grave in graves)


def test_fresh_inscriptions_match_themselves_and_nobody_else() -> None:
    rng = Random(5)
    shots = [shot(f"{i}", sample_inscription(rng, civil_share=0.0).lines) for i in range(60)]
    assert not any(is_same_grave(one, other) for i, one in enumerate(shots) for other in shots[:i])


def test_the_surer_reading_of_a_line_is_kept_with_its_place_in_the_best_shot() -> None:
    best = [Line("NGUYÊN VĂN MẪU", 0.6, PLACE)]
    other = [Line("NGUYỄN VĂN MẪU", 0.95, ((1.0, 1.0),) * 4)]
    merged = merge_lines([best, other])
    assert [(one.line.text, one.line.quad, one.shot) for one in merged] == [("NGUYỄN VĂN MẪU", PLACE, 0)]
    assert merged[0].line.alternatives[0].text == "NGUYÊN VĂN MẪU"


def test_two_sure_readings_that_disagree_leave_nobody_certain() -> None:
    merged = merge_lines([[Line("NGUYỄN VĂN HÙNG", 0.97, PLACE)], [Line("NGUYỄN VĂN HƯNG", 0.96, PLACE)]])
    assert merged[0].line.text == "NGUYỄN VĂN HÙNG"
    assert 0.5 < merged[0].line.confidence < 0.65


def test_agreement_is_as_sure_as_the_surer_shot() -> None:
    merged = merge_lines([lines_of(STONE, 0.7), lines_of(STONE, 0.9)])
    assert [one.line.text for one in merged] == list(STONE)
    assert {one.line.confidence for one in merged} == {0.9}


def test_a_line_that_the_best_shot_does_not_show_comes_from_the_other_where_it_follows() -> None:
    merged = merge_lines([lines_of((*STONE[:2], *STONE[3:])), lines_of(STONE)])
    assert [one.line.text for one in merged] == list(STONE)
    assert [one.shot for one in merged] == [0, 0, 1, 0, 0]
    guessed = merge_lines([lines_of((*STONE[:2], *STONE[3:])), lines_of(STONE, 0.3)])
    assert len(guessed) == len(STONE) - 1
