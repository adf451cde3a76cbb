"""Per OaSIS descriptor: how its rating is estimated from O*NET, with what error, and whether that is good enough.

Three ways compete by error on unit groups left out: a straight line and a rising curve of the descriptor's own
element, and a regression on likeness to other unit groups. An estimate never rests on the unit group's own OaSIS
ratings, so where both exist they check each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from imputer.descriptors.estimator import Estimates, folded_fit, isotonic_fit, left_out, linear_fit
from imputer.descriptors.likeness import likeness, place_likeness, ratings_likeness
from imputer.descriptors.mapping import Link, links_by_attribute, read_descriptor_map
from imputer.descriptors.matrices import Matrix, onet_quantities, unit_group_ratings
from imputer.descriptors.scores import Scores, mean_of_others, rank_correlation, score, stretched
from schemas import arrow_schema, load_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Below this rank correlation of element and descriptor, O*NET is not what the estimate would rest on.
LEAST_RANK_CORRELATION = 0.5
#: Share of the global mean's error that an estimate may have at most.
MOST_SHARE_OF_GLOBAL_ERROR = 0.85
#: Unit groups that a measured error must rest on.
LEAST_UNIT_GROUPS = 100
#: OaSIS knowledge is presence, 0 for most occupations: a mean of it says nothing of any one of them.
_SPARSE_DOMAINS = ("knowledge",)
# Level is what OaSIS rates (proficiency, complexity); importance stands in where O*NET rates no level.
_SCALES = ("LV", "IM", "WI")
_FOLDS = 10


@dataclass(frozen=True, slots=True)
class DescriptorCalibration:
    """One descriptor's calibration.

    ``links`` are the elements that O*NET values exist for, the surest first; ``onet_attribute`` the value of the
    first; ``reason`` is USABLE or why not. ``estimates`` and ``deviation`` (of the error to expect, in points of the
    OaSIS scale) go by unit group, NaN where O*NET says nothing. ``tried`` holds the estimates of every way tried,
    ``errors`` their mean absolute errors, on unit groups left out.
    """

    attribute_id: str
    links: tuple[Link, ...]
    onet_attribute: str | None
    method: str | None
    reason: str
    scores: Scores
    element_correlation: float
    tried: dict[str, NDArray[np.float64]]
    errors: dict[str, float]
    estimates: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @property
    def usable(self) -> bool:
        """Whether statements may be made with it."""
        return self.reason == "USABLE"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Every mapped descriptor's calibration, in the order of the map, over ``unit_groups``.

    ``features`` are their O*NET quantities, ``truth`` their OaSIS ratings, the mean over their profiles.
    """

    unit_groups: tuple[str, ...]
    features: Matrix
    truth: Matrix
    descriptors: tuple[DescriptorCalibration, ...]


def calibrate(
    onet_values: pa.Table,
    oasis_ratings: pa.Table,
    oasis_profiles: pa.Table,
    attributes: pa.Table,
    links: tuple[Link, ...] | None = None,
) -> Calibration:
    """Calibrate every descriptor of the map on the unit groups that have both O*NET values and OaSIS ratings."""
    features = onet_quantities(onet_values)
    ratings = unit_group_ratings(oasis_ratings, oasis_profiles)
    mapped = links_by_attribute(read_descriptor_map() if links is None else links)
    names = tuple(name for name in mapped if name in ratings.columns)
    at_features = ratings.at_rows(features.rows)
    values = np.full((len(features.rows), len(names)), np.nan)
    for place, name in enumerate(names):
        values[:, place] = at_features.column(name)
    truth = Matrix(features.rows, names, values)
    ways = _ways(features, truth)
    maxima = dict(zip(attributes["attribute_id"].to_pylist(), attributes["maximum"].to_pylist(), strict=True))
    descriptors = tuple(_descriptor(name, mapped[name], features, truth, ways, maxima) for name in names)
    return Calibration(features.rows, features, truth, descriptors)


def calibration_table(calibration: Calibration) -> pa.Table:
    """The published table ``descriptor_calibration``."""
    schema = arrow_schema(load_table("wiq", "descriptor_calibration"))
    return pa.Table.from_pylist([_record(descriptor) for descriptor in calibration.descriptors], schema=schema)


def measured_links(links: tuple[Link, ...], columns: tuple[str, ...]) -> tuple[tuple[Link, str], ...]:
    """The links whose element has O*NET values, each with the attribute id of its level (or importance), in order."""
    available = set(columns)
    return tuple(
        (link, next(name for name in names if name in available))
        for link in links
        if (names := _attribute_ids(link, columns)) and any(name in available for name in names)
    )


def _attribute_ids(link: Link, columns: tuple[str, ...]) -> list[str]:
    """The element's possible attribute ids: level and importance first, then any other scale in order."""
    stem = f"onet.{link.element_id}."
    others = [name for name in columns if name.startswith(stem) and "." not in name[len(stem) :]]
    return [stem + scale for scale in _SCALES] + sorted(others)


