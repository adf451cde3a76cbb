"""How near estimates come to the published ratings, and what is reached without any skill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Scores:
    """Agreement of ``n`` estimates with published ratings, in points of the OaSIS scale; NaN where n is 0.

    ``mae`` mean absolute error; ``within_half``, ``within_one`` shares not farther off than that; ``spearman`` rank
    correlation (NaN where either side does not vary); ``error_90`` the error that nine in ten do not exceed.
    """

    n: int
    mae: float
    within_half: float
    within_one: float
    spearman: float
    error_90: float


def score(estimates: NDArray[np.float64], truth: NDArray[np.float64]) -> Scores:
    """Scores over the pairs where both are known."""
    known = np.isfinite(estimates) & np.isfinite(truth)
    n = int(known.sum())
    if n == 0:
        return Scores(0, *[float("nan")] * 5)
    errors = np.abs(estimates[known] - truth[known])
    return Scores(
        n=n,
        mae=float(errors.mean()),
        within_half=float((errors <= 0.5).mean()),  # noqa: PLR2004 - the half of its name
        within_one=float((errors <= 1).mean()),
        spearman=rank_correlation(estimates[known], truth[known]),
        error_90=float(np.quantile(errors, 0.9)),
    )


def rank_correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Spearman's rank correlation, ties at their mean rank; NaN where either side does not vary."""
    a, b = (ranks - ranks.mean() for ranks in (_ranks(x), _ranks(y)))
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / scale) if scale > 0 else float("nan")


def mean_of_others(truth: NDArray[np.float64], groups: Sequence[str]) -> NDArray[np.float64]:
    """The mean rating of the group's other rows, by row and descriptor; the mean of all others where it has none.

    With one group for all it is the global mean: what is reached by knowing nothing of the row.
    """
    known = np.isfinite(truth)
    filled = np.where(known, truth, 0)
    names, codes = np.unique(np.array(groups, dtype=str), return_inverse=True)
    membership = (codes[:, None] == np.arange(len(names))[None, :]).astype(float)
    sums, counts = membership @ (membership.T @ filled) - filled, membership @ (membership.T @ known) - known
    all_sums, all_counts = filled.sum(axis=0) - filled, np.maximum(known.sum(axis=0) - known, 1)
    return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), all_sums / all_counts))


def stretched(values: NDArray[np.float64], onet_maximum: float, oasis_maximum: float) -> NDArray[np.float64]:
    """O*NET ratings stretched to the OaSIS scale: the naive rule, to compare with and never to state."""
    return values * (oasis_maximum / onet_maximum)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse])
