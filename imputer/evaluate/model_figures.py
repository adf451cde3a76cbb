"""The figures of the backtest with hidden cells: the model's, or without one those of the most similar titles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imputer.evaluate.baselines import CLASS_MEAN, GLOBAL_MEAN, NEIGHBOURS
from imputer.evaluate.figures import Figure, figure
from imputer.evaluate.intervals import calibration_error_interval, mean_interval
from imputer.evaluate.scores import MODEL, mean_rank_correlations
from imputer.evaluate.skill import skill

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from imputer.evaluate.cells import Cells
    from imputer.evaluate.confidence import CrossFitted
    from imputer.evaluate.scores import Method

TIER = "llm"
#: The bar of calibrated confidence, the same for every tier.
MOST_CALIBRATION_ERROR = 0.05

# Who guesses, in English and French: as an agent, and as the other side of a comparison.
BY = {
    MODEL: ("by the model", "par le modèle"),
    NEIGHBOURS: ("by the most similar job titles", "par les titres les plus semblables"),
    CLASS_MEAN: ("by the mean of the NOC class", "par la moyenne de la classe de la CNP"),
    GLOBAL_MEAN: ("by the mean of all", "par la moyenne générale"),
}
OF = {
    MODEL: ("of the model", "du modèle"),
    NEIGHBOURS: ("of the most similar job titles", "des titres les plus semblables"),
}
AGAINST = {
    NEIGHBOURS: ("against the most similar job titles", "par rapport aux titres les plus semblables"),
    CLASS_MEAN: ("against the mean of the NOC class", "par rapport à la moyenne de la classe de la CNP"),
    GLOBAL_MEAN: ("against the mean of all", "par rapport à la moyenne générale"),
}
_ERROR = ("mean absolute error as a share of the scale", "erreur absolue moyenne en part de l’échelle")
_NUMBERS = ("numbers within tolerance", "nombres à la tolérance près")
_CHOICES = ("choices of a closed list that are right", "choix justes dans une liste fermée")
_RANKS = ("rank correlation, mean over attributes", "corrélation de rang, moyenne des attributs")
_TOLD = ("unit group told", "groupe de base indiqué")
_UNTOLD = ("unit group not told", "groupe de base non indiqué")
_CLASS_NOTE = (
    "unit group, other profile; else the next larger class; always knows the unit group",
    "groupe de base, autre profil; sinon la classe supérieure; connaît toujours le groupe de base",
)
_SKILL_NOTE = ("1 - error / error of the other", "1 - erreur / erreur de l’autre")
_CROSS_FITTED = ("fitted on other unit groups", "ajusté sur d’autres groupes de base")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Hidden cells, the methods in the order in which they are told (the measured one first), and cross-fits."""

    cells: Cells
    methods: Mapping[str, Method]
    cross_fits: Mapping[str, CrossFitted]
    seed: int

    @property
    def clusters(self) -> list[str]:
        """The unit group of each cell: what bootstrap intervals draw together."""
        return [str(unit_group) for unit_group in self.cells.unit_groups]


def figures(found: Evidence) -> tuple[Figure, ...]:
    """Over all cells: coverage, error, share right, rank correlation, skill, calibration, intervals."""
    made: list[Figure] = []
    if MODEL in found.methods:
        answered = found.methods[MODEL].outcome.answered.astype(float)
        named = ("hidden cells that the model answered", "cellules masquées auxquelles le modèle a répondu")
        made.append(figure(TIER, named, mean_interval(answered, found.seed, found.clusters), percent=True))
    made += _errors(found) + _rights(found) + _correlations(found) + _skills(found)
    for name in found.cross_fits:
        made += _confidence(found, name)
    return tuple(made)


def _errors(found: Evidence) -> list[Figure]:
    """The error of each method, and that of the model where the unit group is told and where it is not."""
    made = [_of(found, _ERROR, BY[name], method.outcome.shares, name) for name, method in found.methods.items()]
    if MODEL in found.methods:
        shares, told = found.methods[MODEL].outcome.shares, found.cells.told
        for rows, situation in ((told, _TOLD), (~told, _UNTOLD)):
            words = (f"{BY[MODEL][0]}, {situation[0]}", f"{BY[MODEL][1]}, {situation[1]}")
            made.append(_of(found, _ERROR, words, np.where(rows, shares, np.nan)))
    return made


def _rights(found: Evidence) -> list[Figure]:
    """Share right of each method: of numbers, then of choices."""
    made = []
    for head, rows in ((_NUMBERS, found.cells.numeric), (_CHOICES, ~found.cells.numeric)):
        if rows.any():
            for name, method in found.methods.items():
                right = np.where(rows, method.outcome.right, np.nan)
                made.append(_of(found, head, BY[name], right, name, percent=True))
    return made


def _of(
    found: Evidence,
    head: tuple[str, str],
    words: tuple[str, str],
    values: NDArray[np.float64],
    name: str | None = None,
    *,
    percent: bool = False,
) -> Figure:
    named = (f"{head[0]}, {words[0]}", f"{head[1]}, {words[1]}")
    interval = mean_interval(values, found.seed, found.clusters)
    note = _CLASS_NOTE if name == CLASS_MEAN else ("", "")
    return figure(TIER, named, interval, at_least=percent, percent=percent, note=note)


def _correlations(found: Evidence) -> list[Figure]:
    made = []
    for name, method in found.methods.items():
        # The mean of all others hardly varies: its ranks say nothing.
        if name != GLOBAL_MEAN:
            named = (f"{_RANKS[0]}, {BY[name][0]}", f"{_RANKS[1]}, {BY[name][1]}")
            made.append(figure(TIER, named, mean_interval(mean_rank_correlations(found.cells, method), found.seed)))
    return made


def _skills(found: Evidence) -> list[Figure]:
    """Skill of the first method against each of the others."""
    first, *others = found.methods
    errors = found.methods[first].outcome.shares
    made = []
    for other in others:
        named = (f"skill {OF[first][0]} {AGAINST[other][0]}", f"gain d’exactitude {OF[first][1]} {AGAINST[other][1]}")
        beside = found.methods[other].outcome.shares
        made.append(figure(TIER, named, skill(errors, beside, found.seed, found.clusters), note=_SKILL_NOTE))
    return made


def _confidence(found: Evidence, name: str) -> list[Figure]:
    method, crossed = found.methods[name], found.cross_fits[name]
    words = OF[name]
    made = []
    for head, confidence, bar, note in (
        (
            ("calibration error of the stated confidence", "erreur d’étalonnage de la confiance énoncée"),
            method.guesses.confidence,
            None,
            ("", ""),
        ),
        (
            ("calibration error of the calibrated confidence", "erreur d’étalonnage de la confiance étalonnée"),
            crossed.confidence,
            MOST_CALIBRATION_ERROR,
            _CROSS_FITTED,
        ),
    ):
        known = np.isfinite(confidence) & method.outcome.answered
        if known.any():
            clusters = found.cells.unit_groups[known].tolist()
            error = calibration_error_interval(confidence[known], method.outcome.right[known], found.seed, clusters)
            named = (f"{head[0]} {words[0]}", f"{head[1]} {words[1]}")
            made.append(figure(TIER, named, error, bar=bar, at_least=False, note=note))
    if np.isfinite(crossed.inside).any():
        named = (
            f"90 % intervals {words[0]} that hold the truth",
            f"intervalles à 90 % {words[1]} qui contiennent la vérité",
        )
        inside = mean_interval(crossed.inside, found.seed, found.clusters)
        made.append(figure(TIER, named, inside, percent=True, note=_CROSS_FITTED))
    return made
