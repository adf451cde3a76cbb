"""Confidence of measured guesses: what it is worth, and the calibration that runs then state it by.

The calibration that is kept rests on all values; whatever is said of it is measured on folds of unit groups that it was
not fitted on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from imputer.evaluate.conformal import interval, radii
from imputer.evaluate.intervals import fit_curve, reliability, stratified_folds
from imputer.tiers.measured import ALL, Measured, MeasuredAttribute

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imputer.evaluate.cells import Cells, Guesses, Outcome

#: Values of a topic that a curve of its own must rest on.
LEAST_PER_CURVE = 500


@dataclass(frozen=True, slots=True)
class CrossFitted:
    """Per cell, by calibrations fitted on other unit groups: confidence, and whether the interval holds the truth.

    NaN where nothing could be said.
    """

    confidence: NDArray[np.float64]
    inside: NDArray[np.float64]


def fit(cells: Cells, guesses: Guesses, outcome: Outcome) -> Measured:
    """The calibration of a method: a curve over all, curves of topics with values enough, a radius per attribute.

    Raises ValueError where no guess has a confidence.
    """
    known = outcome.answered & np.isfinite(guesses.confidence)
    curves = {ALL: fit_curve(guesses.confidence[known], outcome.right[known])}
    for topic in np.unique(cells.topics[known]):
        rows = known & (cells.topics == topic)
        if rows.sum() >= LEAST_PER_CURVE:
            curves[str(topic)] = fit_curve(guesses.confidence[rows], outcome.right[rows])
    distances = radii(cells, np.where(known, outcome.errors, np.nan))
    attributes = {}
    for attribute in np.unique(cells.attributes[known]):
        rows = known & (cells.attributes == attribute)
        topic = str(cells.topics[rows][0])
        radius = distances.get(str(attribute))
        attributes[str(attribute)] = MeasuredAttribute(
            curve=topic if topic in curves else ALL,
            n=int(rows.sum()),
            radius=radius.value if radius and np.isfinite(radius.value) else None,
            own=radius.own if radius else None,
        )
    return Measured(curves, attributes)


def cross_fit(cells: Cells, guesses: Guesses, outcome: Outcome, seed: int) -> CrossFitted:
    """What calibrations fitted on the other folds say; unit groups are never split, broad categories spread."""
    made = CrossFitted(np.full(len(cells), np.nan), np.full(len(cells), np.nan))
    known = outcome.answered & np.isfinite(guesses.confidence)
    groups = cells.unit_groups.tolist()
    folds = stratified_folds(groups, [group[0] for group in groups], seed)
    for fold in np.unique(folds[known]):
        tested = known & (folds == fold)
        rest = known & (folds != fold)
        if not rest.any():
            continue
        fitted = fit(cells.at(rest), guesses.at(rest), outcome.at(rest))
        distances = np.full(len(cells), np.nan)
        for attribute in np.unique(cells.attributes[tested]):
            about = fitted.attributes.get(str(attribute))
            if about is None:
                continue
            rows = tested & (cells.attributes == attribute)
            made.confidence[rows] = fitted.curves[about.curve].apply(guesses.confidence[rows])
            # Without a radius nothing is promised.
            distances[rows] = np.nan if about.radius is None else about.radius
        held = tested & cells.numeric & np.isfinite(guesses.values) & ~np.isnan(distances)
        low, high = interval(guesses.values[held], distances[held], cells.at(held))
        made.inside[held] = (cells.truths[held] >= low - 1e-9) & (cells.truths[held] <= high + 1e-9)
    return made


def reliability_records(confidence: NDArray[np.float64], right: NDArray[np.float64]) -> list[dict[str, Any]]:
    """The reliability curve: per tenth of confidence, how many values, their mean confidence, and the share right."""
    known = np.isfinite(confidence) & np.isfinite(right)
    return [
        {
            "low": part.low,
            "high": part.high,
            "n": part.n,
            "confidence": round(part.confidence, 4),
            "right": round(part.right, 4),
        }
        for part in reliability(confidence[known], right[known])
    ]
