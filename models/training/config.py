"""What a training run is made of: one frozen value, and the recipes that ship."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Everything that decides a run but the pictures. Times are wall clock; widths are pixels at 48 px height."""

    name: str
    size: Literal["small", "tiny"]
    budget_s: float
    """Length of the whole run; the learning rate follows it, and a resumed run goes on where it stood."""
    seed: int = 1
    learning_rate: float = 1e-3
    backbone_decay: float = 0.7
    """Each part of the backbone further from the neck learns at this share of the rate of the part after it."""
    weight_decay: float = 0.01
    warmup: float = 0.04
    averaging: float = 0.999
    batch_columns_px: int = 6400
    """Widths of the lines of a batch add up to about this: 16 lines of 400 px."""
    max_width_px: int = 1440
    verified_share: float = 0.2
    """Share of a run's lines that are verified crops, where the run is given any."""
    clip_norm: float = 2.0
    device: str = "cpu"
    bf16: bool = True
    threads: int = 1
    render_workers: int = 1
    checkpoint_every_s: float = 180.0
    validate_every_s: float = 600.0
    validation_lines: int = 400


RECIPES = {
    recipe.name: recipe
    for recipe in (
        # minutes on any machine: shows that every part works and that the error falls, not what the reader can become
        TrainConfig("quick", "tiny", budget_s=240, checkpoint_every_s=60, validate_every_s=60, validation_lines=100),
        TrainConfig("cpu", "small", budget_s=4500),
        TrainConfig("cpu-tiny", "tiny", budget_s=4500, learning_rate=1.5e-3),
        # the network alone takes thousands of lines a second there; rendering is what the processors must keep up with
        TrainConfig(
            "gpu",
            "small",
            budget_s=6 * 3600,
            batch_columns_px=51200,
            averaging=0.9998,
            device="cuda",
            render_workers=14,
        ),
    )
}
