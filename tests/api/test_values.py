from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.i18n import Language, Texts
from api.pages.drafts import level_of_field
from api.pages.values import FieldTextError, meaning_of, read_value, show_for_people, show_value
from ocr_service.certainty import CERTAIN_FROM, WEAK_BELOW
from ocr_service.database.values import RecordField
from ocr_service.records import Context

VI, EN = Texts(Language.VI), Texts(Language.EN)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("name", "Nguyễn Văn Mẫu", "Nguyễn Văn Mẫu"),
        ("death", "1968-05-12", "12/05/1968"),
        ("aliases", ["Hồng", "Sáu Cựu"], "Hồng, Sáu Cựu"),
        ("position", "b_pho", "Trung đội phó"),
        ("position", "danh_xe_rip", "danh xe rip"),
        ("unit", {"chain": [["c", "15"], ["e", "462"]]}, "c15 - e462"),
        ("unit", {"chain": [["binh_tram", "62"], ["chien_truong", "B3"]]}, "binh trạm 62 - chiến trường B3"),
        ("unit", {"chain": [], "theatre_code": "KB", "raw": "KB"}, "KB"),
        ("unit", {"chain": [], "mailbox": "86500 YK"}, "hòm thư 86500 YK"),
        ("loc", {"khu": "A", "hang": "3", "mo": "12"}, "khu A, hàng 3, số 12"),
        ("loc", {"raw": "B12/07"}, "B12/07"),
        (
            "hometown",
            {"commune": "Hiệp Cát", "district": "Nam Sách", "province": "Hải Hưng"},
            "Hiệp Cát - Nam Sách - Hải Hưng",
        ),
        ("persons", [{"name": "Trần Văn Ba", "birth": "1947"}, {"name": None}], "Trần Văn Ba (1947); không rõ"),
        ("birth", None, ""),
        ("aliases", [], ""),
    ],
)
def test_a_value_is_shown_in_one_line(name: str, value: Any, shown: str) -> None:
    assert show_value(name, value, VI) == shown


def test_codes_of_choices_are_spelt_out_for_people_only() -> None:
    assert show_value("rank", "ha_si", VI) == "ha_si"
    assert show_for_people("rank", "ha_si", VI) == "Hạ sĩ"


@pytest.mark.parametrize(
    ("hometown", "meaning"),
    [
        ({"province": "Hà Bắc", "province_2025": "Bắc Ninh"}, "nay thuộc Bắc Ninh"),
        (
            {"commune": "Chiềng Chung", "province": "Sơn La", "commune_2025": {"code": "1", "name": "Hua Păng"}},
            "nay thuộc Hua Păng",
        ),
        (
            {"province": "Hải Hưng", "province_2025_candidates": ["Hải Phòng", "Hưng Yên"]},
            "nay có thể thuộc Hải Phòng, Hưng Yên",
        ),
        ({"province": "Nghệ An", "province_2025": "Nghệ An"}, ""),
    ],
)
def test_a_hometown_tells_its_place_of_today(hometown: dict[str, Any], meaning: str) -> None:
    assert meaning_of("hometown", hometown, VI) == meaning


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("death", "12/5/1968", "1968-05-12"),
        ("rank", "ha_si", "ha_si"),
        ("position", "trung đội phó", "b_pho"),
        ("position", "đánh xe Ríp", "đánh xe Ríp"),
        ("aliases", "Hồng; Sáu Cựu,", ["Hồng", "Sáu Cựu"]),
        ("age", "19", 19),
        ("name", "  Nguyễn   Văn Mẫu ", "Nguyễn Văn Mẫu"),
        ("name", "", None),
    ],
)
def test_a_typed_value_is_understood(name: str, text: str, value: Any) -> None:
    assert read_value(name, text, Context(), VI) == value


@pytest.mark.parametrize(("name", "text"), [("rank", "king"), ("age", "nineteen"), ("death", "spring")])
@pytest.mark.parametrize("texts", [VI, EN])
def test_a_typed_value_without_sense_is_refused_with_a_sentence(name: str, text: str, texts: Texts) -> None:
    with pytest.raises(FieldTextError) as refusal:
        read_value(name, text, Context(), texts)
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize("name", ["hometown", "unit", "loc"])
@given(text=st.text(st.characters(categories=["Lu", "Ll", "Nd"]), min_size=1, max_size=20))
def test_words_are_never_lost_by_the_parser(name: str, text: str) -> None:
    assert read_value(name, text, Context(), VI)["raw"] == read_value("name", text, Context(), VI)


@given(
    confidence=st.floats(0, 1),
    flags=st.lists(st.sampled_from(["name_tone_uncertain", "gazetteer_fix", "wrapped_name"]), max_size=2),
)
def test_only_a_confident_reading_without_doubt_is_certain(confidence: float, flags: list[str]) -> None:
    level = level_of_field("name", RecordField("X", "X", None, confidence, (), tuple(flags)))
    if level == "sure":
        assert confidence >= CERTAIN_FROM
        assert set(flags) <= {"wrapped_name"}
    assert (level == "weak") == (confidence < WEAK_BELOW)
