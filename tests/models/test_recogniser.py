import hashlib
import importlib.util
import shutil
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from models.bundle import WEIGHTS_DIR, Calibration, RecogniserSpec, load_bundle
from models.charset import Charset, strip_marks, vietnamese_letters
from models.engines import load_engine
from models.errors import BundleError, EngineMissingError
from models.recogniser import LineRecogniser, decode, line_confidence

PPOCR_MANIFEST = """
schema = 1
name = "stock"
version = "6"
licence = "Apache-2.0"
origin = "PP-OCRv6_rec_small from rapidocr 3.10.0"
[files.det]
package = "rapidocr"
path = "models/PP-OCRv6_det_small.onnx"
sha256 = "{det}"
[files.rec]
package = "rapidocr"
path = "models/PP-OCRv6_rec_small.onnx"
sha256 = "{rec}"
[det]
kind = "ppocr"
model = "det"
[rec]
kind = "ppocr"
model = "rec"
height_px = 48
min_width_px = 320
"""

PADDLE_MANIFEST = """
schema = 1
name = "paddle"
version = "1"
licence = "Apache-2.0"
origin = "a test"
[det]
kind = "ppocr"
model = "det"
config = "det_config"
unclip_ratio = 1.55
[rec]
kind = "ppocr"
model = "rec"
config = "rec_config"
charset = "charset"
"""

DETECTOR_YML = """
PreProcess:
  transform_ops:
  - DecodeImage: {img_mode: BGR}
  - DetLabelEncode: null
  - NormalizeImage: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], scale: 1./255.}
PostProcess: {name: DBPostProcess, thresh: 0.25, box_thresh: 0.4, unclip_ratio: 1.4}
"""

RECOGNISER_YML = """
PreProcess:
  transform_ops:
  - RecResizeImg: {image_shape: [3, 48, 320]}
"""


def _crop(text, ink=20, ground=225, size=44):
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("RGB", (right - left + 24, bottom - top + 16), (ground,) * 3)
    ImageDraw.Draw(image).text((12 - left, 8 - top), text, fill=(ink,) * 3, font=font)
    return np.asarray(image)[:, :, ::-1].copy()


@pytest.fixture(scope="module")
def interim():
    return LineRecogniser(load_bundle("interim").recogniser)


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    """PP-OCRv6 small as rapidocr ships it, its dictionary inside the ONNX file."""
    folder = Path(importlib.util.find_spec("rapidocr").submodule_search_locations[0]) / "models"
    sums = {
        part: hashlib.sha256((folder / f"PP-OCRv6_{part}_small.onnx").read_bytes()).hexdigest()
        for part in ("det", "rec")
    }
    bundle = tmp_path_factory.mktemp("stock")
    (bundle / "bundle.toml").write_text(PPOCR_MANIFEST.format(**sums))
    return load_engine(load_bundle(bundle)).recogniser


def test_a_bundle_in_paddleocrs_layout_reads_the_same(stock, tmp_path):
    """Weights, ``inference.yml`` and ``dict.txt`` in a folder of their own, as a trained bundle ships them."""
    for part in ("det", "rec"):
        (tmp_path / part).mkdir()
        shutil.copyfile(stock.spec.model.parent / f"PP-OCRv6_{part}_small.onnx", tmp_path / part / "inference.onnx")
    (tmp_path / "det" / "inference.yml").write_text(DETECTOR_YML)
    (tmp_path / "rec" / "inference.yml").write_text(RECOGNISER_YML)
    (tmp_path / "rec" / "dict.txt").write_text("\n".join(stock.charset.chars[1:-1]) + "\n", encoding="utf-8")
    files = {
        "det": "det/inference.onnx",
        "det_config": "det/inference.yml",
        "rec": "rec/inference.onnx",
        "rec_config": "rec/inference.yml",
        "charset": "rec/dict.txt",
    }
    sums = {key: hashlib.sha256((tmp_path / path).read_bytes()).hexdigest() for key, path in files.items()}
    entries = "\n".join(f'[files.{key}]\npath = "{path}"\nsha256 = "{sums[key]}"' for key, path in files.items())
    (tmp_path / "bundle.toml").write_text(PADDLE_MANIFEST + entries)
    engine = load_engine(load_bundle(tmp_path))
    assert engine.detector.spec.mean == (0.485, 0.456, 0.406)
    assert (engine.detector.spec.binary_threshold, engine.detector.spec.box_threshold) == (0.25, 0.4)
    assert engine.detector.spec.unclip_ratio == 1.55  # the manifest's word counts more than the yml's
    assert (engine.recogniser.height_px, engine.recogniser.spec.min_width_px) == (48, 320)
    crop = _crop("HY SINH 30-4-1968")
    assert engine.recogniser.read(crop) == stock.read(crop)


@pytest.mark.parametrize("text", ["NGUYEN VAN AN", "HY SINH 30-4-1968", "Sinh 1945"])
def test_both_kinds_read_clear_lines(interim, stock, text):
    # the interim reader adds the marks that it expects of a name, so only bare letters can be demanded of it
    assert strip_marks(interim.read(_crop(text)).text) == text
    assert stock.read(_crop(text)).text.replace(" ", "") == text.replace(" ", "")


