"""The jobs most like a given one by title, among those whose values are known: examples for a question.

Likeness is the cosine of character n-grams of the English titles (TF-IDF). Neighbours are of different unit groups,
for jobs of one unit group have the same inherited values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

if TYPE_CHECKING:
    from collections.abc import Sequence

# Titles compared at once, and nearest looked at for each until enough are of different unit groups.
_TOGETHER = 500
_LOOKED_AT = 24


class Neighbours:
    """Nearest known jobs; ``known`` and ``titles`` map keys to titles, ``groups`` keys to unit groups."""

    def __init__(self, titles: dict[str, str], known: Sequence[str], groups: dict[str, str | None]) -> None:
        self._titles, self._groups = titles, groups
        self._known = sorted(known)
        if self._known:
            self._vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, dtype=np.float32)
            self._matrix = self._vectors.fit_transform(titles[key] for key in self._known)

    def of(self, keys: Sequence[str], count: int) -> dict[str, list[str]]:
        """Up to ``count`` neighbours of each, nearest first; equally near ones in the order of their keys."""
        if not self._known:
            return {key: [] for key in keys}
        found = {}
        for start in range(0, len(keys), _TOGETHER):
            some = keys[start : start + _TOGETHER]
            likeness = (self._vectors.transform(self._titles[key] for key in some) @ self._matrix.T).toarray()
            for key, row in zip(some, likeness, strict=True):
                nearest = np.argsort(-row, kind="stable")[:_LOOKED_AT]
                found[key] = self._different(key, [self._known[place] for place in nearest if row[place] > 0], count)
        return found

    def _different(self, key: str, nearest: list[str], count: int) -> list[str]:
        chosen: list[str] = []
        seen: set[str | None] = set()
        for other in nearest:
            group = self._groups.get(other)
            if other == key or (group is not None and group in seen):
                continue
            seen.add(group)
            chosen.append(other)
            if len(chosen) == count:
                break
        return chosen
