"""How alike titles are: TF-IDF over pieces of words and over words, one vocabulary per language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy.sparse import csr_matrix

#: Keys are words with spaces between.
TOKEN = r"\S+"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Vectors:
    """Keys as rows of two matrices of length 1 each: pieces of words, and words with pairs of words."""

    pieces: csr_matrix
    words: csr_matrix


class Likeness:
    """Turns keys into vectors whose product is their likeness, 0 to 1."""

    def __init__(self, keys: Sequence[str]) -> None:
        common: dict[str, Any] = {"sublinear_tf": True, "dtype": np.float32, "lowercase": False}
        self._pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), **common)
        self._words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=TOKEN, **common)
        self._pieces.fit(keys)
        self._words.fit(keys)
        self.weight_of: dict[str, float] = dict(
            zip(self._words.get_feature_names_out(), self._words.idf_.tolist(), strict=True)
        )

    def vectors(self, keys: Sequence[str]) -> Vectors:
        """The vectors of keys, in their order."""
        return Vectors(self._pieces.transform(keys), self._words.transform(keys))
