import hashlib
import shutil
import sys

import pytest

from models import bundle as bundles
from models.bundle import load_bundle, shipped_bundles
from models.errors import BundleError

MANIFEST = """
schema = 1
name = "{name}"
version = "{version}"
licence = "MIT"
origin = "a test"
[files.det]
path = "det/inference.onnx"
sha256 = "{sha256}"
[files.rec]
path = "rec/inference.onnx"
sha256 = "{sha256}"
[det]
kind = "ppocr"
model = "det"
side_px = 640
[rec]
kind = "{kind}"
model = "rec"
height_px = 48
[rec.calibration]
bias = 0.5
weights = {{ text = 1.25 }}
"""


def _write(folder, version="1", kind="ppocr", content=b"weights", sha256=None, name="toy"):
    for part in ("det", "rec"):
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / "inference.onnx").write_bytes(content)
    digest = sha256 or hashlib.sha256(content).hexdigest()
    (folder / "bundle.toml").write_text(MANIFEST.format(name=name, version=version, sha256=digest, kind=kind))
    return folder


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """An empty folder of shipped bundles."""
    monkeypatch.setattr(bundles, "WEIGHTS_DIR", tmp_path)
    return tmp_path


def test_the_default_bundle_loads_and_names_itself():
    bundle = load_bundle()
    assert bundle.id == f"{bundle.name}@{bundle.version}"
    assert bundle.id in shipped_bundles()
    assert all(path.is_file() for path in bundle.files.values())


def test_the_interim_bundle_never_imports_the_packages_that_hold_its_weights():
    load_bundle("interim")
    assert "asterocr" not in sys.modules


def test_a_folder_is_a_bundle(tmp_path):
    bundle = load_bundle(_write(tmp_path / "mine"))
    assert bundle.id == "toy@1"
    assert bundle.detector.side_px == 640
    assert bundle.recogniser.height_px == 48
    assert bundle.recogniser.calibration.bias == 0.5
    assert bundle.recogniser.calibration.weights == {"text": 1.25}


def test_versions_are_ordered_as_numbers(shelf):
    for version in ("0.9", "0.10", "0.2"):
        _write(shelf / "toy" / version, version)
    assert load_bundle("toy").version == "0.10"
    assert load_bundle("toy@0.2").version == "0.2"
    assert shipped_bundles() == ["toy@0.2", "toy@0.9", "toy@0.10"]


def _ship(shelf, name, version):
    _write(shelf / name / version, version, name=name)


def test_the_vietnamese_bundle_comes_before_the_interim_one(shelf):
    _ship(shelf, "interim", "1")
    assert load_bundle().id == "interim@1"
    _ship(shelf, "headstone-vi", "0.1")
    assert load_bundle().id == load_bundle(profile="accurate").id == "headstone-vi@0.1"


def test_a_profile_is_served_by_the_newest_version_of_its_bundle(shelf):
    for name, version in (("headstone-vi", "0.3"), ("headstone-vi-fast", "0.1"), ("headstone-vi-fast", "0.2")):
        _ship(shelf, name, version)
    assert load_bundle(profile="fast").id == "headstone-vi-fast@0.2"
    assert load_bundle().id == "headstone-vi@0.3"


def test_a_bundle_that_is_named_wins_over_the_profile(shelf, tmp_path_factory):
    _ship(shelf, "headstone-vi", "0.3")
    _ship(shelf, "headstone-vi-fast", "0.1")
    assert load_bundle("headstone-vi", "fast").id == "headstone-vi@0.3"
    assert load_bundle(_write(tmp_path_factory.mktemp("mine")), "no such profile").id == "toy@1"


def test_a_profile_without_a_bundle_is_refused_and_never_served_by_another(shelf):
    _ship(shelf, "headstone-vi", "0.3")
    with pytest.raises(BundleError, match=r"'fast'.*headstone-vi-fast does not ship") as raised:
        load_bundle(profile="fast")
    assert "\n" not in str(raised.value)


def test_an_unknown_profile_is_answered_with_the_known_ones():
    with pytest.raises(BundleError, match="'instant'; choose one of accurate, fast"):
        load_bundle(profile="instant")


def test_a_shipped_bundle_under_another_name_than_its_own_is_refused(shelf):
    _write(shelf / "headstone-vi-fast" / "0.1", "0.1", name="headstone-vi")
    with pytest.raises(BundleError, match=r"calls itself headstone-vi@0\.1"):
        load_bundle(profile="fast")


def test_changed_weights_are_refused(tmp_path):
    folder = _write(tmp_path)
    (folder / "rec" / "inference.onnx").write_bytes(b"weighty")
    with pytest.raises(BundleError, match="checksum"):
        load_bundle(folder)


def test_missing_weights_are_named(tmp_path):
    folder = _write(tmp_path)
    shutil.rmtree(folder / "rec")
    with pytest.raises(BundleError, match=r"rec.inference\.onnx is missing"):
        load_bundle(folder)


def test_an_unknown_bundle_is_answered_with_the_known_ones():
    with pytest.raises(BundleError, match="interim@1"):
        load_bundle("nobody-vi")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("schema = 1", "schema = 99", "schema 99"),
        ('kind = "ppocr"\nmodel = "rec"', 'kind = "crystal-ball"\nmodel = "rec"', "crystal-ball"),
        ('name = "toy"', "", "name"),
        ('path = "rec/inference.onnx"', 'path = "../../secret"', "below the bundle"),
        ('path = "rec/inference.onnx"', 'path = "x.onnx"\npackage = "no_such_package"', "not installed"),
        ("side_px = 640", "side_pixels = 640", "side_pixels"),
        ("schema = 1", "schema = = 1", "cannot be read"),
    ],
)
def test_a_wrong_manifest_is_one_clear_line(tmp_path, old, new, says):
    folder = _write(tmp_path)
    manifest = folder / "bundle.toml"
    manifest.write_text(manifest.read_text().replace(old, new, 1))
    with pytest.raises(BundleError, match=says) as raised:
        load_bundle(folder)
    assert "\n" not in str(raised.value)


def test_a_language_model_is_a_file_of_the_bundle_and_none_means_that_the_network_alone_decides(tmp_path):
    folder = _write(tmp_path)
    assert load_bundle(folder).recogniser.language is None
    manifest, shipped = folder / "bundle.toml", bundles.WEIGHTS_DIR / "language" / "inscriptions-1.npz"
    sha256 = hashlib.sha256(shipped.read_bytes()).hexdigest()
    entry = f'[files.language]\npackage = "models"\npath = "weights/language/{shipped.name}"\nsha256 = "{sha256}"\n'
    options = '[rec]\nlanguage = "language"\nlanguage_weight = 0.125\n'
    manifest.write_text(manifest.read_text().replace("[det]", entry + "[det]").replace("[rec]\n", options))
    spec = load_bundle(folder).recogniser
    assert spec.language.samefile(shipped)
    assert (spec.language_weight, spec.length_bonus) == (0.125, 0.5)
