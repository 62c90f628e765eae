"""The network for faces: a U-Net of 0.4 million weights, after Ronneberger et al. 2015."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from preprocess.stone import PLANES

CHANNELS = (16, 24, 40, 56, 72)


class FaceNetwork(nn.Module):  # type: ignore[misc]  # torch is optional
    """From planes (n, ``PLANES``, side, side) to logits (n, side, side); the side is a multiple of 32."""

    def __init__(self) -> None:
        super().__init__()
        sizes = (PLANES, *CHANNELS)
        self.down = nn.ModuleList(
            nn.Sequential(_block(inner, outer, stride=2), *([_block(outer, outer)] if level else []))
            for level, (inner, outer) in enumerate(zip(sizes, CHANNELS, strict=False))
        )
        self.bottom = nn.Sequential(_block(CHANNELS[-1], CHANNELS[-1]), _block(CHANNELS[-1], CHANNELS[-1]))
        upwards = CHANNELS[::-1]
        self.up = nn.ModuleList(_block(deeper + shallower, shallower) for deeper, shallower in pairwise(upwards))
        self.last = nn.Conv2d(CHANNELS[0], 1, 1)

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        """Logits of every pixel to belong to the face."""
        levels = []
        for down in self.down:
            planes = down(planes)
            levels.append(planes)
        seen = self.bottom(planes)
        for up, level in zip(self.up, levels[-2::-1], strict=True):
            seen = up(torch.cat([functional.interpolate(seen, scale_factor=2.0), level], dim=1))
        return functional.interpolate(self.last(seen), scale_factor=2.0, mode="bilinear")[:, 0]


def _block(inner: int, outer: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inner, outer, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outer), nn.ReLU(inplace=True)
    )
