"""From which confidence a reading is shown as certain, and below which as weak: one home for every place that asks.

Both are chosen by judgement and not yet calibrated on data: a page of ten fields that are each right with 0.95 needs no
correction in 60 % of cases (0.95 ** 10); below 0.80 every fifth text or more is wrong, and a person who skims would let
too many through, so that each must be confirmed by itself.
"""

from __future__ import annotations

CERTAIN_FROM = 0.95
WEAK_BELOW = 0.80
