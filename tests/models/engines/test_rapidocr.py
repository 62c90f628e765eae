"""A stock RapidOCR reads the shipped bundle as it is."""

import dataclasses

import pytest
from rapidocr import RapidOCR

from models.ctc import greedy
from models.engines import load_engine


@pytest.fixture(scope="module")
def stock(bundle):
    return RapidOCR(
        params={
            "Global.log_level": "error",
            "Global.use_cls": False,
            "Det.model_path": str(bundle.folder / "det" / "inference.onnx"),
            "Rec.model_path": str(bundle.folder / "rec" / "inference.onnx"),
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        }
    )


def test_rapidocr_reads_the_same_text_from_the_same_crops(bundle, stock, crops):
    # RapidOCR pads to 320 px and takes the best path
    padded = dataclasses.replace(bundle, recogniser=dataclasses.replace(bundle.recogniser, min_width_px=320))
    reader = load_engine(padded).recogniser
    ours = [reader.charset.text(greedy(reader.probabilities(crop)).labels) for crop in crops]
    theirs = [stock(crop, use_det=False, use_cls=False, use_rec=True).txts[0] for crop in crops]
    assert theirs == ours
    assert sum(len(text) > 3 for text in ours) > len(ours) / 2
