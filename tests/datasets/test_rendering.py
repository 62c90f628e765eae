from dataclasses import replace
from itertools import islice
from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import fonts
from datasets.dice import Dice
from datasets.fonts import Face, Style
from datasets.glyphs import Row, Setting, arch, draw_row, row_width, thicken
from datasets.lettering import Finish, Look, Theme, apply_letters, draw_finish
from datasets.lines import LEAST_LEGIBLE, LineSource, detected, legibility
from datasets.photo import draw_camera, expose
from datasets.stones import StoneRequest, make_stone
from datasets.textures import HELD_OUT_FROM, Material, surface
from datasets.truth import Kind

FACE = Face(fonts.SHIPPED_DIR / "BeVietnamPro_700Bold.ttf", "bevietnampro", Style.SANS, True, False, False)


def setting(cap_px: float = 20, **changes: float) -> Setting:
    return replace(Setting(FACE.path, cap_px), **changes)


def finish(look: Look, **changes: object) -> Finish:
    plain = Finish(Theme.CLEAN, Material.GREY, look, (20.0, 20.0, 20.0), 0.0, 0.0, (0.6, -0.8))
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("cap_px", [9, 16, 30, 60])
def test_capitals_stand_about_as_high_as_asked(cap_px: int) -> None:
    assert draw_row("HLNE", setting(cap_px)).mask.shape[0] == pytest.approx(cap_px, abs=1 + 0.05 * cap_px)


def test_marks_stand_above_and_below_the_capitals() -> None:
    plain, marked = draw_row("E", setting()), draw_row("Ệ", setting())
    assert marked.baseline_px > plain.baseline_px + 2
    assert marked.mask.shape[0] - marked.baseline_px > plain.mask.shape[0] - plain.baseline_px + 2


@given(st.text("NGUYỄNVĂBÌHaâệ019:- ", min_size=1, max_size=30))
@settings(max_examples=30)
def test_a_row_is_tight_and_about_as_wide_as_foretold(text: str) -> None:
    row = draw_row(text, setting())
    if text.strip():
        assert row.mask[0].any() and row.mask[-1].any() and row.mask[:, 0].any() and row.mask[:, -1].any()
    assert row.mask.shape[1] <= row_width(text, setting()) + 4


def test_stretch_changes_the_width_alone() -> None:
    wide, narrow = draw_row("LIỆT SĨ", setting()), draw_row("LIỆT SĨ", setting(stretch=0.6))
    assert narrow.mask.shape[0] == wide.mask.shape[0]
    assert narrow.mask.shape[1] == pytest.approx(0.6 * wide.mask.shape[1], abs=1)


def test_an_arch_lifts_the_middle_and_keeps_the_ink() -> None:
    row = draw_row("LLLLLLLLLLL", setting())
    bent = arch(row, 12)
    tops = [int(np.flatnonzero(part.max(axis=1) > 128)[0]) for part in np.array_split(bent.mask, 9, axis=1)]
    assert tops[4] < tops[0] - 5 and tops[4] < tops[8] - 5
    assert bent.mask.sum() == pytest.approx(row.mask.sum(), rel=0.15)
    assert arch(Row(row.mask, row.baseline_px), 0).mask is row.mask


@pytest.mark.parametrize("by_px", [-0.6, 0.7, 1.5])
def test_thickening_adds_or_takes_ink(by_px: float) -> None:
    mask = draw_row("SINH", setting(30)).mask
    assert (int(thicken(mask, by_px).sum()) > int(mask.sum())) == (by_px > 0)


@pytest.mark.parametrize("material", list(Material))
def test_every_material_covers_any_size_and_varies(material: Material) -> None:
    small, large = surface(Random(1), material, 40, 70), surface(Random(1), material, 900, 1000)
    assert small.shape == (40, 70, 3) and large.shape == (900, 1000, 3)
    assert small.dtype == np.uint8
    assert large.std() > 0.3


def test_held_out_surfaces_come_from_tiles_of_their_own() -> None:
    trained = {surface(Random(seed), Material.MARBLE, 768, 768).mean().round(4) for seed in range(60)}
    held_out = {surface(Random(seed), Material.MARBLE, 768, 768, held_out=True).mean().round(4) for seed in range(60)}
    assert len(trained) == HELD_OUT_FROM
    assert not trained & held_out


@pytest.mark.parametrize("look", [Look.PAINTED, Look.SANDBLASTED, Look.V_CUT, Look.RAISED, Look.PLATE])
def test_black_letters_are_dark_on_a_light_stone(look: Look) -> None:
    mask = np.pad(draw_row("LIỆT SĨ", setting(30)).mask, 12)
    stone = np.full((*mask.shape, 3), 200, np.uint8)
    made = apply_letters(Dice.of(Random(3)), stone, mask, finish(look), 30)
    assert made[mask > 250].mean() < 90
    assert made[cv2.dilate(mask, np.ones((15, 15))) == 0].mean() > 150


