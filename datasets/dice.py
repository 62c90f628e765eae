"""One source of chance for a picture: scalars from ``random``, arrays from NumPy, both from one seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

import numpy as np

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dice:
    """Chance for one picture; the same seed draws the same picture."""

    rng: Random
    arrays: np.random.Generator

    @classmethod
    def of(cls, rng: Random) -> Dice:
        """Dice whose arrays follow from the state of ``rng``."""
        return cls(rng, np.random.default_rng(rng.getrandbits(64)))

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.rng.random() < probability

    def uniform(self, low: float, high: float) -> float:
        """A number between two bounds."""
        return self.rng.uniform(low, high)

    def choice(self, values: Sequence[T]) -> T:
        """One of the values, all alike."""
        return self.rng.choice(values)

    def weighted(self, weights: Mapping[T, float]) -> T:
        """One of the keys in proportion to its weight."""
        return self.rng.choices(tuple(weights), tuple(weights.values()))[0]
