"""Unit groups inferred for coded job titles, whose own rows are unseen: neither as neighbours nor by the weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow.compute as pc

from imputer.evaluate.figures import figure
from imputer.evaluate.intervals import (
    calibration_error_interval,
    cross_fitted,
    fit_curve,
    mean_interval,
    reliability,
    stratified_folds,
)
from imputer.resolution.answer import CANDIDATES
from imputer.resolution.choice import fit_weights
from imputer.resolution.coded import CONTEXT, UNKNOWN, coded_titles, context_numbers
from imputer.resolution.evidence import Evidence, Questions
from imputer.resolution.fitted import Fitted
from imputer.resolution.normalise import normalise
from imputer.resolution.unit_groups import BATCH, MODES, Ranking, rank, shortlist, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from imputer.evaluate.figures import Figure
    from imputer.resolution.coded import Coded
    from imputer.resolution.corpus import Corpus

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

TIER: Final = "resolution"
FOLDS: Final = 5
RIDGE: Final = 0.005
FIRST, IN_FIVE, ANSWERED_RIGHT, ANSWERED = 0.60, 0.85, 0.85, 0.50
CALIBRATION_ERROR: Final = 0.05
#: Thresholds are set so that on the titles fitted on this share of answers is right: a little above the bar.
AIM: Final = 0.88
_NAMES = {
    "en": ("English title", "titre anglais"),
    "fr": ("French title", "titre français"),
    "both": ("both titles", "les deux titres"),
}
_MODES = {
    "context": ("function, family and level known", "fonction, famille et niveau connus"),
    "title": ("title alone", "titre seul"),
}


@dataclass(frozen=True, slots=True)
class BlindBacktest:
    """``fitted`` has the weights, curves and thresholds of unit groups only; None without coded titles."""

    figures: tuple[Figure, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    fitted: Fitted | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Coded titles as questions: rows of ``job_titles``, place of the true unit group, fold."""

    rows: list[dict[str, Any]]
    truth: Places
    folds: Places


def evaluate_blind(corpora: Mapping[str, Corpus], job_titles: pa.Table, seed: int) -> BlindBacktest:
    """Cross-validate over folds stratified by managerial level and function."""
    coded = job_titles.filter(pc.is_valid(job_titles["unit_group"]))
    if coded.num_rows < FOLDS * CANDIDATES:
        return BlindBacktest()
    asked = _asked(coded, corpora["en"].unit_groups, seed)
    rankings = _out_of_fold(corpora, coded, asked)
    figures: list[Figure] = []
    curves, thresholds, details = {}, {}, {}
    for setting, ranking in rankings.items():
        made, curve, threshold, told = _measure(setting, ranking, asked, seed)
        figures += made
        curves[setting], thresholds[setting], details[setting] = curve, threshold, told
    weights = _weights(corpora, coded_titles(coded, corpora["en"].unit_groups))
    return BlindBacktest(tuple(figures), details, Fitted(np.zeros(0), weights, {}, curves, thresholds))


def _asked(coded: pa.Table, unit_groups: Sequence[str], seed: int) -> Asked:
    rows = coded.to_pylist()
    strata = [f"{row['managerial_level_en']} {row['job_function_en']}" for row in rows]
    folds = stratified_folds([row["job_title_id"] for row in rows], strata, seed, FOLDS)
    truth = np.array([unit_groups.index(row["unit_group"]) for row in rows], dtype=np.int64)
    return Asked(rows, truth, folds)


def _out_of_fold(corpora: Mapping[str, Corpus], coded: pa.Table, asked: Asked) -> dict[str, Ranking]:
    """By «language mode» the ranking of every title, made without its fold."""
    parts: dict[str, list[tuple[list[int], Ranking]]] = {}
    for fold in range(FOLDS):
        rows = np.flatnonzero(asked.folds == fold).tolist()
        others = coded_titles(coded.filter(asked.folds != fold), corpora["en"].unit_groups)
        weights = _weights(corpora, others)
        by_mode: dict[str, dict[str, Ranking]] = {mode: {} for mode in MODES}
        for language, corpus in corpora.items():
            evidence = Evidence(corpus, others)
            for mode in MODES:
                by_mode[mode][language] = _ranked(evidence, rows, asked, mode, weights[language])
        for mode, found in by_mode.items():
            for language, ranking in (*found.items(), ("both", together(found["en"], found["fr"]))):
                parts.setdefault(f"{language} {mode}", []).append((rows, ranking))
    return {setting: _joined(found, len(asked.rows)) for setting, found in parts.items()}


def _ranked(evidence: Evidence, rows: Sequence[int], asked: Asked, mode: str, weights: Mapping[str, Floats]) -> Ranking:
    language = evidence.corpus.language
    keys = [normalise(asked.rows[row][f"title_{language}"] or "", language) for row in rows]
    context = np.array(
        [context_numbers(evidence.coded, [asked.rows[row][f"{name}_{language}"] for name in CONTEXT]) for row in rows]
    )
    if mode == "title":
        context[:] = UNKNOWN
    found = [
        rank(evidence, Questions(keys[at : at + BATCH], context[at : at + BATCH]), mode, weights)
        for at in range(0, len(keys), BATCH)
    ]
    return Ranking(np.concatenate([one.places for one in found]), np.concatenate([one.probabilities for one in found]))


