"""Resolution within the unit group: example titles whose own text is removed, weights fitted on other unit groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from imputer.evaluate.figures import figure
from imputer.evaluate.inheritance import HeldOut
from imputer.evaluate.intervals import (
    calibration_error_interval,
    cross_fitted,
    fit_curve,
    mean_interval,
    reliability,
    stratified_folds,
)
from imputer.resolution.answer import LABEL_IMPUTATION, STATED, UG_IMPUTATION
from imputer.resolution.choice import fit_weights, widened
from imputer.resolution.fitted import WIDTH, Fitted
from imputer.resolution.normalise import normalise, plain
from imputer.resolution.profiles import FEATURES
from imputer.resolution.within import Spelled, choose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from imputer.evaluate.figures import Figure
    from imputer.resolution.corpus import Corpus
    from imputer.resolution.profiles import Profiles
    from imputer.resolution.within import Chosen

TIER: Final = "resolution"
RIDGE: Final = 0.003
RIGHT: Final = 0.88
CALIBRATION_ERROR: Final = 0.05
_WEIGHED: Final = (LABEL_IMPUTATION, UG_IMPUTATION)
_WITHIN = (
    "weights fitted on other unit groups, own text removed",
    "poids ajustés sur d’autres groupes de base, propre texte retiré",
)


@dataclass(frozen=True, slots=True)
class Known:
    """An example title of known profile."""

    unit_group: str
    profile: str
    title: str


@dataclass(frozen=True, slots=True)
class WithinBacktest:
    """``fitted`` has the weights and curves of profiles only."""

    figures: tuple[Figure, ...]
    details: dict[str, Any]
    fitted: Fitted
    held: tuple[HeldOut, ...]
    settled: tuple[HeldOut, ...]


def known_titles(profiles: Profiles, example_titles: pa.Table, *, several: bool) -> list[Known]:
    """Example titles that are not their own profile's name, of unit groups with several profiles or with one."""
    rows = example_titles.select(["unit_group", "profile", "title"]).to_pylist()
    return sorted(
        (
            Known(row["unit_group"], row["profile"], row["title"])
            for row in rows
            if (len(profiles.of[row["unit_group"]]) > 1) == several
            and plain(row["title"]) != plain(profiles.labels[row["profile"]])
        ),
        key=lambda one: (one.unit_group, one.profile, one.title),
    )


def evaluate_within(
    profiles: Profiles, corpora: Mapping[str, Corpus], example_titles: pa.Table, seed: int
) -> WithinBacktest:
    """Hold out every example title in turn."""
    known = known_titles(profiles, example_titles, several=True)
    groups = [one.unit_group for one in known]
    folds = stratified_folds(groups, [group[0] for group in groups], seed)
    features, there, right = _training(profiles, known)
    chosen: list[Chosen | None] = [None] * len(known)
    for fold in np.unique(folds):
        weights = fit_weights(features[folds != fold], there[folds != fold], right[folds != fold], RIDGE)
        rows = np.flatnonzero(folds == fold).tolist()
        answers = _answers(profiles, corpora, [known[row] for row in rows], weights)
        for row, answer in zip(rows, answers, strict=True):
            chosen[row] = answer
    weights = fit_weights(features, there, right, RIDGE)
    only = known_titles(profiles, example_titles, several=False)
    answered = [one for one in chosen if one is not None]
    settled = _answers(profiles, corpora, only, weights)
    return _measured(known, answered, folds, only, settled, weights, seed)


