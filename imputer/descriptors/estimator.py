"""Estimates of OaSIS ratings for every unit group, each made without the unit group's own OaSIS ratings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import isotonic_regression

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

#: Variance of a rating about what likeness can tell, in units of the kernel; chosen with its weights (likeness).
NOISE = 0.8
# A constant part of the kernel, wide enough to leave the mean free.
_MEAN_VARIANCE = 10.0


@dataclass(frozen=True, slots=True)
class Estimates:
    """Estimates by unit group and descriptor, and their variance relative to other unit groups' (1: no difference).

    A unit group among many alike has a low variance, one that stands alone a high one.
    """

    values: NDArray[np.float64]
    variance: NDArray[np.float64]


def left_out(kernel: NDArray[np.float64], truth: NDArray[np.float64]) -> Estimates:
    """Kernel regression; where a rating is known, the estimate leaves that unit group out, in closed form.

    ``truth`` is unit groups by descriptors, NaN where a rating is not known.
    """
    values, variance = np.full(truth.shape, np.nan), np.full(truth.shape, np.nan)
    kernel = kernel + _MEAN_VARIANCE
    for columns, known in _patterns(truth):
        if not known.any():
            continue
        inverse = np.linalg.inv(kernel[np.ix_(known, known)] + NOISE * np.eye(int(known.sum())))
        weights = inverse @ truth[np.ix_(known, columns)]
        precision = np.diag(inverse)[:, None]
        values[np.ix_(known, columns)] = truth[np.ix_(known, columns)] - weights / precision
        variance[np.ix_(known, columns)] = 1 / precision
        if not known.all():
            across = kernel[np.ix_(~known, known)]
            values[np.ix_(~known, columns)] = across @ weights
            explained = np.einsum("ij,jk,ik->i", across, inverse, across)
            variance[np.ix_(~known, columns)] = (np.diag(kernel)[~known] + NOISE - explained)[:, None]
    return Estimates(values, variance)


def folded(kernel: NDArray[np.float64], truth: NDArray[np.float64], folds: NDArray[np.int64]) -> Estimates:
    """The same regression, each unit group estimated from the other folds only; for backtests."""
    values, variance = np.full(truth.shape, np.nan), np.full(truth.shape, np.nan)
    for fold in np.unique(folds):
        tested = folds == fold
        part = left_out(kernel, np.where(tested[:, None], np.nan, truth))
        values[tested], variance[tested] = part.values[tested], part.variance[tested]
    return Estimates(values, variance)


def linear_fit(x: NDArray[np.float64], y: NDArray[np.float64]) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """The straight line through one O*NET rating and one OaSIS rating."""
    spread = ((x - x.mean()) ** 2).sum()
    slope = ((x - x.mean()) * (y - y.mean())).sum() / spread if spread > 0 else 0.0
    return lambda at: y.mean() + slope * (at - x.mean())


def isotonic_fit(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """The best rising curve from one O*NET rating to one OaSIS rating, straight between its points."""
    points, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    means = np.bincount(inverse, weights=y) / counts
    fitted = isotonic_regression(means, weights=counts).x
    return lambda at: np.interp(at, points, fitted)


def folded_fit(
    fit: Callable[[NDArray[np.float64], NDArray[np.float64]], Callable[[NDArray[np.float64]], NDArray[np.float64]]],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    folds: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Estimates by a curve of one O*NET rating, each from the other folds; NaN where ``x`` is not known."""
    values = np.full(len(x), np.nan)
    known = np.isfinite(x) & np.isfinite(y)
    for fold in np.unique(folds):
        tested = (folds == fold) & np.isfinite(x)
        training = known & (folds != fold)
        if training.any() and tested.any():
            values[tested] = fit(x[training], y[training])(x[tested])
    return values


def _patterns(truth: NDArray[np.float64]) -> list[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """The columns that are known for the same rows, together: one inversion serves them all."""
    known = np.isfinite(truth)
    patterns, which = np.unique(known, axis=1, return_inverse=True)
    which = which.reshape(-1)
    return [(np.flatnonzero(which == number), patterns[:, number]) for number in range(patterns.shape[1])]