def _joined(parts: Sequence[tuple[list[int], Ranking]], count: int) -> Ranking:
    width = parts[0][1].places.shape[1]
    places, found = np.zeros((count, width), dtype=np.int64), np.zeros((count, width))
    for rows, ranking in parts:
        places[rows], found[rows] = ranking.places, ranking.probabilities
    return Ranking(places, found)


def _weights(corpora: Mapping[str, Corpus], coded: Coded) -> dict[str, dict[str, Floats]]:
    """Weights by language and mode, each coded title weighed with its own row left out."""
    found: dict[str, dict[str, Floats]] = {}
    for language, corpus in corpora.items():
        evidence = Evidence(corpus, coded)
        for mode in MODES:
            context = coded.context if mode == "context" else np.full_like(coded.context, UNKNOWN)
            parts = []
            for at in range(0, len(coded), BATCH):
                rows = range(at, min(at + BATCH, len(coded)))
                keys = [coded.keys[language][row] for row in rows]
                parts.append(shortlist(evidence, Questions(keys, context[rows], [[row] for row in rows]), mode))
            places = np.concatenate([part[0] for part in parts])
            features = np.concatenate([part[1] for part in parts])
            hits = places == coded.groups[:, None]
            right = np.where(hits.any(axis=1), hits.argmax(axis=1), -1)
            weights = fit_weights(features, np.ones(places.shape, dtype=bool), right, RIDGE)
            found.setdefault(language, {})[mode] = weights
    return found


def _measure(
    setting: str, ranking: Ranking, asked: Asked, seed: int
) -> tuple[list[Figure], Any, float, dict[str, Any]]:
    language, mode = setting.split()
    hits = ranking.places == asked.truth[:, None]
    first, five = hits[:, 0].astype(float), hits[:, :CANDIDATES].any(axis=1).astype(float)
    top = ranking.probabilities[:, 0]
    answers = np.zeros(len(top), dtype=bool)
    for fold in range(FOLDS):
        tested = asked.folds == fold
        answers[tested] = top[tested] >= _threshold(top[~tested], first[~tested])
    # One curve for all five candidates: what counts is the probability, not the rank.
    spread, right = ranking.probabilities[:, :CANDIDATES], hits[:, :CANDIDATES].astype(float)
    folds = np.repeat(asked.folds, CANDIDATES)
    calibrated = cross_fitted(spread.ravel(), right.ravel(), folds).reshape(spread.shape)
    note = tuple(f"{a}; {b}" for a, b in zip(_NAMES[language], _MODES[mode], strict=True))
    # The bars are held by English titles with what the Job Architecture says of them.
    barred = setting == "en context"

    def made(english: str, french: str, interval: Any, bar: float, *, at_least: bool = True) -> Figure:  # noqa: ANN401
        return figure(
            TIER,
            (english, french),
            interval,
            bar=bar if barred or not at_least else None,
            at_least=at_least,
            percent=at_least,
            note=(note[0], note[1]),
        )

    figures = [
        made("blind: unit group first", "sans code : groupe de base en tête", mean_interval(first, seed), FIRST),
        made("… among the first five", "… parmi les cinq premiers", mean_interval(five, seed), IN_FIVE),
        made("… right where answered", "… juste là où répondu", mean_interval(first[answers], seed), ANSWERED_RIGHT),
        made("… answered", "… répondu", mean_interval(answers.astype(float), seed), ANSWERED),
        made(
            "… calibration error of the first",
            "… erreur de calibration du premier",
            calibration_error_interval(calibrated[:, 0], first, seed),
            CALIBRATION_ERROR,
            at_least=False,
        ),
        made(
            "… calibration error of all five",
            "… erreur de calibration des cinq",
            calibration_error_interval(calibrated.ravel(), right.ravel(), seed),
            CALIBRATION_ERROR,
            at_least=False,
        ),
    ]
    told = {
        "risk_coverage": _risk_coverage(top, first),
        "reliability": [
            (part.n, round(part.confidence, 4), round(part.right, 4)) for part in reliability(calibrated[:, 0], first)
        ],
    }
    return figures, fit_curve(spread.ravel(), right.ravel()), round(_threshold(top, first), 4), told


def _threshold(top: Floats, right: Floats) -> float:
    """The lowest probability from which on AIM of the answers are right; the highest of all where none is so."""
    order = np.argsort(-top, kind="stable")
    shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(shares >= AIM)
    return float(top[order[good[-1] if len(good) else 0]])


def _risk_coverage(top: Floats, right: Floats) -> list[tuple[float, float, float]]:
    """Share answered, threshold of probability, share right, at every twentieth."""
    order = np.argsort(-top, kind="stable")
    points = [max(1, round(len(order) * step / 20)) for step in range(1, 21)]
    return [
        (
            round(count / len(order), 3),
            round(float(top[order[count - 1]]), 4),
            round(float(right[order[:count]].mean()), 4),
        )
        for count in points
    ]
