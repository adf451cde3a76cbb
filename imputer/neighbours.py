"""The jobs most like a given one by title, among those whose values are known.

Likeness is the cosine of character n-grams of the English titles (TF-IDF), 0 to 1. Neighbours are of different unit
groups, and never of the job's own: jobs of one unit group have the same inherited values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Titles compared at once, and how many of the nearest are looked at for each: those of other unit groups are kept.
_TOGETHER = 500
_LOOKED_AT = 24


class Neighbours:
    """Nearest known jobs; ``titles`` maps keys to titles, ``groups`` keys to unit groups (None: not settled)."""

    def __init__(self, titles: Mapping[str, str], known: Sequence[str], groups: Mapping[str, str | None]) -> None:
        self._titles, self._groups = titles, groups
        self._known = sorted(known)
        if self._known:
            self._vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, dtype=np.float32)
            self._matrix = self._vectors.fit_transform(titles[key] for key in self._known)

    def of(self, keys: Sequence[str], count: int) -> dict[str, list[str]]:
        """Up to ``count`` neighbours of each, nearest first; equally near ones in the order of their keys."""
        return {key: [other for other, _ in near] for key, near in self.likened(keys, count).items()}

    def likened(self, keys: Sequence[str], count: int) -> dict[str, list[tuple[str, float]]]:
        """The same, each neighbour with its likeness."""
        if not self._known:
            return {key: [] for key in keys}
        found = {}
        for start in range(0, len(keys), _TOGETHER):
            some = keys[start : start + _TOGETHER]
            likeness = (self._vectors.transform(self._titles[key] for key in some) @ self._matrix.T).toarray()
            for key, row in zip(some, likeness, strict=True):
                nearest = np.argsort(-row, kind="stable")[:_LOOKED_AT]
                near = [(self._known[place], float(row[place])) for place in nearest if row[place] > 0]
                found[key] = self._different(key, near)[:count]
        return found

    def _different(self, key: str, nearest: list[tuple[str, float]]) -> list[tuple[str, float]]:
        chosen = []
        seen = {self._groups.get(key)} - {None}
        for other, likeness in nearest:
            group = self._groups.get(other)
            if other == key or group in seen:
                continue
            if group is not None:
                seen.add(group)
            chosen.append((other, likeness))
        return chosen
