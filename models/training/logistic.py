"""Logistic regression, as confidences are calibrated by it."""

from __future__ import annotations

import numpy as np


def fit_logistic(inputs: np.ndarray, targets: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """Weights (features,) by Newton's method (iteratively reweighted least squares).

    ``inputs``: (n, features), with a column of ones for the bias; ``targets``: (n,) between 0 and 1; ``penalty``:
    (features,) ridge on the square of each weight.
    """
    weights = np.zeros(inputs.shape[1])
    for _ in range(50):
        chance = 1.0 / (1.0 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        gradient = inputs.T @ (targets - chance) - penalty * weights
        curvature = (inputs * (chance * (1 - chance) + 1e-9)[:, None]).T @ inputs + np.diag(penalty)
        move = np.linalg.solve(curvature, gradient)
        weights += move
        if np.abs(move).max() < 1e-8:
            break
    return weights
