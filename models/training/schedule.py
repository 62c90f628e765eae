"""Learning rates over a training run that is measured in time, and over the depth of the network. Pure."""

from __future__ import annotations

import math

FINAL_SHARE = 0.01


def rate_share(progress: float, warmup: float) -> float:
    """Share of the full learning rate after ``progress`` (0..1) of the run: a linear warm-up, then a cosine to 1 %.

    Progress is time, not steps, so that a run ends when it was meant to end on a machine that others use too.
    """
    if progress < warmup:
        return max(progress / warmup, FINAL_SHARE)
    done = min(1.0, (progress - warmup) / (1.0 - warmup))
    return FINAL_SHARE + (1.0 - FINAL_SHARE) * 0.5 * (1.0 + math.cos(math.pi * done))


def depth_share(depth_from_neck: int, decay: float) -> float:
    """Share of the learning rate for a part of the backbone; parts near the pixels change least and forget least."""
    return float(decay**depth_from_neck)


def averaging_decay(step: int, decay: float) -> float:
    """Decay of the weights' moving average; it starts low so that the average does not remember the first steps."""
    return min(decay, (1.0 + step) / (10.0 + step))
