from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ocr_service.fields.gazetteer import District, gazetteer, shortens
from ocr_service.fields.places import read_place

ALL = [district for province in gazetteer().by_province.values() for group in province.values() for district in group]
STANDING = [district for district in ALL if district.communes]


def test_the_gazetteer_holds_every_unit_of_both_eras() -> None:
    assert len(gazetteer().province_2025) == 63
    assert len(gazetteer().provinces_2025) == 34
    assert len(gazetteer().communes_2025) == 3321
    assert sum(len(district.communes) for district in STANDING) >= 10_035


def test_every_commune_of_the_63_province_era_has_an_heir() -> None:
    known = gazetteer().communes_2025
    assert all(heir in known for district in STANDING for commune in district.communes for heir in commune.heirs)


def test_every_successor_of_a_former_province_or_district_exists() -> None:
    for name in ("Hải Hưng", "Hà Nam Ninh", "Sông Bé", "Minh Hải", "Nghĩa Bình", "Long Châu Tiền"):
        (province,) = [p for p in gazetteer().provinces(name) if p.historic]
        assert set(province.reach) <= set(gazetteer().province_2025)
    assert all(heir.communes for district in ALL for heir in district.successors)


@given(st.sampled_from(STANDING), st.data(), st.sampled_from([" - ", ", ", "-", "; "]), st.booleans())
def test_a_chain_that_exists_is_found_with_its_heirs(
    district: District, data: st.DataObject, separator: str, capitals: bool
) -> None:
    commune = data.draw(st.sampled_from(district.communes))
    text = separator.join((commune.name, district.name, district.province))
    value = read_place(text.upper() if capitals else text).value
    # A province of 1976 may hold two districts and communes of the same names; then both are candidates.
    assert district.province in value.get("province_63_candidates", [value.get("province_63")])
    today = gazetteer().province_2025[district.province]
    assert today in value.get("province_2025_candidates", [value.get("province_2025")])
    assert value["district"] == district.name


@given(st.text(max_size=80))
def test_any_text_is_a_place(text: str) -> None:
    assert read_place(text, "Đồng Tháp", "Phong Mỹ").raw is not None


def test_abbreviations_are_resolved_with_the_cemetery_first() -> None:
    assert read_place("Tân Thành, HN", "Đồng Tháp").value["district"] == "Hồng Ngự"
    assert read_place("Đông Anh, HN", "Quảng Trị").value["province"] == "Hà Nội"
    assert "province" not in read_place("BT").value


def test_shortened_names_keep_their_last_syllable() -> None:
    assert shortens("B.Tre", "Bến Tre")
    assert shortens("H.Ngự", "Hồng Ngự")
    assert not shortens("B.Tre", "Bình Thuận")


def test_a_place_that_exists_elsewhere_is_not_replaced() -> None:
    reading = read_place("Tân Yên, Sông Bé")
    assert reading.value["district"] == "Tân Yên"
    assert "district_not_in_province" in reading.flags


def test_a_similar_name_of_good_syllables_is_not_taken_for_a_misreading() -> None:
    assert "province" not in read_place("Hải Hương").value
