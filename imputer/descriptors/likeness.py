"""How alike unit groups are: by their O*NET ratings, and by their place in the NOC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imputer.descriptors.matrices import Matrix

#: Weight of the O*NET ratings, of each shared digit of the code, and of a shared TEER (the second digit). Chosen by
#: leave-one-out error on OaSIS descriptors other than the name-matched skills; halving or doubling any of them
#: changes that error by less than 2 %.
RATINGS_WEIGHT = 1.0
DIGIT_WEIGHT = 0.3
TEER_WEIGHT = 0.8

#: Depths of the NOC below which two unit groups may stand together: broad category to minor group.
_DEPTHS = (1, 2, 3, 4)

#: An O*NET rating known for fewer of the unit groups than this share says more of who is missing than of the work.
_KNOWN_SHARE = 0.5


def ratings_likeness(features: Matrix) -> NDArray[np.float64]:
    """Likeness by O*NET ratings, rows by rows, 1 for the same ratings: a Gaussian of the mean squared difference.

    Each rating is first brought to mean 0 and deviation 1 over the unit groups; a missing one counts as the mean.
    """
    count = len(features.rows)
    known = np.isfinite(features.values)
    values = np.where(known, features.values, 0)[:, known.mean(axis=0) >= _KNOWN_SHARE] if count else features.values
    known = known[:, known.mean(axis=0) >= _KNOWN_SHARE] if count else known
    n = np.maximum(known.sum(axis=0), 1)
    mean = values.sum(axis=0) / n
    centred = np.where(known, values - mean, 0)
    deviation = np.sqrt((centred**2).sum(axis=0) / n)
    varying = deviation > 0
    if not varying.any():
        return np.ones((count, count))
    standard = centred[:, varying] / deviation[varying]
    squares = (standard**2).sum(axis=1)
    distance = np.maximum(squares[:, None] + squares[None, :] - 2 * standard @ standard.T, 0) / standard.shape[1]
    return np.asarray(np.exp(-distance / 2))


def place_likeness(unit_groups: tuple[str, ...]) -> NDArray[np.float64]:
    """Likeness by place in the NOC, rows by rows: a weight for each leading digit shared, and one for the TEER."""
    codes = np.array(unit_groups, dtype=str)
    total = TEER_WEIGHT * _same(np.array([code[1:2] for code in unit_groups], dtype=str))
    for depth in _DEPTHS:
        total += DIGIT_WEIGHT * _same(codes.astype(f"U{depth}"))
    return total


def likeness(features: Matrix) -> NDArray[np.float64]:
    """Both together: what the estimates are made with."""
    return RATINGS_WEIGHT * ratings_likeness(features) + place_likeness(features.rows)


def _same(labels: NDArray[np.str_]) -> NDArray[np.float64]:
    return np.asarray(labels[:, None] == labels[None, :], dtype=float)
