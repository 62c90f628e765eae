import pytest

from bench.faces import FaceScore, _share_inside, figures, lean_deg, tilt_deg


def _box(left, top, right, bottom):
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def test_a_line_read_askew_is_tilted_in_its_crop_by_as_much():
    true = _box(0.0, 0.0, 400.0, 40.0)
    read = ((0.0, 0.0), (400.0, 7.0), (399.3, 47.0), (-0.7, 40.0))  # turned clockwise by a degree
    assert tilt_deg(true, read) == pytest.approx(-1.0, abs=0.02)
    assert tilt_deg(true, true) == pytest.approx(0.0, abs=1e-3)


def test_letters_of_a_slanted_line_lean_in_an_upright_crop_and_stand_in_one_as_slanted():
    slanted = ((7.0, 0.0), (407.0, 0.0), (400.0, 40.0), (0.0, 40.0))  # ten degrees to the right
    assert lean_deg(slanted, _box(0.0, 0.0, 400.0, 40.0)) == pytest.approx(10.0, abs=0.1)
    assert lean_deg(slanted, slanted) == pytest.approx(0.0, abs=0.01)


def test_a_line_half_outside_of_its_face_is_half_inside():
    assert _share_inside(_box(50.0, 10.0, 150.0, 30.0), (_box(0.0, 0.0, 100.0, 100.0),)) == pytest.approx(0.5, abs=0.01)


def test_figures_count_photos_and_lines():
    scores = [FaceScore("a", 0.95, 0, (0.1, -0.4), (0.0, 3.0), 30.0), FaceScore("b", 0.0, 2, (1.2,), (-1.0,), 10.0)]
    found = figures(scores)
    assert (found["photos"], found["lines"]) == (2, 3)
    assert (found["lines_cut_off"], found["photos_with_a_line_cut_off"]) == (2, 1)
    assert (found["good_faces"], found["no_faces"], found["face_ms"]) == (0.5, 0.5, 20.0)
    assert found["level_lines"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["upright_lines"] == pytest.approx(1 / 3, abs=1e-4)


def test_nothing_measured_is_no_error():
    assert figures([])["lines"] == 0