def _training(
    profiles: Profiles, known: Sequence[Known]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    most = max(len(profiles.of[one.unit_group]) for one in known)
    features = np.zeros((len(known), most, len(FEATURES) * WIDTH))
    there = np.zeros((len(known), most), dtype=bool)
    right = np.array([profiles.of[one.unit_group].index(one.profile) for one in known], dtype=np.int64)
    for unit_group, rows in _by_group(known).items():
        found = profiles.features(unit_group, [normalise(known[row].title) for row in rows])
        count = found.shape[1]
        features[rows, :count] = widened(found, np.abs(found).max(axis=1, keepdims=True))
        there[rows, :count] = True
    return features, there, right


def _answers(
    profiles: Profiles, corpora: Mapping[str, Corpus], known: Sequence[Known], weights: NDArray[np.float64]
) -> list[Chosen]:
    found: dict[int, Chosen] = {}
    for unit_group, rows in _by_group(known).items():
        titles = [Spelled({"en": known[row].title}, held_out=True) for row in rows]
        found |= zip(rows, choose(unit_group, titles, profiles, corpora, weights), strict=True)
    return [found[row] for row in range(len(known))]


def _by_group(known: Sequence[Known]) -> dict[str, list[int]]:
    rows_of: dict[str, list[int]] = {}
    for row, one in enumerate(known):
        rows_of.setdefault(one.unit_group, []).append(row)
    return rows_of


def _measured(
    known: Sequence[Known],
    chosen: Sequence[Chosen],
    folds: NDArray[np.int64],
    only: Sequence[Known],
    settled: Sequence[Chosen],
    weights: NDArray[np.float64],
    seed: int,
) -> WithinBacktest:
    right = np.array([one.profile == found.profile for one, found in zip(known, chosen, strict=True)], dtype=float)
    groups = [one.unit_group for one in known]
    figures = [
        figure(
            TIER,
            ("profile within the given unit group", "profil dans le groupe de base donné"),
            mean_interval(right, seed, groups),
            bar=RIGHT,
            percent=True,
            note=_WITHIN,
        )
    ]
    # Unit groups with one profile are right by themselves: they say how often a method may be wrong, no more.
    methods = np.array([found.method for found in (*chosen, *settled)])
    scores = np.array([found.score if found.measured else np.nan for found in (*chosen, *settled)])
    hits = np.concatenate([right, [one.profile == found.profile for one, found in zip(only, settled, strict=True)]])
    all_groups = [*groups, *(one.unit_group for one in only)]
    all_folds = np.concatenate([folds, stratified_folds(all_groups[len(groups) :], all_groups[len(groups) :], seed)])
    curves, details = {}, {}
    for method in STATED:
        rows = (methods == method) & np.isfinite(scores)
        if not rows.any():
            continue
        clusters = [group for group, row in zip(all_groups, rows, strict=True) if row]
        # Both tiers that weigh profiles state the same probability: together they have titles enough for a curve.
        fitted_on = np.isin(methods, _WEIGHED) & np.isfinite(scores) if method in _WEIGHED else rows
        together = cross_fitted(scores[fitted_on], hits[fitted_on], all_folds[fitted_on])
        calibrated = together[rows[fitted_on]]
        measurable = np.isfinite(calibrated)
        curves[method] = fit_curve(scores[fitted_on], hits[fitted_on])
        figures.append(
            figure(
                TIER,
                (f"… right, by {method}", f"… juste, par {method}"),
                mean_interval(hits[rows], seed, clusters),
                percent=True,
            )
        )
        if measurable.any():
            kept = [cluster for cluster, ok in zip(clusters, measurable, strict=True) if ok]
            error = calibration_error_interval(calibrated[measurable], hits[rows][measurable], seed, kept)
            name = (f"… calibration error of {method}", f"… erreur de calibration de {method}")
            figures.append(figure(TIER, name, error, bar=CALIBRATION_ERROR, at_least=False))
            details[method] = [
                (part.n, round(part.confidence, 4), round(part.right, 4))
                for part in reliability(calibrated[measurable], hits[rows][measurable])
            ]
    return WithinBacktest(
        tuple(figures),
        {"reliability": details},
        Fitted(weights, {}, curves),
        _held(known, chosen),
        _held(only, settled),
    )


def _held(known: Sequence[Known], chosen: Sequence[Chosen]) -> tuple[HeldOut, ...]:
    return tuple(
        HeldOut(one.unit_group, one.profile, found.profile or "", found.method)
        for one, found in zip(known, chosen, strict=True)
    )
