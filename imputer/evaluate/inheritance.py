"""Backtest of hierarchical inheritance: titles of known profiles, resolved without their own text.

What a title inherits, from the profile it was resolved to or from its whole unit group, is compared with what its
true profile holds, attribute by attribute. Only unit groups with several profiles can go wrong; in the others a
title that is coded rightly inherits from the only profile there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from imputer.descriptors.matrices import pivot
from imputer.descriptors.values import DEFAULT_TOLERANCE
from imputer.evaluate.figures import Figure, figure
from imputer.evaluate.intervals import Interval, calibration_error_interval, mean_interval, stratified_folds
from imputer.tiers.hierarchical import UNIT_GROUP_ONLY

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

TIER = "hierarchical"
MOST_CALIBRATION_ERROR = 0.05
# A method's own share of right values in a domain counts against this many values of the method's overall share.
_PRIOR = 50

_WITHIN = ("ratings within tolerance of the true profile's", "cotes à la tolérance près de celles du vrai profil")
_WITHIN_PARTING = (
    "the same, ratings on which the unit group's profiles part",
    "de même, cotes qui séparent les profils du groupe de base",
)
_BY_MEAN = ("… by the mean of the unit group", "… par la moyenne du groupe de base")
_BY_FIRST = ("… by the first profile in order of code", "… par le premier profil dans l’ordre des codes")
_SAME_TEXTS = (
    "texts and interests the same as the true profile's",
    "textes et intérêts identiques à ceux du vrai profil",
)
_RIGHT_PROFILE = ("profile right where one is given", "profil juste là où il y en a un")
_CALIBRATION_NOTE = (
    "probability by method and domain, fitted on other unit groups",
    "probabilité par méthode et domaine, ajustée sur d’autres groupes de base",
)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One title of known profile, and what it was resolved to without its own text."""

    unit_group: str
    true_profile: str
    profile: str
    method: str


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Per held-out title and domain: how many values were within tolerance of the true ones (``right``), of ``n``.

    ``texts`` marks domains of text, which count as right where they are the same. Rows follow the titles; a domain
    in which a method states nothing has n 0.
    """

    domains: tuple[str, ...]
    texts: frozenset[str]
    right: NDArray[np.float64]
    n: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class InheritanceBacktest:
    """The figures, and the probabilities to keep, one record per method of resolution and domain."""

    figures: tuple[Figure, ...]
    probabilities: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ProfileValues:
    """What profiles hold: numbers (profiles by attributes, NaN where none), texts by attribute, and unit groups."""

    profiles: tuple[str, ...]
    unit_groups: tuple[str, ...]
    attributes: tuple[str, ...]
    numbers: NDArray[np.float64]
    tolerances: NDArray[np.float64]
    number_domains: tuple[str, ...]
    texts: dict[str, dict[str, str]]
    text_domains: dict[str, str]


def profile_values(
    oasis_ratings: pa.Table, oasis_texts: pa.Table, oasis_profiles: pa.Table, attributes: pa.Table
) -> ProfileValues:
    """Gather the values of all profiles."""
    catalogue = {row["attribute_id"]: row for row in attributes.to_pylist()}
    unit_group_of = dict(
        zip(oasis_profiles["profile"].to_pylist(), oasis_profiles["unit_group"].to_pylist(), strict=True)
    )
    ratings = pivot(oasis_ratings, "profile", "attribute_id", "value").at_rows(sorted(unit_group_of))
    texts: dict[str, dict[str, str]] = {}
    ordered = oasis_texts.sort_by([("attribute_id", "ascending"), ("profile", "ascending"), ("position", "ascending")])
    for row in ordered.select(["profile", "attribute_id", "text"]).to_pylist():
        held = texts.setdefault(row["attribute_id"], {})
        held[row["profile"]] = f"{held[row['profile']]}\n{row['text']}" if row["profile"] in held else row["text"]
    return ProfileValues(
        profiles=ratings.rows,
        unit_groups=tuple(unit_group_of[profile] for profile in ratings.rows),
        attributes=ratings.columns,
        numbers=ratings.values,
        tolerances=np.array([catalogue[name]["tolerance"] or DEFAULT_TOLERANCE for name in ratings.columns]),
        number_domains=tuple(catalogue[name]["domain"] for name in ratings.columns),
        texts=texts,
        text_domains={name: catalogue[name]["domain"] for name in texts},
    )


def outcomes(held: Sequence[HeldOut], values: ProfileValues, *, differing: bool = False) -> Outcomes:
    """Compare what each title inherits with what its true profile holds.

    ``differing`` looks at the ratings only on which the profiles of the unit group part: the others cannot go wrong.
    """
    places = {profile: place for place, profile in enumerate(values.profiles)}
    means = _unit_group_means(values)
    truth = values.numbers[[places[title.true_profile] for title in held]]
    inherited = np.array(
        [
            means[title.unit_group] if _unit_group_only(title) else values.numbers[places[title.profile]]
            for title in held
        ]
    ).reshape(truth.shape)
    stated = np.isfinite(inherited) & np.isfinite(truth)
    if differing:
        parting = _parting(values)
        stated &= np.array([parting[title.unit_group] for title in held]).reshape(truth.shape)
    close = stated & (np.abs(inherited - truth) <= values.tolerances + 1e-9)
    domains = tuple(sorted({*values.number_domains, *values.text_domains.values()}))
    right, n = np.zeros((len(held), len(domains))), np.zeros((len(held), len(domains)))
    of_number = np.array(values.number_domains, dtype=str)
    for place, domain in enumerate(domains):
        columns = of_number == domain
        right[:, place] += close[:, columns].sum(axis=1)
        n[:, place] += stated[:, columns].sum(axis=1)
    for name, domain in values.text_domains.items():
        texts, place = values.texts[name], domains.index(domain)
        for row, title in enumerate(held):
            if _unit_group_only(title) or title.profile not in texts:
                continue
            n[row, place] += 1
            right[row, place] += texts[title.profile] == texts.get(title.true_profile)
    return Outcomes(domains, frozenset(values.text_domains.values()), right, n)


def _unit_group_only(title: HeldOut) -> bool:
    return title.method in UNIT_GROUP_ONLY or not title.profile


def _unit_group_means(values: ProfileValues) -> dict[str, NDArray[np.float64]]:
    codes = np.array(values.unit_groups, dtype=str)
    made: dict[str, NDArray[np.float64]] = {}
    for unit_group in np.unique(codes):
        rows = values.numbers[codes == unit_group]
        known = np.isfinite(rows)
        counts = known.sum(axis=0)
        sums = np.where(known, rows, 0).sum(axis=0)
        made[str(unit_group)] = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return made


def _parting(values: ProfileValues) -> dict[str, NDArray[np.bool_]]:
    codes = np.array(values.unit_groups, dtype=str)
    return {
        str(unit_group): np.ptp(np.nan_to_num(values.numbers[codes == unit_group]), axis=0) > 0
        for unit_group in np.unique(codes)
    }


def probabilities(held: Sequence[HeldOut], found: Outcomes) -> dict[tuple[str, str], tuple[float, int]]:
    """Probability that an inherited value is right, and the values behind it, by method and domain.

    A few values of a method in a domain are drawn towards the method's share over all domains of the same kind.
    """
    methods = np.array([title.method for title in held], dtype=str)
    made: dict[tuple[str, str], tuple[float, int]] = {}
    for method in sorted(set(methods.tolist())):
        rows = methods == method
        for kind in (False, True):
            columns = [place for place, domain in enumerate(found.domains) if (domain in found.texts) == kind]
            total = found.n[rows][:, columns].sum()
            if not total:
                continue
            overall = (found.right[rows][:, columns].sum() + 1) / (total + 2)
            for place in columns:
                n = found.n[rows, place].sum()
                if n:
                    share = (found.right[rows, place].sum() + _PRIOR * overall) / (n + _PRIOR)
                    made[method, found.domains[place]] = float(share), int(n)
    return made


def evaluate_inheritance(
    held: Sequence[HeldOut], settled: Sequence[HeldOut], values: ProfileValues, seed: int
) -> InheritanceBacktest:
    """Measure inheritance on ``held``, titles of unit groups with several profiles, all resolved.

    ``settled`` are titles of unit groups with one profile: their probabilities are kept, but nothing is claimed of
    them, since only a wrong code could make them wrong.
    """
    found = outcomes(held, values)
    kept = probabilities(held, found) | probabilities(settled, outcomes(settled, values))
    records = tuple(
        {"method": method, "domain": domain, "probability": round(probability, 4), "n": n}
        for (method, domain), (probability, n) in sorted(kept.items())
    )
    return InheritanceBacktest((*_figures(held, found, values, seed), _calibration(held, found, seed)), records)


def _figures(held: Sequence[HeldOut], found: Outcomes, values: ProfileValues, seed: int) -> list[Figure]:
    """Ratings within tolerance: as inherited, per method, and by the two ways that do not look at the title."""
    numbers = np.array([domain not in found.texts for domain in found.domains])
    clusters = [title.unit_group for title in held]

    def shares(of: Outcomes, columns: NDArray[np.bool_], of_clusters: Sequence[str] = clusters) -> Interval:
        right, n = of.right[:, columns].sum(axis=1), of.n[:, columns].sum(axis=1)
        return mean_interval(np.divide(right, n, out=np.full(len(n), np.nan), where=n > 0), seed, of_clusters)

    first = {
        unit_group: profile
        for profile, unit_group in zip(reversed(values.profiles), reversed(values.unit_groups), strict=True)
    }
    whole = [HeldOut(title.unit_group, title.true_profile, title.profile, UNIT_GROUP_ONLY[0]) for title in held]
    firsts = [HeldOut(title.unit_group, title.true_profile, first[title.unit_group], "FIRST") for title in held]
    right_profile = [float("nan") if _unit_group_only(title) else title.profile == title.true_profile for title in held]

    def within(titles: Sequence[HeldOut], name: tuple[str, str], *, differing: bool = False) -> Figure:
        return figure(TIER, name, shares(outcomes(titles, values, differing=differing), numbers), percent=True)

    made = [
        within(held, _WITHIN),
        within(whole, _BY_MEAN),
        within(firsts, _BY_FIRST),
        within(held, _WITHIN_PARTING, differing=True),
        within(whole, _BY_MEAN, differing=True),
        within(firsts, _BY_FIRST, differing=True),
        figure(TIER, _SAME_TEXTS, shares(found, ~numbers), percent=True),
        figure(TIER, _RIGHT_PROFILE, mean_interval(right_profile, seed, clusters), percent=True),
    ]
    methods = np.array([title.method for title in held], dtype=str)
    for method in sorted(set(methods.tolist())):
        rows = methods == method
        part = Outcomes(found.domains, found.texts, found.right[rows], found.n[rows])
        interval = shares(part, numbers, [title.unit_group for title in held if title.method == method])
        name = (
            f"ratings within tolerance, resolved by {method}",
            f"cotes à la tolérance près, résolution par {method}",
        )
        made.append(figure(TIER, name, interval, percent=True))
    return made


def _calibration(held: Sequence[HeldOut], found: Outcomes, seed: int) -> Figure:
    """Calibration error of probabilities fitted on the other folds, over all inherited values."""
    clusters = np.array([title.unit_group for title in held], dtype=str)
    folds = stratified_folds(clusters.tolist(), [cluster[:2] for cluster in clusters.tolist()], seed)
    stated = np.full(found.n.shape, np.nan)
    for fold in np.unique(folds):
        tested = folds == fold
        fitted = probabilities(
            [title for title, out in zip(held, tested, strict=True) if not out],
            Outcomes(found.domains, found.texts, found.right[~tested], found.n[~tested]),
        )
        for row in np.flatnonzero(tested):
            for place, domain in enumerate(found.domains):
                stated[row, place] = fitted.get((held[int(row)].method, domain), (np.nan, 0))[0]
    confidence, right, names = _spread(stated, found, clusters)
    interval = calibration_error_interval(confidence, right, seed, names)
    name = ("calibration error", "erreur d’étalonnage")
    return figure(TIER, name, interval, bar=MOST_CALIBRATION_ERROR, at_least=False, note=_CALIBRATION_NOTE)


def _spread(
    stated: NDArray[np.float64], found: Outcomes, clusters: NDArray[np.str_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    """One entry per value: its probability and whether it was right."""
    rows, columns = np.nonzero((found.n > 0) & np.isfinite(stated))
    n, right = found.n[rows, columns].astype(int), found.right[rows, columns].astype(int)
    confidence = np.repeat(stated[rows, columns], n)
    ends = np.cumsum(n)
    position = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - n, n)
    return confidence, (position < np.repeat(right, n)).astype(float), np.repeat(clusters[rows], n).tolist()
