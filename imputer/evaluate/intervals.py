"""Measured figures and how sure they are: bootstrap intervals, calibration error, reliability, rising curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import isotonic_regression

from imputer.calibration import Curve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

RESAMPLES = 1000
BINS = 10
FOLDS = 10
#: Backtested values that a step of a calibration curve must rest on.
LEAST_PER_STEP = 50


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % bootstrap interval, over ``n`` values."""

    value: float
    low: float
    high: float
    n: int


def mean_interval(
    values: ArrayLike, seed: int, clusters: Sequence[str] | None = None, resamples: int = RESAMPLES
) -> Interval:
    """The mean and its 95 % percentile bootstrap interval.

    Values of one cluster (titles of one unit group) are drawn together, so that their likeness does not narrow the
    interval. NaN values are left out; without any, everything is NaN.
    """
    given = np.asarray(values, dtype=float)
    known = np.isfinite(given)
    n = int(known.sum())
    if n == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    names = np.arange(len(given)).astype(str) if clusters is None else np.array(clusters, dtype=str)
    _, codes = np.unique(names[known], return_inverse=True)
    sums, counts = np.bincount(codes, weights=given[known]), np.bincount(codes)
    means = _resampled(sums.astype(float), counts.astype(float), seed, resamples)
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(given[known].mean()), float(low), float(high), n)


def _resampled(
    sums: NDArray[np.float64], counts: NDArray[np.float64], seed: int, resamples: int
) -> NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    size = len(sums)
    draws = generator.multinomial(size, np.full(size, 1 / size), size=resamples)
    return np.asarray((draws @ sums) / np.maximum(draws @ counts, 1e-12))


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Values whose confidence lies from ``low`` to ``high``: their mean confidence and the share that was right."""

    low: float
    high: float
    n: int
    confidence: float
    right: float


def reliability(confidence: ArrayLike, right: ArrayLike, bins: int = BINS) -> tuple[ReliabilityBin, ...]:
    """Bins of equal width over 0 to 1, the empty ones left out; confidence 1 belongs to the last."""
    given, hits = np.asarray(confidence, dtype=float), np.asarray(right, dtype=float)
    places = np.minimum((given * bins).astype(int), bins - 1)
    return tuple(
        ReliabilityBin(
            place / bins,
            (place + 1) / bins,
            int((places == place).sum()),
            float(given[places == place].mean()),
            float(hits[places == place].mean()),
        )
        for place in range(bins)
        if (places == place).any()
    )


def calibration_error(confidence: ArrayLike, right: ArrayLike, bins: int = BINS) -> float:
    """Expected calibration error: the mean distance of confidence and share right over the bins, by their size."""
    found = reliability(confidence, right, bins)
    total = sum(part.n for part in found)
    return sum(part.n * abs(part.confidence - part.right) for part in found) / total if total else float("nan")


def calibration_error_interval(
    confidence: ArrayLike, right: ArrayLike, seed: int, clusters: Sequence[str] | None = None, resamples: int = 200
) -> Interval:
    """The expected calibration error and its 95 % bootstrap interval, values of one cluster drawn together.

    Resampled errors are larger than the true one by the noise of the draw: the interval leans to the careful side.
    """
    given, hits = np.asarray(confidence, dtype=float), np.asarray(right, dtype=float)
    if not len(given):
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    names = np.arange(len(given)).astype(str) if clusters is None else np.array(clusters, dtype=str)
    _, codes = np.unique(names, return_inverse=True)
    places = np.minimum((given * BINS).astype(int), BINS - 1)
    size = int(codes.max()) + 1
    surplus = np.zeros((size, BINS))
    np.add.at(surplus, (codes, places), given - hits)
    counts = np.bincount(codes).astype(float)
    draws = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=resamples)
    errors = np.abs(draws @ surplus).sum(axis=1) / np.maximum(draws @ counts, 1)
    low, high = np.quantile(errors, [0.025, 0.975])
    return Interval(calibration_error(given, hits), float(low), float(high), len(given))


def fit_curve(scores: ArrayLike, right: ArrayLike, least: int = LEAST_PER_STEP) -> Curve:
    """The rising step curve from score to share right that fits best, no step on fewer than ``least`` values.

    Few values make one step. No probability is 0 or 1: ``n`` values
    that were all right are told as 1 - 1/(n + 2). Raises ValueError without any value.
    """
    given, hits = np.asarray(scores, dtype=float), np.asarray(right, dtype=float)
    if not len(given):
        raise ValueError("expected at least one backtested value, found none")
    order = np.argsort(given, kind="stable")
    points, first, counts = np.unique(given[order], return_index=True, return_counts=True)
    totals = np.add.reduceat(hits[order], first)
    starts, sums, sizes = _grouped(points, totals, counts, least)
    fitted = isotonic_regression(sums / sizes, weights=sizes)
    steps = fitted.blocks[:-1]
    margins = 1 / (np.add.reduceat(sizes, steps) + 2)
    probabilities = np.maximum.accumulate(np.clip(fitted.x[steps], margins, 1 - margins))
    return Curve(
        scores=tuple(float(starts[step]) for step in steps),
        probabilities=tuple(round(float(probability), 4) for probability in probabilities),
        n=len(given),
    )


def _grouped(
    points: NDArray[np.float64], totals: NDArray[np.float64], counts: NDArray[np.int64], least: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Neighbouring scores put together until each group has ``least`` values; a small rest joins the last group."""
    firsts, size = [0], 0
    for place, count in enumerate(counts):
        if size >= least:
            firsts.append(place)
            size = 0
        size += int(count)
    if size < least and len(firsts) > 1:
        firsts.pop()
    return points[firsts], np.add.reduceat(totals, firsts), np.add.reduceat(counts.astype(float), firsts)


def cross_fitted(scores: ArrayLike, right: ArrayLike, folds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Calibrated confidence of each value by a curve fitted on the other folds."""
    given, hits = np.asarray(scores, dtype=float), np.asarray(right, dtype=float)
    made = np.full(len(given), np.nan)
    for fold in np.unique(folds):
        tested = folds == fold
        if (~tested).any():
            made[tested] = fit_curve(given[~tested], hits[~tested]).apply(given[tested])
    return made


def stratified_folds(
    clusters: Sequence[str], strata: Sequence[str], seed: int, folds: int = FOLDS
) -> NDArray[np.int64]:
    """A fold, from 0, for each value: a cluster is never split, and each stratum is spread over the folds.

    ``strata`` go with ``clusters``, value by value; a cluster's stratum is that of its first value.
    """
    generator = np.random.default_rng(seed)
    of_cluster: dict[str, str] = {}
    for cluster, stratum in zip(clusters, strata, strict=True):
        of_cluster.setdefault(cluster, stratum)
    members: dict[str, list[str]] = {}
    for cluster in sorted(of_cluster):
        members.setdefault(of_cluster[cluster], []).append(cluster)
    dealt: list[str] = []
    for stratum in sorted(members):
        dealt += [members[stratum][place] for place in generator.permutation(len(members[stratum]))]
    fold_of = {cluster: place % folds for place, cluster in enumerate(dealt)}
    return np.array([fold_of[cluster] for cluster in clusters], dtype=np.int64)
