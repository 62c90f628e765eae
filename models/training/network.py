"""PP-OCRv6 recognition networks in PyTorch, small and tiny, with a head of our own size.

The layers come from ``transformers``; two things differ here. Batch normalisation is folded into the convolutions
(each gets a bias instead), because it is frozen in fine-tuning anyway and costs memory traffic on a CPU. And
``forward`` returns logits, since CTC loss wants log-probabilities; ``export.py`` adds the softmax that PaddleOCR's
runtime expects.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn
from torch.nn import functional
from transformers.models.pp_ocrv6_small_rec.configuration_pp_ocrv6_small_rec import PPOCRV6SmallRecConfig
from transformers.models.pp_ocrv6_small_rec.modeling_pp_ocrv6_small_rec import PPOCRV6SmallRecForTextRecognition
from transformers.models.pp_ocrv6_tiny_rec.configuration_pp_ocrv6_tiny_rec import PPOCRV6TinyRecConfig
from transformers.models.pp_ocrv6_tiny_rec.modeling_pp_ocrv6_tiny_rec import PPOCRV6TinyRecForTextRecognition

Size = Literal["small", "tiny"]

# The stock networks were trained with these; the outputs disagree in the third digit with the library's default.
BLOCK_NORM_EPS = 1e-5
LAST_NORM_EPS = 1e-6

TINY_BLOCKS = [
    [[3, 48, 48, 1, True]],
    [[3, 48, 48, 1, False]],
    [[3, 48, 96, [2, 1], False], [3, 96, 96, 1, True], [3, 96, 96, 1, False]],
    [[3, 96, 160, [2, 1], False], [3, 160, 160, 1, True], [3, 160, 160, 1, False], [3, 160, 160, 1, False]],
]


class Recogniser(nn.Module):  # type: ignore[misc]  # torch is optional
    """Images ``(lines, 3, 48, width)``, BGR in -1..1, to CTC logits ``(lines, width // 8, classes)``."""

    def __init__(self, size: Size, class_count: int):
        super().__init__()
        self.size = size
        whole = _library_network(size, class_count)
        self.backbone = whole.model.backbone.encoder
        if size == "small":
            self.neck = whole.head.encoder
            self.head = whole.head.head
            for block in self.neck.svtr_block:
                block.layer_norm1.eps = block.layer_norm2.eps = BLOCK_NORM_EPS
            self.neck.norm.eps = LAST_NORM_EPS
        else:
            self.neck = _TinyNeck(whole.head)
            self.head = whole.head.fc2
        _give_convolutions_a_bias(self)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Logits before softmax; the first class is CTC's blank."""
        features = self.backbone.convolution(pixels)
        for stage in self.backbone.blocks:
            features = stage(features)
        features = functional.avg_pool2d(features, (3, 2))
        features = self.neck(features)
        if self.size == "small":
            features = features.last_hidden_state
        logits: torch.Tensor = self.head(features)
        return logits

    def convolutions(self) -> list[nn.Conv1d | nn.Conv2d]:
        """Every convolution in the order of the stock ONNX graph, where the neck's skip connection comes last."""
        found = [layer for layer in self.modules() if isinstance(layer, nn.Conv1d | nn.Conv2d)]
        if self.size == "small":
            skip = self.neck.conv_block[0].convolution
            found = [layer for layer in found if layer is not skip] + [skip]
        return found

    def linears(self) -> list[nn.Linear]:
        """Every fully connected layer in graph order, the head last."""
        return [layer for layer in self.modules() if isinstance(layer, nn.Linear)]

    def layer_norms(self) -> list[nn.LayerNorm]:
        """Every layer normalisation in graph order."""
        return [layer for layer in self.modules() if isinstance(layer, nn.LayerNorm)]


class _TinyNeck(nn.Module):  # type: ignore[misc]
    """Two convolutions along the line and a projection: all that the tiny network has between backbone and head."""

    def __init__(self, head: nn.Module):
        super().__init__()
        self.conv1, self.norm1 = head.conv1, head.norm1
        self.conv2, self.norm2 = head.conv2, head.norm2
        self.act_fn, self.fc1 = head.act_fn, head.fc1

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        features = features.squeeze(2)
        features = self.act_fn(self.norm1(self.conv1(features)))
        features = self.act_fn(self.norm2(self.conv2(features)))
        projected: torch.Tensor = self.fc1(features.transpose(1, 2))
        return projected


def _library_network(size: Size, class_count: int) -> nn.Module:
    if size == "small":
        small: nn.Module = PPOCRV6SmallRecForTextRecognition(PPOCRV6SmallRecConfig(head_out_channels=class_count))
        return small
    backbone = {
        "model_type": "pp_lcnet_v4",
        "stem_type": "small",
        "stem_channels": [3, 24, 48],
        "block_configs": TINY_BLOCKS,
        "out_features": ["stage4"],
    }
    config = PPOCRV6TinyRecConfig(backbone_config=backbone, hidden_size=80, head_out_channels=class_count)
    tiny: nn.Module = PPOCRV6TinyRecForTextRecognition(config)
    return tiny


def _give_convolutions_a_bias(network: nn.Module) -> None:
    """Replace each pair of convolution and batch normalisation by one convolution with a bias."""
    for parent in list(network.modules()):
        pairs = [("convolution", "normalization"), ("conv1", "norm1"), ("conv2", "norm2")]
        for convolution_name, norm_name in pairs:
            norm = getattr(parent, norm_name, None)
            if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
                convolution = getattr(parent, convolution_name)
                convolution.bias = nn.Parameter(torch.zeros(convolution.out_channels))
                setattr(parent, norm_name, nn.Identity())
