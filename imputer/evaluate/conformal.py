"""Split-conformal intervals: a distance that so many of all values to come keep to, whatever their distribution.

With ``n`` exchangeable errors, the next one is at most the ``ceil((n + 1) * share)``-th smallest of them with a
probability of at least ``share`` (Vovk; Lei et al. 2018, Distribution-Free Predictive Inference for Regression).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from imputer.evaluate.cells import Cells

#: Share of values that an interval is to hold.
SHARE = 0.9
#: Errors of an attribute that its own radius must rest on; with fewer, its topic's is used.
LEAST = 30
# Kept digits of a radius, rounded up.
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Radius:
    """Half the length of an attribute's interval in points, over ``n`` errors of its own; ``own`` unless its topic's.

    Infinite where there are too few errors to promise anything.
    """

    value: float
    n: int
    own: bool


def conformal_radius(errors: ArrayLike, share: float = SHARE) -> float:
    """The distance that the next error keeps to with a probability of at least ``share``; infinite for few errors.

    NaN errors are left out.
    """
    known = np.asarray(errors, dtype=float)
    known = np.sort(known[np.isfinite(known)])
    rank = math.ceil((len(known) + 1) * share - 1e-9)
    return float(known[rank - 1]) if 0 < rank <= len(known) else math.inf


def radii(cells: Cells, errors: NDArray[np.float64], share: float = SHARE) -> dict[str, Radius]:
    """The radius of each numeric attribute that has an error: its own, or that of its topic in shares of the scale."""
    known = np.isfinite(errors)
    by_topic = {
        str(topic): conformal_radius((errors / cells.widths)[known & (cells.topics == topic)], share)
        for topic in np.unique(cells.topics[known])
    }
    made = {}
    for attribute in np.unique(cells.attributes[known]):
        rows = np.flatnonzero(known & (cells.attributes == attribute))
        own = len(rows) >= LEAST
        width = float(cells.widths[rows[0]])
        value = conformal_radius(errors[rows], share) if own else by_topic[str(cells.topics[rows[0]])] * width
        made[str(attribute)] = Radius(_up(value), len(rows), own)
    return made


def interval(
    values: NDArray[np.float64], distances: NDArray[np.float64], cells: Cells
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both ends of the intervals around ``values``, no further than an attribute's values can lie."""
    return np.maximum(values - distances, cells.lowest), np.minimum(values + distances, cells.highest)


def _up(value: float) -> float:
    return value if math.isinf(value) else math.ceil(value * 10**_DIGITS - 1e-9) / 10**_DIGITS
