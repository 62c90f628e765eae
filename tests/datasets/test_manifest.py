from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.manifest import Label, dump_lines, format_label, parse_label, read_manifest, write_manifest

plain = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1)


@given(plain)
def test_a_label_survives_being_written(text: str) -> None:
    label = Label(PurePosixPath("crops/1.png"), text)
    assert parse_label(format_label(label)) == label


@pytest.mark.parametrize("text", ["HAI\tDÒNG", "HAI\nDÒNG", "HAI\rDÒNG"])
def test_a_text_that_would_tear_its_line_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no tabs or line breaks"):
        format_label(Label(PurePosixPath("a.png"), text))


def test_a_line_without_a_tab_is_refused() -> None:
    with pytest.raises(ValueError, match="no tab"):
        parse_label("a.png LIỆT SĨ")


def test_a_manifest_survives_being_written(tmp_path: Path) -> None:
    labels = [Label(PurePosixPath(f"crops/{i}.png"), text) for i, text in enumerate(("LIỆT SĨ", " HS: //", "Ẵ"))]
    write_manifest(tmp_path / "deep" / "gt.txt", labels)
    assert read_manifest(tmp_path / "deep" / "gt.txt") == labels


def test_dumped_crops_are_the_pictures_that_were_drawn(tmp_path: Path) -> None:
    crops = [(np.full((48, 60 + i, 3), i, np.uint8), f"DÒNG {i}") for i in range(3)]
    labels = read_manifest(dump_lines(iter(crops), 3, tmp_path))
    assert [label.text for label in labels] == ["DÒNG 0", "DÒNG 1", "DÒNG 2"]
    for label, (crop, _) in zip(labels, crops, strict=True):
        assert np.array_equal(cv2.imread(str(tmp_path / label.path)), crop)
