"""Backtest of O*NET → OaSIS: estimates of unit groups left out, against their published ratings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rapidfuzz import fuzz

from imputer.descriptors.calibration import calibrate, calibration_table
from imputer.descriptors.estimator import folded
from imputer.descriptors.likeness import likeness
from imputer.descriptors.mapping import read_descriptor_map
from imputer.descriptors.matrices import pivot
from imputer.descriptors.values import DEFAULT_TOLERANCE, certainty
from imputer.evaluate.figures import Figure, figure
from imputer.evaluate.intervals import (
    calibration_error_interval,
    cross_fitted,
    fit_curve,
    mean_interval,
    reliability,
    stratified_folds,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa
    from numpy.typing import NDArray

    from imputer.descriptors.calibration import Calibration
    from imputer.descriptors.mapping import Link

TIER = "onet"
#: Bars: mean absolute error on the name-matched skills, and expected calibration error.
MOST_ERROR = 0.47
MOST_CALIBRATION_ERROR = 0.05
_SAME_NAME = 80  # rapidfuzz ratio of the two names, group prefix left out
_COMPARED = {
    "onet_only": ("… by O*NET ratings alone", "… par les seules cotes O*NET"),
    "place_only": ("… by place in the NOC alone, without O*NET", "… par la seule place dans la CNP, sans O*NET"),
    "isotonic": ("… by a rising curve of the element", "… par une courbe croissante de l’élément"),
    "linear": ("… by a straight line of the element", "… par une droite de l’élément"),
    "major_group_mean": ("… by the mean of the major group", "… par la moyenne du grand groupe"),
    "naive": ("… by stretching O*NET levels, never stated", "… par étirement des niveaux O*NET, jamais énoncé"),
    "global_mean": ("… by the mean of all unit groups", "… par la moyenne de tous les groupes de base"),
}
_CALIBRATION_NOTE = (
    "against profiles' ratings, curve fitted on other folds; resampling adds noise, so the interval leans high",
    "contre les cotes des profils, courbe ajustée sur les autres plis; le rééchantillonnage gonfle l’intervalle",
)


@dataclass(frozen=True, slots=True)
class OnetBacktest:
    """What was measured: the figures, one row per descriptor, reliability bins, and the calibration to keep."""

    figures: tuple[Figure, ...]
    descriptors: pa.Table
    reliability: tuple[dict[str, Any], ...]
    calibration: dict[str, Any]


def name_matched_skills(links: Iterable[Link]) -> tuple[str, ...]:
    """The OaSIS skills whose O*NET element is a skill of the same name, spelling apart."""
    return tuple(
        link.attribute_id
        for link in links
        if link.attribute_id.startswith("oasis.skills.")
        and (link.element_id or "").startswith(("2.A.", "2.B."))
        and fuzz.ratio(link.oasis_name.rpartition(": ")[2].lower(), (link.element_name or "").lower()) >= _SAME_NAME
    )


def evaluate_descriptors(
    onet_values: pa.Table, oasis_ratings: pa.Table, oasis_profiles: pa.Table, attributes: pa.Table, seed: int
) -> OnetBacktest:
    """Measure the estimates of imputer.descriptors as runs make them, and once more on seeded stratified folds."""
    calibration = calibrate(onet_values, oasis_ratings, oasis_profiles, attributes)
    probabilities, right, clusters, curve = _calibrated(calibration, oasis_ratings, oasis_profiles, attributes, seed)
    figures = [
        *_skill_figures(calibration, seed),
        *_coverage_figures(calibration, oasis_profiles, seed),
    ]
    kept: dict[str, Any] = {"curve": curve}
    bins: tuple[dict[str, Any], ...] = ()
    if len(right):
        error = calibration_error_interval(probabilities, right, seed, clusters)
        figures += [
            figure(
                TIER,
                ("values within tolerance of a profile's rating", "valeurs à la tolérance près de la cote d’un profil"),
                mean_interval(right, seed, clusters),
                percent=True,
            ),
            figure(
                TIER,
                ("calibration error", "erreur d’étalonnage"),
                error,
                bar=MOST_CALIBRATION_ERROR,
                at_least=False,
                note=_CALIBRATION_NOTE,
            ),
        ]
        kept["calibration_error"] = round(error.value, 4)
        bins = tuple(
            {"low": part.low, "high": part.high, "n": part.n, "confidence": part.confidence, "right": part.right}
            for part in reliability(probabilities, right)
        )
    return OnetBacktest(tuple(figures), calibration_table(calibration), bins, kept)


def _skill_figures(calibration: Calibration, seed: int) -> list[Figure]:
    """Mean absolute error on the name-matched skills, by the production estimator and by every way beside it."""
    named = set(name_matched_skills(read_descriptor_map()))
    skills = [d for d in calibration.descriptors if d.attribute_id in named and d.scores.n]
    if not skills:
        return []
    unit_groups = calibration.unit_groups
    columns = [calibration.truth.columns.index(skill.attribute_id) for skill in skills]
    truth = calibration.truth.values[:, columns]
    known = np.column_stack([np.isfinite(skill.estimates) for skill in skills])

    def measured(
        estimates: NDArray[np.float64],
        name: tuple[str, str],
        note: tuple[str, str] = ("", ""),
        bar: float | None = None,
    ) -> Figure:
        errors = np.where(known, np.abs(estimates - truth), np.nan)
        clusters = np.repeat(np.array(unit_groups, dtype=str), errors.shape[1]).tolist()
        interval = mean_interval(errors.ravel(), seed, clusters)
        return figure(TIER, name, interval, bar=bar, at_least=False, note=note)

    folds = stratified_folds(unit_groups, [code[:2] for code in unit_groups], seed)
    refolded = folded(likeness(calibration.features), truth, folds).values
    bounded = np.clip(refolded, np.nanmin(truth, axis=0), np.nanmax(truth, axis=0))
    stated = np.column_stack([skill.estimates for skill in skills])
    title = (
        f"mean absolute error on {len(skills)} name-matched skills",
        f"erreur absolue moyenne sur {len(skills)} compétences de même nom",
    )
    how = ("ten folds stratified by major group", "dix plis stratifiés par grand groupe")
    one_out = ("… each unit group left out, as stated in runs", "… chaque groupe de base laissé de côté, comme énoncé")
    figures = [measured(bounded, title, how, MOST_ERROR), measured(stated, one_out, bar=MOST_ERROR)]
    for way, name in _COMPARED.items():
        if all(way in skill.tried for skill in skills):
            figures.append(measured(np.column_stack([skill.tried[way] for skill in skills]), name))
    return figures


def _coverage_figures(calibration: Calibration, oasis_profiles: pa.Table, seed: int) -> list[Figure]:
    """What is covered: unit groups with estimates, descriptors fit for use, and agreement over all of those."""
    usable = [descriptor for descriptor in calibration.descriptors if descriptor.usable]
    with_estimates = {
        unit_group
        for descriptor in usable
        for unit_group, value in zip(calibration.unit_groups, descriptor.estimates, strict=True)
        if np.isfinite(value)
    }
    all_groups = sorted(set(oasis_profiles["unit_group"].to_pylist()))
    covered = [unit_group in with_estimates for unit_group in all_groups]
    fit = [descriptor.usable for descriptor in calibration.descriptors]
    figures = [
        figure(
            TIER,
            ("unit groups with estimates", "groupes de base ayant des estimations"),
            mean_interval(covered, seed),
            percent=True,
        ),
        figure(
            TIER,
            ("OaSIS descriptors fit for use", "descripteurs du SIPeC utilisables"),
            mean_interval(fit, seed),
            percent=True,
        ),
    ]
    if usable:
        errors = np.column_stack([np.abs(d.estimates - calibration.truth.column(d.attribute_id)) for d in usable])
        clusters = np.repeat(np.array(calibration.unit_groups, dtype=str), errors.shape[1]).tolist()
        within = np.where(np.isfinite(errors), errors <= 1, np.nan)
        correlations = [descriptor.scores.spearman for descriptor in usable]
        figures += [
            figure(
                TIER,
                (
                    "mean absolute error on the descriptors fit for use",
                    "erreur absolue moyenne des descripteurs utilisables",
                ),
                mean_interval(errors.ravel(), seed, clusters),
                at_least=False,
            ),
            figure(
                TIER,
                (
                    "values within one point on the descriptors fit for use",
                    "valeurs à un point près, descripteurs utilisables",
                ),
                mean_interval(within.ravel(), seed, clusters),
                percent=True,
            ),
            figure(
                TIER,
                (
                    "rank correlation, mean over the descriptors fit for use",
                    "corrélation de rang, moyenne des descripteurs utilisables",
                ),
                mean_interval(correlations, seed),
            ),
        ]
    return figures


def _calibrated(
    calibration: Calibration, oasis_ratings: pa.Table, oasis_profiles: pa.Table, attributes: pa.Table, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[str], dict[str, Any] | None]:
    """Cross-fitted probabilities that a value is within tolerance of a profile's rating, and the curve to keep.

    A job title's true value is its profile's rating, not the unit group's mean, so each profile counts.
    """
    tolerances = dict(zip(attributes["attribute_id"].to_pylist(), attributes["tolerance"].to_pylist(), strict=True))
    unit_group_of = dict(
        zip(oasis_profiles["profile"].to_pylist(), oasis_profiles["unit_group"].to_pylist(), strict=True)
    )
    ratings = pivot(oasis_ratings, "profile", "attribute_id", "value")
    places = {unit_group: place for place, unit_group in enumerate(calibration.unit_groups)}
    profiles = [place for place, name in enumerate(ratings.rows) if unit_group_of.get(name) in places]
    groups = np.array([unit_group_of[ratings.rows[place]] for place in profiles], dtype=str)
    rows = np.array([places[str(group)] for group in groups], dtype=np.int64)
    scores: list[NDArray[np.float64]] = []
    hits: list[NDArray[np.bool_]] = []
    clusters: list[str] = []
    for descriptor in calibration.descriptors:
        if not descriptor.usable:
            continue
        tolerance = tolerances.get(descriptor.attribute_id) or DEFAULT_TOLERANCE
        published = ratings.column(descriptor.attribute_id)[profiles]
        estimates = descriptor.estimates[rows]
        known = np.isfinite(published) & np.isfinite(estimates)
        scores.append(certainty(descriptor.deviation[rows], tolerance)[known])
        hits.append(np.abs(estimates - published)[known] <= tolerance)
        clusters += groups[known].tolist()
    if not clusters:
        return np.array([]), np.array([], dtype=bool), [], None
    given, right = np.concatenate(scores), np.concatenate(hits)
    folds = stratified_folds(clusters, [cluster[:2] for cluster in clusters], seed)
    return cross_fitted(given, right, folds), right, clusters, fit_curve(given, right).as_record()
