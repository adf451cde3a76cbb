"""The unit group of a title that has none: all are weighed, the likeliest ranked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from imputer.resolution.choice import probabilities, utilities, widened
from imputer.resolution.coded import UNKNOWN
from imputer.resolution.evidence import FEATURES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from imputer.resolution.evidence import Evidence, Questions

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

#: Unit groups that are weighed with all features; the right one is among them 98 times of 100.
SHORTLIST: Final = 40
#: Titles weighed at once: some 30 MB of features and likenesses.
BATCH: Final = 128
# What the shortlist is made by: chosen by eye, good enough to keep the right one in.
_FIRST_LOOK: Final = {
    "title": {
        "pieces_best": 1.0,
        "pieces_whole": 1.0,
        "words_best": 1.0,
        "about": 0.5,
        "exact": 1.0,
        "coded_pieces": 1.0,
        "coded_words": 1.0,
        "coded_alike": 1.0,
        "coded_often": 0.1,
    },
}
_FIRST_LOOK["context"] = _FIRST_LOOK["title"] | {
    "function_alike": 0.5,
    "function_level": 2.0,
    "family": 1.0,
    "family_level": 1.0,
    "function_first_word": 1.0,
}
MODES: Final = tuple(_FIRST_LOOK)
_LOOKS: Final = {
    mode: np.array([weights.get(name, 0.0) for name in FEATURES], dtype=np.float32)
    for mode, weights in _FIRST_LOOK.items()
}


@dataclass(frozen=True, slots=True)
class Ranking:
    """The shortlist of each title, best first: places in ``unit_groups`` and probabilities, rows adding up to 1."""

    places: Places
    probabilities: Floats


def shortlist(evidence: Evidence, questions: Questions, mode: str) -> tuple[Places, Floats]:
    """The unit groups that come into question, and their widened features."""
    features = evidence.features(questions)
    keep = min(SHORTLIST, features.shape[1])
    places = np.argsort(-(features @ _LOOKS[mode]), axis=1, kind="stable")[:, :keep]
    chosen = np.take_along_axis(features, places[..., None], axis=1).astype(float)
    return places, widened(chosen, features.max(axis=1, keepdims=True))


def rank(evidence: Evidence, questions: Questions, mode: str, weights: Mapping[str, Floats]) -> Ranking:
    """Rank the unit groups for titles of one language; ``mode`` says whether their context is known."""
    places, features = shortlist(evidence, questions, mode)
    found = probabilities(utilities(features, np.ones(places.shape, dtype=bool), weights[mode]))
    return _best_first(places, found)


def together(one: Ranking, other: Ranking) -> Ranking:
    """The ranking of titles given in two languages: the geometric mean of both, an unlisted unit group at the least."""
    count = len(one.places)
    width = int(max(one.places.max(initial=0), other.places.max(initial=0))) + 1
    total = np.zeros((count, width))
    rows = np.arange(count)[:, None]
    for ranking in (one, other):
        logs = np.full((count, width), np.log(ranking.probabilities.min(axis=1, keepdims=True) + 1e-9) - 1)
        logs[rows, ranking.places] = np.log(ranking.probabilities + 1e-9)
        total += logs / 2
    # What neither lists must not come in.
    listed = np.zeros((count, width), dtype=bool)
    for ranking in (one, other):
        listed[rows, ranking.places] = True
    keep = one.places.shape[1]
    places = np.argsort(-np.where(listed, total, -np.inf), axis=1, kind="stable")[:, :keep]
    return _best_first(places, probabilities(np.take_along_axis(total, places, axis=1)))


def mode_of(context: Places) -> Places:
    """1 where a title's context is known well enough to be weighed (its function or family), else 0."""
    known: Places = (context[:, :2] != UNKNOWN).any(axis=1).astype(np.int64)
    return known


def _best_first(places: Places, found: Floats) -> Ranking:
    order = np.lexsort((places, -found), axis=1)
    return Ranking(np.take_along_axis(places, order, axis=1), np.take_along_axis(found, order, axis=1))