def test_an_unpainted_groove_is_darker_towards_the_light() -> None:
    mask = np.zeros((60, 60), np.uint8)
    mask[10:50, 20:40] = 255
    stone = np.full((60, 60, 3), 128, np.uint8)
    cut = finish(Look.V_CUT, paint=None, light=(-1.0, 0.0))
    made = apply_letters(Dice.of(Random(4)), stone, mask, cut, 40).mean(axis=2)
    # Light from the left strikes the right wall of a groove.
    assert made[20:40, 36:39].mean() > made[20:40, 21:24].mean() + 5
    raised = apply_letters(Dice.of(Random(4)), stone, mask, replace(cut, look=Look.RAISED), 40).mean(axis=2)
    assert raised[20:40, 18:21].mean() > raised[20:40, 39:42].mean() + 5


def test_a_camera_keeps_the_size_of_a_picture() -> None:
    image = surface(Random(1), Material.RED, 90, 130)
    for seed in range(12):
        dice = Dice.of(Random(seed))
        assert expose(dice, image, draw_camera(dice, 1.5)).shape == image.shape


def test_every_theme_has_a_finish() -> None:
    for theme in Theme:
        assert draw_finish(Dice.of(Random(1)), theme).theme is theme


def test_legibility_sees_letters_and_not_noise() -> None:
    mask = np.pad(draw_row("NGUYỄN VĂN AN", setting(24)).mask, 8)
    letters = cv2.merge([255 - mask] * 3)
    noise = np.random.default_rng(1).integers(0, 255, letters.shape, dtype=np.uint8)
    assert legibility(letters, mask) > 0.9
    assert legibility(noise, mask) < LEAST_LEGIBLE
    assert legibility(np.full_like(letters, 90), mask) == 0


@given(st.integers(0, 2**32), st.floats(-40, 40))
@settings(max_examples=40)
def test_a_detected_quad_holds_the_middle_of_its_line(seed: int, angle_deg: float) -> None:
    turn = cv2.getRotationMatrix2D((200, 200), angle_deg, 1)
    box = np.array([[100, 180], [300, 180], [300, 220], [100, 220]], np.float32)
    quad = cv2.transform(box[None], turn)[0]
    found = detected(Dice.of(Random(seed)), quad)
    assert cv2.pointPolygonTest(found.reshape(-1, 1, 2), (200, 200), True) > 8
    assert cv2.contourArea(found, oriented=True) > 0


def test_lines_are_crops_of_one_height_with_clean_texts() -> None:
    for crop, text in islice(iter(LineSource(11, height_px=32)), 40):
        assert crop.dtype == np.uint8 and crop.shape[0] == 32 and crop.shape[2] == 3
        assert text == text.strip() and text


def test_blanks_have_no_text_and_come_only_when_asked_for() -> None:
    texts = [text for _, text in islice(iter(LineSource(5, height_px=24, blank_share=1.0)), 60)]
    assert 3 < texts.count("") < 30
    assert all(text for _, text in islice(iter(LineSource(5, height_px=24)), 60))


def test_the_same_seed_gives_the_same_lines_and_another_seed_others() -> None:
    def first(seed: int) -> list[tuple[bytes, str]]:
        return [(crop.tobytes(), text) for crop, text in islice(iter(LineSource(seed)), 12)]

    assert first(3) == first(3)
    assert first(3) != first(4)


def test_a_stone_knows_where_its_lines_are() -> None:
    request = StoneRequest(theme=Theme.CLEAN, long_side_px=700, hardness=0.0)
    photo = make_stone(Random(21), request, (FACE,))
    truth = photo.as_json()
    assert photo.image.shape == (truth["size"][1], truth["size"][0], 3)
    assert len(truth["lines"]) == len(truth["line_quads"]) == len(photo.inscription.lines)
    outline = photo.stone_quad.reshape(-1, 1, 2)
    for quad in photo.line_quads:
        assert cv2.contourArea(quad, oriented=True) > 0
        assert all(cv2.pointPolygonTest(outline, (float(x), float(y)), True) > -2 for x, y in quad)


def test_two_columns_share_rows() -> None:
    rng = Random(1)
    while True:
        photo = make_stone(rng, StoneRequest(long_side_px=600, two_columns=True), (FACE,))
        middles = [float(quad[:, 1].mean()) for quad in photo.line_quads]
        heights = [float(np.ptp(quad[:, 1])) for quad in photo.line_quads]
        pairs = zip(middles, middles[1:], heights, strict=False)
        if photo.inscription.kind is Kind.NAMED and any(abs(a - b) < 0.4 * h for a, b, h in pairs):
            break
