from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import pytest
from rapidocr import RapidOCR

from datasets.lettering import Theme
from datasets.lines import LineSource
from models.bundle import Bundle, load_bundle
from models.charset import vietnamese_letters
from models.metrics import comparable
from models.recogniser import LineRecogniser
from models.training.alphabet import CLASSES

CLEAN_LINES = 30
LEAST_EXACT = {"accurate": 0.85, "fast": 0.7}


@pytest.fixture(scope="module", params=LEAST_EXACT)
def bundle(request: pytest.FixtureRequest) -> Bundle:
    return load_bundle(None, request.param)


@pytest.fixture
def quiet_peer(bundle: Bundle) -> Iterator[RapidOCR]:
    logging.disable(logging.WARNING)
    paths = {"Det.model_path": str(bundle.detector.model), "Rec.model_path": str(bundle.recogniser.model)}
    yield RapidOCR(params=paths)
    logging.disable(logging.NOTSET)


def test_the_shipped_reader_can_write_every_vietnamese_letter(bundle: Bundle) -> None:
    charset = LineRecogniser(bundle.recogniser).charset
    assert charset.chars == CLASSES
    assert not charset.missing(vietnamese_letters())


def test_the_shipped_reader_knows_how_sure_it_is(bundle: Bundle) -> None:
    assert bundle.recogniser.calibration is not None
    assert bundle.recogniser.char_calibration is not None


def test_rapidocr_loads_the_bundle_unchanged_and_reads_the_same(bundle: Bundle, quiet_peer: RapidOCR) -> None:
    # as the peer reads: padded to 320 px, the best class of each frame
    ours = LineRecogniser(replace(bundle.recogniser, min_width_px=320, beam_width=1, language=None))
    agreeing = 0
    for crop, _ in islice(iter(LineSource(5, held_out=True, theme=Theme.CLEAN)), CLEAN_LINES):
        read = quiet_peer(crop, use_det=False, use_cls=False, use_rec=True)
        theirs = read.txts[0] if read.txts else ""
        agreeing += _letters(theirs) == _letters(ours.read(crop).text)
    assert agreeing >= CLEAN_LINES - 1  # the peer resizes a crop once more


@pytest.mark.parametrize("profile", LEAST_EXACT)
def test_most_clean_lines_are_read_exactly(profile: str) -> None:
    bundle = load_bundle(None, profile)
    ours = LineRecogniser(bundle.recogniser)
    lines = list(islice(iter(LineSource(6, theme=Theme.CLEAN)), CLEAN_LINES))
    exact = sum(comparable(ours.read(crop).text) == comparable(truth) for crop, truth in lines)
    assert exact >= LEAST_EXACT[profile] * CLEAN_LINES


def _letters(text: str) -> str:
    return text.replace(" ", "")