def test_light_letters_on_dark_stone_read_like_dark_ones_on_light(interim):
    assert strip_marks(interim.read(_crop("LE DUY HIEP", ink=235, ground=30)).text) == "LE DUY HIEP"


def test_faint_letters_are_read(interim):
    assert strip_marks(interim.read(_crop("LE DUY HIEP", ink=120, ground=150)).text) == "LE DUY HIEP"


def test_the_interim_recogniser_writes_every_vietnamese_letter_and_stock_ppocr_does_not(interim, stock):
    assert interim.charset.missing(vietnamese_letters()) == []
    assert len(stock.charset.missing(vietnamese_letters())) == 88


def test_the_height_is_that_of_the_network(interim, stock):
    assert (interim.height_px, stock.height_px) == (32, 48)


def test_each_character_has_a_confidence_and_rivals_differ(interim):
    read = interim.read(_crop("HY SINH 1968"))
    assert len(read.char_probabilities) == len(read.char_confidences) == len(read.text)
    assert all(0.0 <= confidence <= 1.0 for confidence in (*read.char_confidences, read.confidence))
    texts = [read.text, *(rival.text for rival in read.alternatives)]
    assert len(set(texts)) == len(texts)
    assert all(unicodedata.is_normalized("NFC", text) for text in texts)
    scores = [rival.score for rival in read.alternatives]
    assert scores == sorted(scores, reverse=True)


def test_a_clear_line_is_surer_than_a_blurred_one(interim):
    crop = _crop("NGUYEN VAN AN")
    small = np.asarray(Image.fromarray(crop).resize((crop.shape[1] // 7, crop.shape[0] // 7)))
    blurred = np.asarray(Image.fromarray(small).resize((crop.shape[1], crop.shape[0])))
    assert interim.read(crop).confidence > interim.read(blurred).confidence


def test_an_empty_crop_reads_as_nothing_with_no_confidence(stock):
    read = stock.read(np.full((40, 200, 3), 128, np.uint8))
    assert (read.text, read.char_confidences, read.confidence) == ("", (), 0.0)


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 400, 3), (400, 5, 3), (32, 9000, 3)])
def test_any_shape_of_crop_is_read(interim, stock, shape):
    crop = np.full(shape, 200, np.uint8)
    assert isinstance(interim.read(crop).text, str)
    assert isinstance(stock.read(crop).text, str)


def _rows(labels, classes):
    rows = np.full((len(labels), classes), 1e-4, np.float32)
    rows[np.arange(len(labels)), labels] = 1.0 - 1e-4 * (classes - 1)
    return rows


def test_decoding_composes_letters_and_trims_spaces():
    charset = Charset.from_symbols(["E", "\u0302", " ", "x"])
    spec = RecogniserSpec("ppocr", Path("unused"), 48)
    read = decode(_rows([3, 1, 2, 0, 4, 3, 0], 5), charset, spec)
    assert read.text == "Êx"
    assert len(read.char_confidences) == 2


def test_a_language_model_in_the_bundle_settles_unclear_letters_and_keeps_the_other_reading():
    letters = "NGUYỄỂ"
    charset = Charset.from_symbols([*letters, " "])
    rows = _rows([1, 2, 0, 3, 0, 4, 0, 6, 0, 1, 0], 8)
    rows[7, [5, 6]] = 0.42, 0.57
    plain = RecogniserSpec("ppocr", Path("unused"), 48)
    with_language = replace(plain, language=WEIGHTS_DIR / "language" / "inscriptions-1.npz")
    assert decode(rows, charset, plain).text == "NGUYỂN"
    read = decode(rows, charset, with_language)
    assert read.text == "NGUYỄN"
    assert read.char_probabilities[4] == pytest.approx(0.42)  # what the pixels say of it, not the language
    assert read.alternatives[0].text == "NGUYỂN"
    assert sum(rival.score for rival in read.alternatives) < 0.5


def test_calibration_decides_the_confidence():
    features = {"text": -0.1, "margin": 3.0, "worst": -0.05, "length": 2.0}
    assert line_confidence(features, None) == pytest.approx(0.9048, abs=1e-3)
    assert line_confidence(features, Calibration(0.0, {"text": 0.0})) == 0.5
    assert line_confidence(features, Calibration(-1000.0, {})) < 1e-6


def test_an_unknown_engine_is_answered_with_the_known_ones():
    with pytest.raises(EngineMissingError, match="onnxruntime"):
        load_engine(load_bundle("interim"), "abacus")


def test_a_file_that_is_no_model_is_a_bundle_error(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"not a model")
    with pytest.raises(BundleError, match=r"x\.onnx cannot be opened") as raised:
        LineRecogniser(RecogniserSpec("ppocr", tmp_path / "x.onnx", 48))
    assert "\n" not in str(raised.value)


def test_a_missing_language_model_shows_when_the_reader_opens(stock, tmp_path):
    with pytest.raises(BundleError, match=r"x\.npz cannot be read"):
        LineRecogniser(replace(stock.spec, language=tmp_path / "x.npz"))


def test_a_dictionary_of_the_wrong_size_is_a_bundle_error(tmp_path, stock):
    (tmp_path / "dict.txt").write_text("A\nB\n")
    with pytest.raises(BundleError, match="its charset 4"):
        LineRecogniser(RecogniserSpec("ppocr", stock.spec.model, 48, charset=tmp_path / "dict.txt"))
