import subprocess
import sys

import onnxruntime
import pytest

from models.choices import DEFAULT_ENGINE
from models.engines import ENGINES, load_engine
from models.engines.onnx_runtime import move_to_cuda
from models.errors import EngineMissingError


class FakeSession:
    """An open session on a machine where CUDA is ``usable`` or not; the real one then keeps to the CPU."""

    def __init__(self, usable):
        self.usable = usable
        self.providers = ["CPUExecutionProvider"]

    def set_providers(self, providers):
        self.providers = [name for name in providers if self.usable or name != "CUDAExecutionProvider"]

    def get_providers(self):
        return self.providers


@pytest.fixture
def without(monkeypatch):
    """Make packages look uninstalled."""

    def hide(*names):
        for name in names:
            monkeypatch.setitem(sys.modules, name, None)
        for module in ("models.engines.pytorch", "models.engines.paddle"):
            monkeypatch.delitem(sys.modules, module, raising=False)

    return hide


def test_the_default_engine_is_onnxruntime_on_the_cpu(bundle):
    engine = load_engine(bundle)
    assert (engine.name, engine.device, engine.bundle) == (DEFAULT_ENGINE, "cpu", bundle)
    assert sorted(ENGINES) == ["onnxruntime", "paddleocr", "torch"]


def test_several_crops_read_as_one_by_one(default_engine, crops):
    reader = default_engine.recogniser
    assert reader.read_many(crops[:5]) == [reader.read(crop) for crop in crops[:5]]
    assert reader.read_many([]) == []


def test_an_unknown_engine_is_answered_with_the_known_ones(bundle):
    with pytest.raises(EngineMissingError, match="onnxruntime, paddleocr, torch"):
        load_engine(bundle, "abacus")


@pytest.mark.parametrize(
    ("engine", "package", "command"),
    [("torch", "torch", r"pip install '\.\[torch\]'"), ("paddleocr", "paddleocr", "make extras")],
)
def test_a_missing_engine_says_in_one_line_how_to_get_it(bundle, without, engine, package, command):
    without(package)
    with pytest.raises(EngineMissingError, match=rf"'{engine}'.*{package}.*{command}") as raised:
        load_engine(bundle, engine)
    assert "\n" not in str(raised.value)


def test_cuda_is_refused_where_onnxruntime_has_none(bundle, monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(EngineMissingError, match="onnxruntime-gpu"):
        load_engine(bundle, device="cuda")


def test_a_session_moves_to_cuda_or_says_why_not(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    session = FakeSession(usable=True)
    move_to_cuda(session)
    assert session.providers == ["CUDAExecutionProvider", "CPUExecutionProvider"]
    with pytest.raises(EngineMissingError, match="nvidia-smi"):
        move_to_cuda(FakeSession(usable=False))


def test_heavy_runtimes_are_imported_only_when_chosen():
    code = (
        "import sys; from models.engines import load_engine; from models.bundle import load_bundle;"
        "load_engine(load_bundle('interim'));"
        "sys.exit(bool({'torch', 'transformers', 'onnx', 'paddleocr', 'paddlex'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
