"""Cells whose value is known, what a method guesses for them, and how right that is; all as columns of equal length."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

# Added to a tolerance, so that a difference of just so much counts as close.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells with their true value: a number in ``truths``, or one of a closed list in ``choices``.

    ``topics`` are system and domain, such as ``OaSIS/skills``. ``holders`` name what the value belongs to: an OaSIS
    profile, or a unit group. ``told`` says whether the unit group is known to who guesses. ``lowest`` and ``highest``
    bound the values of the attribute, 0 below its scale included; ``widths`` are the lengths of the scales and
    ``tolerances`` the distances that count as close, in points.
    """

    entities: NDArray[np.str_]
    attributes: NDArray[np.str_]
    languages: NDArray[np.str_]
    topics: NDArray[np.str_]
    unit_groups: NDArray[np.str_]
    holders: NDArray[np.str_]
    told: NDArray[np.bool_]
    truths: NDArray[np.float64]
    choices: NDArray[np.str_]
    widths: NDArray[np.float64]
    tolerances: NDArray[np.float64]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.entities)

    @property
    def numeric(self) -> NDArray[np.bool_]:
        """Which of them hold numbers."""
        return np.isfinite(self.truths)

    @property
    def keys(self) -> list[tuple[str, str, str]]:
        """Entity, attribute and language of each."""
        return list(zip(self.entities.tolist(), self.attributes.tolist(), self.languages.tolist(), strict=True))

    def at(self, rows: NDArray[np.bool_]) -> Self:
        """Some of them."""
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True, slots=True)
class Guesses:
    """What a method says of each cell: NaN or an empty text where it says nothing; confidence NaN where it has none."""

    values: NDArray[np.float64]
    choices: NDArray[np.str_]
    confidence: NDArray[np.float64]

    def at(self, rows: NDArray[np.bool_]) -> Self:
        """Some of them."""
        return type(self)(self.values[rows], self.choices[rows], self.confidence[rows])


@dataclass(frozen=True, slots=True)
class Outcome:
    """How right guesses are.

    ``errors`` are absolute, in points (NaN for choices and where nothing is guessed), ``shares`` the same as shares of
    the scale. ``right`` is 1 within tolerance (or for the very choice), 0 outside, NaN where nothing is guessed.
    """

    errors: NDArray[np.float64]
    shares: NDArray[np.float64]
    right: NDArray[np.float64]

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Which cells have a guess."""
        return np.isfinite(self.right)

    def at(self, rows: NDArray[np.bool_]) -> Self:
        """Some of them."""
        return type(self)(self.errors[rows], self.shares[rows], self.right[rows])


def no_guesses(count: int) -> Guesses:
    """Guesses of a method that says nothing; to be filled in place."""
    return Guesses(np.full(count, np.nan), np.full(count, "", dtype=object).astype("U64"), np.full(count, np.nan))


def judge(cells: Cells, guesses: Guesses) -> Outcome:
    """Compare guesses with the truth."""
    errors = np.where(cells.numeric, np.abs(guesses.values - cells.truths), np.nan)
    close = np.where(np.isfinite(errors), errors <= cells.tolerances + _ROUNDING, np.nan)
    same = np.where(guesses.choices != "", guesses.choices == cells.choices, np.nan)
    return Outcome(errors, errors / cells.widths, np.where(cells.numeric, close, same))
