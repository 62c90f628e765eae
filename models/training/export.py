"""Make a bundle of a finished run: ``python -m models.training.export RUN/averaged.pt --out BUNDLE``.

The folder is what PaddleOCR and RapidOCR load unchanged: ``det/`` and ``rec/``, each ``inference.onnx`` (input ``x``,
any number of lines, any width) and ``inference.yml``; ``rec/dict.txt`` and, inside the weights, the metadata
``character``. The detector is PP-OCRv6 small as the package ``rapidocr`` ships it. ``bundle.toml`` is our own
manifest (``models/bundle.py``); ``models.training.calibrate`` adds what confidences are worth.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
import yaml
from torch import nn

from models.bundle import sha256_of
from models.training.alphabet import ALPHABET, CLASSES
from models.training.lines import HEIGHT_PX
from models.training.network import Recogniser, Size
from models.training.train import AVERAGED
from models.training.weights import shipped_file

OPSET = 17
AGREEMENT = 1e-3
"""Largest difference of a probability between network and graph on a random line. Rounding alone gave up to 1e-4 (both
are as far from the network in double precision); a layer computed differently gives more than 1e-2."""

LICENCE = "Apache-2.0"
ORIGIN = "PP-OCRv6 (PaddlePaddle, Apache-2.0) from rapidocr 3.10.0; recogniser fine-tuned on rendered headstone lines"


class ExportError(RuntimeError):
    """The exported graph does not compute what the network computes."""


class Serving(nn.Module):  # type: ignore[misc]  # torch is optional
    """The network as runtimes expect it: probabilities instead of logits."""

    def __init__(self, network: Recogniser):
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Class probabilities ``(lines, frames, classes)``."""
        return self.network(x).softmax(-1)


def main() -> None:
    """Parse the command line and write the bundle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help=f"the {AVERAGED} of a run")
    parser.add_argument("--out", type=Path, required=True, help="folder <name>/<version> of the bundle")
    arguments = parser.parse_args()
    write_bundle(load_averaged(arguments.weights), arguments.out)


def load_averaged(path: Path) -> Recogniser:
    """The averaged network of a run, for inference; also taken from a checkpoint of a run that still goes on."""
    saved = torch.load(path, map_location="cpu", weights_only=True)
    size = saved["size"] if "size" in saved else saved["config"]["size"]
    network = Recogniser(size, len(CLASSES))
    network.load_state_dict(saved["averaged"] if "averaged" in saved else saved["network"])
    network.eval()
    return network


def write_bundle(network: Recogniser, folder: Path) -> None:
    """Write weights, dictionary, settings and manifest of a bundle; raises ExportError where the graph disagrees."""
    detector, recogniser = folder / "det", folder / "rec"
    detector.mkdir(parents=True, exist_ok=True)
    recogniser.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(shipped_file("rapidocr", "models/PP-OCRv6_det_small.onnx"), detector / "inference.onnx")
    (detector / "inference.yml").write_text(yaml.safe_dump(_DETECTOR_SETTINGS, sort_keys=False), encoding="utf-8")
    export_onnx(network, recogniser / "inference.onnx")
    (recogniser / "dict.txt").write_text("\n".join(ALPHABET) + "\n", encoding="utf-8")
    settings = yaml.safe_dump(_recogniser_settings(network), sort_keys=False, allow_unicode=True)
    (recogniser / "inference.yml").write_text(settings, encoding="utf-8")
    (folder / "bundle.toml").write_text(_manifest(folder, network.size), encoding="utf-8")


def export_onnx(network: Recogniser, path: Path) -> None:
    """Write the graph with its dictionary inside, and check it against the network on a random line."""
    serving = Serving(network).eval()
    example = torch.rand(2, 3, HEIGHT_PX, 320) * 2 - 1
    axes = {"x": {0: "lines", 3: "width"}, "probabilities": {0: "lines", 1: "frames"}}
    torch.onnx.export(
        serving, (example,), str(path), input_names=["x"], output_names=["probabilities"], dynamic_axes=axes,
        opset_version=OPSET, dynamo=False,
    )  # fmt: skip
    graph = onnx.load(str(path))
    onnx.helper.set_model_props(graph, {"character": "\n".join(ALPHABET)})
    onnx.save(graph, str(path))
    other_width = torch.rand(1, 3, HEIGHT_PX, 456) * 2 - 1
    with torch.no_grad():
        expected = serving(other_width).numpy()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    difference = float(np.abs(session.run(None, {"x": other_width.numpy()})[0] - expected).max())
    if difference > AGREEMENT:
        raise ExportError(f"the exported graph differs from the network by {difference:.2g}; do not ship it")


def _manifest(folder: Path, size: Size) -> str:
    files = {
        "det": "det/inference.onnx",
        "det_config": "det/inference.yml",
        "rec": "rec/inference.onnx",
        "rec_config": "rec/inference.yml",
        "charset": "rec/dict.txt",
    }
    head = f'schema = 1\nname = "{folder.parent.name}"\nversion = "{folder.name}"\n'
    parts = [
        head + f'licence = "{LICENCE}"\norigin = "{ORIGIN}"\n',
        *(f'[files.{key}]\npath = "{path}"\nsha256 = "{sha256_of(folder / path)}"\n' for key, path in files.items()),
        f'[files.language]\npackage = "models"\npath = "{_LANGUAGE}"\nsha256 = "{sha256_of(_MODELS / _LANGUAGE)}"\n',
        _running(size),
    ]
    return "\n".join(parts)


_MODELS = Path(__file__).parent.parent
_LANGUAGE = "weights/language/inscriptions-1.npz"

# On 24 held-out rendered stones, read by headstone-vi 0.1.0: from 736 to 960 px, character errors fell from 13.9 to
# 11.7 %; from 0.6 to 0.5, to 10.5 % (one line less missed, four more false ones); 0.4 gave 10.4 % and seven more false
# lines. On 36 others at 960, 736 and 640 px: 7.9, 8.5, 8.0 % in 186, 109, 80 ms; PP-OCRv6 tiny at 960 px: 10.3 % in
# 79 ms, and 101 boxes that are no line instead of 66. So what is to be fast looks at less, with the same detector.
_SIDE_PX = {"small": 960, "tiny": 640}


def _running(size: Size) -> str:
    return f"""\
