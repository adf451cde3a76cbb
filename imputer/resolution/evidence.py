"""What speaks for each unit group as the one of a title: features, computed for many titles at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from imputer.resolution.coded import UNKNOWN
from imputer.resolution.likeness import TOKEN, Likeness, Vectors
from imputer.resolution.normalise import normalise
from imputer.resolution.words import STOP_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imputer.resolution.coded import Coded
    from imputer.resolution.corpus import Corpus

    Matrix = NDArray[np.float32]
    Numbers = NDArray[np.int64]

_TEERS = 6
_STEM = 6
#: Features that need no context, and those that are 0 without it.
TITLE_FEATURES = (
    *("pieces_best", "pieces_mass", "pieces_whole", "words_best", "words_mass", "words_whole", "about", "exact"),
    *("coded_pieces", "coded_words", "coded_first_word", "coded_last_word", "coded_alike", "coded_often"),
)
CONTEXT_FEATURES = (
    *("function_alike", "family_alike", "function_level_alike", "function", "family", "level", "function_level"),
    *("family_level", "function_first_word", "family_first_word", "function_last_word", "level_first_word", "teer"),
)
FEATURES = TITLE_FEATURES + CONTEXT_FEATURES


@dataclass(frozen=True, slots=True)
class Questions:
    """Titles of one language to find unit groups for: keys, context numbers, and rows of coded titles to leave out."""

    keys: Sequence[str]
    context: Numbers
    left_out: Sequence[Sequence[int]] | None = None


class Evidence:
    """The features of one language; shapes are (titles, unit groups, features)."""

    def __init__(self, corpus: Corpus, coded: Coded) -> None:
        self.corpus = corpus
        self.coded = coded
        self.likeness = Likeness(corpus.keys)
        self._texts = self.likeness.vectors(corpus.keys)
        self._wholes = Vectors(*(self._whole(part) for part in (self._texts.pieces, self._texts.words)))
        self._describer = TfidfVectorizer(sublinear_tf=True, dtype=np.float32, token_pattern=TOKEN, lowercase=False)
        self._about = self._describer.fit_transform(corpus.about)
        self._stems = {word[:_STEM] for word in self.likeness.weight_of if len(word) >= _STEM}
        self._key_groups: dict[str, list[int]] = {}
        for key, group in zip(corpus.keys, corpus.groups.tolist(), strict=True):
            self._key_groups.setdefault(key, []).append(group)
        self._coded = self.likeness.vectors(coded.keys[corpus.language]) if len(coded) else None
        self._ends = _ends(coded.keys[corpus.language])
        self._held, self._coded_starts = np.unique(coded.groups, return_index=True)
        teers = np.array([int(code[1]) for code in corpus.unit_groups])
        self._teers = np.minimum(teers, _TEERS - 1)

    def _whole(self, vectors: csr_matrix) -> csr_matrix:
        """One vector of length 1 per unit group: the sum of its texts'."""
        count = len(self.corpus.groups)
        gather = np.zeros(count, dtype=np.float32) + 1
        summed = csr_matrix((gather, np.arange(count), self.corpus.starts), shape=(len(self.corpus.unit_groups), count))
        return normalize(summed @ vectors)

    def knows(self, title: str) -> bool:
        """Whether any word of a title occurs in the corpus, or any long beginning of one."""
        words = set(normalise(title, self.corpus.language).split()) - STOP_WORDS[self.corpus.language]
        return any(word in self.likeness.weight_of or word[:_STEM] in self._stems for word in words)

    def features(self, questions: Questions) -> Matrix:
        """All features of all unit groups, in the order of FEATURES."""
        asked = self.likeness.vectors(questions.keys)
        made: list[Matrix] = []
        for vectors, texts, wholes in (
            (asked.pieces, self._texts.pieces, self._wholes.pieces),
            (asked.words, self._texts.words, self._wholes.words),
        ):
            alike = (vectors @ texts.T).toarray()
            made.append(np.maximum.reduceat(alike, self.corpus.starts[:-1], axis=1))
            made.append(np.cbrt(np.add.reduceat(alike**3, self.corpus.starts[:-1], axis=1)))
            made.append((vectors @ wholes.T).toarray())
        made.append((self._describer.transform(questions.keys) @ self._about.T).toarray())
        made.append(self._exact(questions.keys))
        made += self._neighbours(asked, questions)
        return np.stack(made, axis=-1)

    def _exact(self, keys: Sequence[str]) -> Matrix:
        found = np.zeros((len(keys), len(self.corpus.unit_groups)), dtype=np.float32)
        for row, key in enumerate(keys):
            found[row, self._key_groups.get(key, [])] = 1
        return found

    def _neighbours(self, asked: Vectors, questions: Questions) -> list[Matrix]:
        count, width = len(questions.keys), len(self.corpus.unit_groups)
        names = len(FEATURES) - len(TITLE_FEATURES) + 6
        if self._coded is None:
            return [np.zeros((count, width), dtype=np.float32)] * names
        pieces = (asked.pieces @ self._coded.pieces.T).toarray()
        words = (asked.words @ self._coded.words.T).toarray()
        firsts, lasts = _ends_of(questions.keys, self._ends)
        first = np.equal.outer(firsts, self._ends.firsts)
        last = np.equal.outer(lasts, self._ends.lasts)
        same = [
            (given[:, None] != UNKNOWN) & (given[:, None] == held)
            for given, held in zip(questions.context.T, self.coded.context.T, strict=True)
        ]
        seen = np.ones((count, len(self.coded)), dtype=np.float32)
        for row, places in enumerate(questions.left_out or ()):
            seen[row, list(places)] = 0
        pieces, words = pieces * seen, words * seen
        first, last, function, family, level = (part * seen for part in (first, last, *same))
        alike = (pieces + words) / 2
        made = [self._best(pieces), self._best(words), self._share(first), self._share(last)]
        made += [self._share(10 * alike**3), np.log1p(self._sum(seen))]
        made += [self._best(alike * function), self._best(alike * family), self._best(alike * level * function)]
        made += [self._share(function), self._share(family), self._share(level)]
        made += [self._share(function * level), self._share(family * level), self._share(function * first)]
        made += [self._share(family * first), self._share(function * last), self._share(level * first)]
        made.append(self._teer(level))
        return made

    def _best(self, values: Matrix) -> Matrix:
        found = np.zeros((len(values), len(self.corpus.unit_groups)), dtype=np.float32)
        found[:, self._held] = np.maximum.reduceat(values, self._coded_starts, axis=1)
        return found

    def _sum(self, values: Matrix) -> Matrix:
        found = np.zeros((len(values), len(self.corpus.unit_groups)), dtype=np.float32)
        found[:, self._held] = np.add.reduceat(values, self._coded_starts, axis=1)
        return found

    def _share(self, values: Matrix) -> Matrix:
        found = self._sum(values)
        shared: Matrix = found / (found.sum(axis=1, keepdims=True) + 1)
        return shared

    def _teer(self, level: Matrix) -> Matrix:
        """How often coded titles of the same managerial level have the unit group's TEER; 0 without a level."""
        teers = self._teers[self.coded.groups]
        counts = np.stack([level[:, teers == teer].sum(axis=1) for teer in range(_TEERS)], axis=1) + 1
        shares = np.log(counts / counts.sum(axis=1, keepdims=True))
        known = np.asarray(level.any(axis=1))
        made: Matrix = (shares[:, self._teers] * known[:, None]).astype(np.float32)
        return made


@dataclass(frozen=True, slots=True)
class _Ends:
    numbers: dict[str, int]
    firsts: Numbers
    lasts: Numbers


def _ends(keys: Sequence[str]) -> _Ends:
    numbers: dict[str, int] = {}
    firsts = [numbers.setdefault(key.split()[0] if key else "", len(numbers)) for key in keys]
    lasts = [numbers.setdefault(key.split()[-1] if key else "", len(numbers)) for key in keys]
    return _Ends(numbers, np.array(firsts, dtype=np.int64), np.array(lasts, dtype=np.int64))


def _ends_of(keys: Sequence[str], ends: _Ends) -> tuple[Numbers, Numbers]:
    firsts = [ends.numbers.get(key.split()[0], UNKNOWN) if key else UNKNOWN for key in keys]
    lasts = [ends.numbers.get(key.split()[-1], UNKNOWN) if key else UNKNOWN for key in keys]
    return np.array(firsts, dtype=np.int64), np.array(lasts, dtype=np.int64)
