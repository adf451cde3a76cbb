"""Skill: by how much a method's error is smaller than a baseline's, with its bootstrap interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imputer.evaluate.intervals import RESAMPLES, Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike


def skill(
    errors: ArrayLike, baseline: ArrayLike, seed: int, clusters: Sequence[str], resamples: int = RESAMPLES
) -> Interval:
    """1 - mean error / mean error of the baseline, over the values that both have, and its 95 % bootstrap interval.

    1 is perfect, 0 no better than the baseline, below 0 worse. Values of one cluster are drawn together. NaN where the
    baseline makes no error at all, or no value is there.
    """
    given, other = np.asarray(errors, dtype=float), np.asarray(baseline, dtype=float)
    known = np.isfinite(given) & np.isfinite(other)
    n = int(known.sum())
    if n == 0 or not other[known].any():
        return Interval(float("nan"), float("nan"), float("nan"), n)
    _, codes = np.unique(np.array(clusters, dtype=str)[known], return_inverse=True)
    own, theirs = np.bincount(codes, weights=given[known]), np.bincount(codes, weights=other[known])
    size = len(own)
    draws = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=resamples)
    sums = draws @ theirs
    drawn = 1 - np.divide(draws @ own, sums, out=np.full(resamples, np.nan), where=sums > 0)
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return Interval(float(1 - own.sum() / theirs.sum()), float(low), float(high), n)