[det]
kind = "ppocr"
model = "det"
config = "det_config"
# PaddleOCR's own thresholds stand in the file that it reads.
side_px = {_SIDE_PX[size]}
binary_threshold = 0.3
box_threshold = 0.5

[rec]
kind = "ppocr"
model = "rec"
config = "rec_config"
charset = "charset"
language = "language"
language_weight = 0.25  # from 0.3 on, lines of random syllables are read worse; chosen on 600 held-out rendered lines
length_bonus = 0.5
height_px = {HEIGHT_PX}
min_width_px = 32  # trained with and without the padding to 320 px that PaddleOCR adds; without it costs less
"""


_NORMALISATION = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "order": "hwc", "scale": "1./255."}

_DETECTOR_SETTINGS = {
    "Global": {"model_name": "PP-OCRv6_small_det"},
    "PreProcess": {
        "transform_ops": [
            {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
            {"DetLabelEncode": None},
            {"DetResizeForTest": None},
            {"NormalizeImage": _NORMALISATION},
            {"ToCHWImage": None},
            {"KeepKeys": {"keep_keys": ["image", "shape", "polys", "ignore_tags"]}},
        ]
    },
    "PostProcess": {
        "name": "DBPostProcess",
        "thresh": 0.2,
        "box_thresh": 0.4,
        "unclip_ratio": 1.4,
        "max_candidates": 3000,
    },
}
"""As the stock PP-OCRv6 bundles are set; the registered model name is what PaddleOCR checks."""


def _recogniser_settings(network: Recogniser) -> dict[str, object]:
    return {
        "Global": {"model_name": f"PP-OCRv6_{network.size}_rec"},
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
                {"MultiLabelEncode": {"gtc_encode": "NRTRLabelEncode"}},
                {"RecResizeImg": {"image_shape": [3, HEIGHT_PX, 320]}},
                {"KeepKeys": {"keep_keys": ["image", "label_ctc", "label_gtc", "length", "valid_ratio"]}},
            ]
        },
        "PostProcess": {"name": "CTCLabelDecode", "character_dict": list(ALPHABET)},
    }


if __name__ == "__main__":
    main()