def _ways(features: Matrix, truth: Matrix) -> dict[str, Estimates]:
    """Estimates of all descriptors by every way that does not depend on the descriptor's own element."""
    if not features.rows:
        empty = Estimates(truth.values, truth.values)
        return dict.fromkeys(("likeness", "onet_only", "place_only", "global_mean", "major_group_mean"), empty)
    everything = np.ones_like(truth.values)
    groups = [unit_group[:2] for unit_group in features.rows]
    return {
        "likeness": left_out(likeness(features), truth.values),
        "onet_only": left_out(ratings_likeness(features), truth.values),
        "place_only": left_out(place_likeness(features.rows), truth.values),
        "global_mean": Estimates(mean_of_others(truth.values, [""] * len(groups)), everything),
        "major_group_mean": Estimates(mean_of_others(truth.values, groups), everything),
    }


def _descriptor(
    name: str,
    links: tuple[Link, ...],
    features: Matrix,
    truth: Matrix,
    ways: dict[str, Estimates],
    maxima: dict[str, float | None],
) -> DescriptorCalibration:
    measured = measured_links(links, features.columns)
    place, y = truth.columns.index(name), truth.column(name)
    known = np.isfinite(y)
    nothing = np.full(len(features.rows), np.nan)
    if not measured or not known.any():
        reason = "NO_ELEMENT" if not links else "NO_RATINGS"
        empty = score(nothing, y)
        return DescriptorCalibration(name, (), None, None, reason, empty, float("nan"), {}, {}, nothing, nothing)
    onet_attribute = measured[0][1]
    x = features.column(onet_attribute)
    present = np.isfinite(x)
    folds = np.arange(len(x)) % _FOLDS
    low, high = float(y[known].min()), float(y[known].max())
    tried = {way: np.clip(estimates.values[:, place], low, high) for way, estimates in ways.items()}
    tried["linear"] = np.clip(folded_fit(linear_fit, x, y, folds), low, high)
    tried["isotonic"] = np.clip(folded_fit(isotonic_fit, x, y, folds), low, high)
    if maximum := maxima.get(onet_attribute):
        tried["naive"] = stretched(x, maximum, maxima.get(name) or high)
    compared = np.where(present, y, np.nan)
    errors = {way: score(values, compared).mae for way, values in tried.items()}
    method = min(("likeness", "linear", "isotonic"), key=lambda way: (errors[way], way))
    estimates = np.where(present, tried[method], np.nan)
    relative = ways["likeness"].variance[:, place] if method == "likeness" else np.ones(len(x))
    scores = score(estimates, y)
    squares = np.where(present & known, (estimates - y) ** 2 / relative, np.nan)
    deviation = np.sqrt(relative * np.nanmean(squares)) if scores.n else nothing
    both = present & known
    correlation = rank_correlation(x[both], y[both])
    return DescriptorCalibration(
        attribute_id=name,
        links=tuple(link for link, _ in measured),
        onet_attribute=onet_attribute,
        method=method.upper(),
        reason=_reason(name, scores, correlation, errors),
        scores=scores,
        element_correlation=correlation,
        tried=tried,
        errors=errors,
        estimates=estimates,
        deviation=np.where(present, deviation, np.nan),
    )


def _reason(name: str, scores: Scores, correlation: float, errors: dict[str, float]) -> str:
    if name.split(".")[1] in _SPARSE_DOMAINS:
        return "SPARSE_PRESENCE"
    if scores.n < LEAST_UNIT_GROUPS:
        return "TOO_FEW_UNIT_GROUPS"
    if not correlation >= LEAST_RANK_CORRELATION:
        return "WEAK_RELATION"
    if scores.mae > MOST_SHARE_OF_GLOBAL_ERROR * errors["global_mean"]:
        return "NO_BETTER_THAN_MEAN"
    if scores.mae >= errors["place_only"]:
        return "NO_BETTER_THAN_PLACE"
    return "USABLE"


def _record(descriptor: DescriptorCalibration) -> dict[str, object]:
    scores = descriptor.scores
    return {
        "attribute_id": descriptor.attribute_id,
        "element_ids": [link.element_id for link in descriptor.links],
        "relation": descriptor.links[0].relation if descriptor.links else "none",
        "onet_attribute_id": descriptor.onet_attribute,
        "method": descriptor.method,
        "usable": descriptor.usable,
        "reason": descriptor.reason,
        "n": scores.n,
        "mae": _rounded(scores.mae),
        "within_half": _rounded(scores.within_half),
        "within_one": _rounded(scores.within_one),
        "spearman": _rounded(scores.spearman),
        "error_90": _rounded(scores.error_90),
        "spearman_element": _rounded(descriptor.element_correlation),
        **{
            f"mae_{way}": _rounded(descriptor.errors.get(way, float("nan")))
            for way in ("linear", "isotonic", "onet_only", "place_only", "major_group_mean", "global_mean", "naive")
        },
    }


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)
