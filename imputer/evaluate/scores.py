"""What is told of a method's guesses for some cells, as records: coverage, error, rank correlation, share right, skill.

NaN becomes null. Shares are from 0 to 1; ``error`` is the mean absolute error as a share of the scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import rankdata

from imputer.evaluate.intervals import mean_interval
from imputer.evaluate.skill import skill

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from imputer.evaluate.cells import Cells, Guesses, Outcome

MODEL = "model"
_DIGITS = 4
# Of attributes there are hundreds; their intervals may be a little coarser.
_RESAMPLES = 300
_LEAST_RANKED = 3  # values that a rank correlation needs


@dataclass(frozen=True, slots=True)
class Method:
    """A method's guesses for all hidden cells and how right they are."""

    guesses: Guesses
    outcome: Outcome


def rank_correlation(values: NDArray[np.float64], truths: NDArray[np.float64]) -> float:
    """Spearman's, ties with their mean rank; NaN for fewer than three values or where one side is all the same."""
    known = np.isfinite(values) & np.isfinite(truths)
    given, true = values[known], truths[known]
    if known.sum() < _LEAST_RANKED or np.ptp(given) == 0 or np.ptp(true) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(given), rankdata(true))[0, 1])


def mean_rank_correlations(cells: Cells, method: Method) -> NDArray[np.float64]:
    """The rank correlation of each numeric attribute, in the order of their ids."""
    found = []
    for attribute in np.unique(cells.attributes[cells.numeric]):
        rows = cells.attributes == attribute
        found.append(rank_correlation(method.guesses.values[rows], cells.truths[rows]))
    return np.array(found)


def attribute_records(cells: Cells, methods: Mapping[str, Method], seed: int) -> list[dict[str, Any]]:
    """One record per attribute, in the order of their ids: per method, and skill of each against the others."""
    made = []
    for attribute in np.unique(cells.attributes):
        rows = cells.attributes == attribute
        part = cells.at(rows)
        clusters = part.unit_groups.tolist()
        record: dict[str, Any] = {
            "attribute_id": str(attribute),
            "topic": str(part.topics[0]),
            "asked": len(part),
            "methods": {},
        }
        for name, method in methods.items():
            outcome, values = method.outcome.at(rows), method.guesses.values[rows]
            right = mean_interval(outcome.right, seed, clusters, _RESAMPLES)
            record["methods"][name] = {
                "answered": int(outcome.answered.sum()),
                "coverage": known(outcome.answered.mean()),
                "mae": mean(outcome.errors),
                "median_error": known(_median(outcome.errors)),
                "error": mean(outcome.shares),
                "spearman": known(rank_correlation(values, part.truths)),
                "right": known(right.value),
                "right_low": known(right.low),
                "right_high": known(right.high),
            }
        record["skill"] = {
            name: {
                other: known(_plain_skill(method.outcome.errors[rows], beside.outcome.errors[rows]))
                for other, beside in methods.items()
                if other != name
            }
            for name, method in methods.items()
        }
        made.append(record)
    return made


def pooled_record(cells: Cells, methods: Mapping[str, Method], rows: NDArray[np.bool_], seed: int) -> dict[str, Any]:
    """Per method over some cells, with intervals; ``skill`` of the first method against each of the others."""
    part = cells.at(rows)
    clusters = part.unit_groups.tolist()
    record: dict[str, Any] = {"asked": len(part), "titles": len(np.unique(part.entities)), "methods": {}}
    for name, method in methods.items():
        outcome = method.outcome.at(rows)
        error, right = (mean_interval(values, seed, clusters) for values in (outcome.shares, outcome.right))
        record["methods"][name] = {
            "answered": int(outcome.answered.sum()),
            "coverage": known(outcome.answered.mean()) if len(part) else None,
            "error": known(error.value),
            "error_low": known(error.low),
            "error_high": known(error.high),
            "right": known(right.value),
            "right_low": known(right.low),
            "right_high": known(right.high),
        }
    first, *others = methods
    record["skill"] = {}
    for other in others:
        found = skill(methods[first].outcome.shares[rows], methods[other].outcome.shares[rows], seed, clusters)
        record["skill"][other] = {name: known(getattr(found, name)) for name in ("value", "low", "high")}
    return record


def mean(values: NDArray[np.float64]) -> float | None:
    """The mean of those that are known."""
    there = np.isfinite(values)
    return known(values[there].mean()) if there.any() else None


def known(value: float) -> float | None:
    """Rounded; null for NaN."""
    return round(float(value), _DIGITS) if np.isfinite(value) else None


def _median(values: NDArray[np.float64]) -> float:
    there = np.isfinite(values)
    return float(np.median(values[there])) if there.any() else float("nan")


def _plain_skill(errors: NDArray[np.float64], baseline: NDArray[np.float64]) -> float:
    both = np.isfinite(errors) & np.isfinite(baseline)
    theirs = baseline[both].sum()
    return float(1 - errors[both].sum() / theirs) if theirs > 0 else float("nan")
