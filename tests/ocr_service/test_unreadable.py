from __future__ import annotations

import numpy as np
import pytest

from datasets.bad_photos import Defect
from ocr_service.certainty import WEAK_BELOW, certain_from
from ocr_service.evaluation import unreadable
from ocr_service.evaluation.unreadable import Claim, read_unreadable, summary
from ocr_service.reading import Reader
from ocr_service.records import Field, Reading, ReadingStatus
from preprocess.decode import decode_photo

PARTIAL = Field("partial")


def _claim(value: str | None, confidence: float, defect: Defect = Defect.WORN, kind: Field = PARTIAL) -> Claim:
    return Claim(defect, "Lê Văn An", Field(value, value, confidence), kind)


def test_a_blank_and_a_lucky_name_are_not_wrong() -> None:
    assert not _claim(None, 0.0).is_wrong
    assert not _claim("LÊ VĂN AN", 0.9).is_wrong
    assert _claim("Lê Văn Ân", 0.9).is_wrong


def test_wrong_names_are_counted_by_how_sure_they_were_given() -> None:
    claims = [
        _claim(None, 0.0, kind=Field("unknown")),
        _claim("Lê Văn Ân", certain_from("name")),
        _claim("Lê Văn Ân", WEAK_BELOW, Defect.DARK),
        _claim("Lê Văn Ân", WEAK_BELOW - 0.01, Defect.DARK),
    ]
    whole, worn, *_, dark = summary(claims).splitlines()
    assert whole == (
        "all: 4 stones, 3 names given, 3 wrong, 2 of them from 0.80 on, 1 as certain; 1 called the grave of an unknown"
    )
    assert worn.startswith("worn: 2 stones, 1 names given")
    assert dark.startswith("dark: 2 stones, 2 names given")


def test_an_unreadable_stone_bears_a_name_that_hardly_a_pixel_of_the_photo_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pictures = []

    def read_photo(data: bytes, photo: str, reader: Reader | None) -> Reading:
        pictures.append(decode_photo(data).image)
        return Reading(photo, "0" * 64, ReadingStatus.READ)

    monkeypatch.setattr(unreadable, "read_photo", read_photo)
    claim = read_unreadable(unreadable.DEFECTS.index(Defect.DARK), None)
    assert len(claim.true_name.split()) >= 2
    assert claim.name.value is None
    assert float(np.percentile(pictures[0], 95)) < 20
