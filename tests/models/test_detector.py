import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from models.bundle import load_bundle
from models.detector import LineDetector, lines_from_probability
from preprocess.lines import quad_angle_deg


def _stone(lines, size=(900, 700), ground=60, ink=230):
    image = Image.new("RGB", size, (ground,) * 3)
    draw = ImageDraw.Draw(image)
    boxes = []
    for row, text in enumerate(lines):
        at = (size[0] // 2, 120 + 110 * row)
        font = ImageFont.load_default(56)
        draw.text(at, text, fill=(ink,) * 3, font=font, anchor="mm")
        boxes.append(draw.textbbox(at, text, font=font, anchor="mm"))
    return np.asarray(image)[:, :, ::-1].copy(), boxes


@pytest.fixture(scope="module")
def detector():
    return LineDetector(load_bundle("interim").detector)


def test_each_line_of_a_stone_is_found_from_top_to_bottom(detector):
    image, boxes = _stone(["LIET SI", "NGUYEN VAN AN", "HY SINH 1968"])
    lines = detector.detect(image)
    assert len(lines) == 3
    for line, (left, top, right, bottom) in zip(lines, boxes, strict=True):
        (x0, y0), _, (x1, y1), _ = line.quad
        assert abs(x0 - left) < 25 and abs(x1 - right) < 25
        assert top - 25 < y0 < top + 5 and bottom - 5 < y1 < bottom + 25
        assert 0.5 < line.score <= 1.0


def test_a_blank_stone_has_no_lines(detector):
    assert detector.detect(np.full((480, 640, 3), 128, np.uint8)) == []


def test_quads_stay_inside_the_picture_and_run_clockwise(detector):
    image, _ = _stone(["NGUYEN VAN AN"])
    for line in detector.detect(image[80:170, 240:]):
        quad = np.array(line.quad)
        assert (quad >= 0).all() and (quad <= [image.shape[1], image.shape[0]]).all()
        assert cv2.contourArea(quad.astype(np.float32), oriented=True) > 0


def test_a_smaller_side_finds_the_same_large_lines(detector):
    image, _ = _stone(["LIET SI", "NGUYEN VAN AN"])
    full, small = detector.detect(image, 896), detector.detect(image, 448)
    assert len(full) == len(small) == 2
    for a, b in zip(full, small, strict=True):
        assert np.abs(np.array(a.quad) - np.array(b.quad)).max() < 20


@pytest.mark.parametrize("angle_deg", [-7.0, 3.0])
def test_lines_of_a_photo_held_askew_keep_its_angle_within_a_tenth_of_a_degree(detector, angle_deg):
    image, _ = _stone(LINES)
    turn = cv2.getRotationMatrix2D((450, 350), -angle_deg, 0.9)
    askew = cv2.warpAffine(image, turn, (900, 700), borderMode=cv2.BORDER_REPLICATE)
    found = [quad_angle_deg(np.array(line.quad)) for line in detector.detect(askew)]
    assert found == pytest.approx([angle_deg] * len(LINES), abs=0.1)


class _CountedLooks(LineDetector):
    """The detector, and the side of every look it takes."""

    def _look(self, image, side_px):
        self.sides.append(side_px)
        return super()._look(image, side_px)


def _looks(image):
    detector = _CountedLooks(replace(load_bundle("interim").detector, side_px=960))
    detector.sides = []
    return detector.detect(image), detector.sides


LINES = ["LIET SI", "NGUYEN VAN AN", "SINH 1946", "HY SINH 1968"]


def test_a_glance_is_enough_for_large_letters_that_fill_the_frame():
    lines, sides = _looks(_stone(LINES)[0])
    assert (len(lines), sides) == (4, [640])


def test_a_frame_of_which_text_takes_up_little_is_looked_at_again():
    image, _ = _stone(LINES)
    framed = cv2.copyMakeBorder(image, 700, 700, 900, 900, cv2.BORDER_REPLICATE)
    lines, sides = _looks(framed)
    assert (len(lines), sides) == (4, [640, 960])


def test_few_lines_are_looked_for_again():
    assert _looks(_stone(["LIET SI"])[0])[1] == [640, 960]
    assert _looks(np.full((900, 1200, 3), 128, np.uint8)) == ([], [640, 960])


def test_a_picture_no_larger_than_the_glance_is_seen_once():
    assert _looks(cv2.resize(_stone(["LIET SI"])[0], (640, 498)))[1] == [960]


def _map_with_bar(angle_deg, length=120, thickness=14, size=256):
    probability = np.zeros((size, size), np.float32)
    box = cv2.boxPoints(((size / 2, size / 2), (length, thickness), angle_deg))
    cv2.fillPoly(probability, [np.round(box).astype(np.int32)], 1.0)
    return probability


@settings(max_examples=40, deadline=None)
@given(st.floats(-44, 44))
def test_a_slanted_region_keeps_its_direction_and_grows_by_the_unclip_rule(angle_deg):
    spec = load_bundle("interim").detector
    ((quad, score),) = lines_from_probability(_map_with_bar(angle_deg), spec)
    along, down = quad[1] - quad[0], quad[3] - quad[0]
    assert math.degrees(math.atan2(along[1], along[0])) == pytest.approx(angle_deg, abs=2.0)
    # OpenCV fills polygons up to and with their border, a pixel or two more than asked for
    margin = 120 * 14 * spec.unclip_ratio / (2 * (120 + 14))
    assert np.linalg.norm(along) == pytest.approx(120 + 2 * margin, abs=7)
    assert np.linalg.norm(down) == pytest.approx(14 + 2 * margin, abs=7)
    assert quad.mean(axis=0) == pytest.approx([128, 128], abs=1.5)
    assert score > 0.8


def test_faint_and_tiny_regions_are_dropped():
    spec = load_bundle("interim").detector
    assert lines_from_probability(_map_with_bar(0) * np.float32(spec.box_threshold - 0.05), spec) == []
    assert lines_from_probability(_map_with_bar(0, length=2, thickness=1), spec) == []
