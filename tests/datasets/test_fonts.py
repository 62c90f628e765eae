from pathlib import Path

import pytest

from datasets import fonts
from datasets.font_coverage import VIETNAMESE_LETTERS, character_map, writes_vietnamese

SHIPPED = fonts.SHIPPED_DIR / "BeVietnamPro_700Bold.ttf"


def test_vietnamese_adds_134_letters() -> None:
    assert len(set(VIETNAMESE_LETTERS)) == len(VIETNAMESE_LETTERS) == 134


def test_the_shipped_font_writes_vietnamese_and_brings_its_licence() -> None:
    assert writes_vietnamese(SHIPPED)
    assert "SIL Open Font License" in (fonts.SHIPPED_DIR / "BeVietnamPro-OFL.txt").read_text(encoding="utf-8")


def test_a_character_map_knows_what_a_font_lacks() -> None:
    codes = character_map(SHIPPED)
    assert {ord(letter) for letter in VIETNAMESE_LETTERS} <= codes
    assert ord("漢") not in codes


@pytest.mark.parametrize("content", [b"", b"not a font", b"\x00\x01\x00\x00\x00\x05" + b"\xff" * 80])
def test_a_file_that_is_no_font_writes_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.ttf"
    path.write_bytes(content)
    assert not writes_vietnamese(path)


def test_a_missing_file_writes_nothing(tmp_path: Path) -> None:
    assert not writes_vietnamese(tmp_path / "none.ttf")


def test_a_bare_machine_draws_with_the_shipped_font(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fonts, "SYSTEM_DIRS", ())
    monkeypatch.setattr(fonts, "CACHE_DIR", tmp_path)
    monkeypatch.delenv("HEADSTONE_FONTS", raising=False)
    fonts.discover.cache_clear()
    try:
        assert [face.path for face in fonts.discover()] == [SHIPPED]
        assert fonts.training_faces() == fonts.held_out_faces() == fonts.discover()
    finally:
        fonts.discover.cache_clear()


def test_no_held_out_face_is_trained_on() -> None:
    everything = fonts.discover()
    held_out = {face.path for face in everything if face.held_out}
    trained = {face.path for face in fonts.training_faces()}
    assert not (held_out & trained) or len(everything) == len(held_out)
    families = {face.family for face in everything if face.held_out}
    assert not families & {face.family for face in everything if not face.held_out}
