"""The choice of one among several candidates by weighted features (conditional logit): fitted, applied, explained.

Shapes: features are (titles, candidates, features); ``there`` says which candidates a title really has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Marks = NDArray[np.bool_]
    Places = NDArray[np.int64]

_NOWHERE = -1e9


def widened(values: Floats, best: Floats) -> Floats:
    """Features beside their share of the best candidate's, which weighs how clear the lead is, and their squares."""
    share = values / (np.abs(best) + 1e-6)
    return np.concatenate([values, share**4, share, values**2], axis=-1)


def utilities(features: Floats, there: Marks, weights: Floats) -> Floats:
    """Weighted sums; candidates that are not there come last."""
    return np.where(there, features @ weights, _NOWHERE)


def probabilities(sums: Floats) -> Floats:
    """Of each candidate, that it is the right one, given that one of them is; rows add up to 1."""
    grown = np.exp(sums - sums.max(axis=1, keepdims=True))
    made: Floats = grown / grown.sum(axis=1, keepdims=True)
    return made


def fit_weights(features: Floats, there: Marks, chosen: Places, ridge: float) -> Floats:
    """The weights of the greatest likelihood, held small by ``ridge``; ``chosen`` is -1 where no candidate is right."""
    known = chosen >= 0
    given, held, right = features[known], there[known], chosen[known]
    scale = given[held].std(axis=0) + 1e-6
    scaled = np.where(held[..., None], given / scale, 0.0)
    rows = np.arange(len(right))
    observed = scaled[rows, right].sum(axis=0)

    def loss(weights: Floats) -> tuple[float, Floats]:
        shares = probabilities(utilities(scaled, held, weights))
        value = -np.log(shares[rows, right] + 1e-12).mean() + ridge * weights @ weights / 2
        expected = np.tensordot(shares, scaled, axes=2)
        return float(value), (expected - observed) / len(rows) + ridge * weights

    found = minimize(loss, np.zeros(features.shape[-1]), jac=True, method="L-BFGS-B", options={"maxiter": 400})
    weights: Floats = found.x / scale
    return weights
