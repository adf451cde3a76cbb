"""The OaSIS profiles of one unit group weighed for a title: features computed for many titles at once.

Texts whose key is the title's own are left out: a title that has one is settled by it, and the weights are fitted on
example titles whose own text was taken away.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz import fuzz, process
from sklearn.feature_extraction.text import TfidfVectorizer

from imputer.resolution.likeness import TOKEN
from imputer.resolution.normalise import normalise
from imputer.resolution.words import STOP_WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from imputer.resolution.likeness import Likeness, Vectors

    Floats = NDArray[np.float64]

DOCUMENTS = ("lead_statement", "main_duties", "employment_requirements", "workplaces_employers")
_BAGS = ("words", "pieces")
FEATURES = (
    *("pieces_best", "words_best", "pieces_best_3", "words_best_3", "pieces_mean", "words_mean"),
    *("label_pieces", "label_words", "label_wratio", "label_tokens", "title_wratio", "title_tokens"),
    *("last_word", "last_word_in_label", "titles", *DOCUMENTS, "documents_words", "documents_pieces"),
    *("excluded_elsewhere", "words_known"),
    *(f"{bag}_{name}" for bag in _BAGS for name in ("sum", "most", "mean_share", "best_share", "present")),
    *("label_told", "title_told", "title_nearly_told", "label_nearly_told", "partly"),
)
_SMOOTHING = 0.1
_UNKNOWN_WEIGHT = 9.0
_LONG = 5
_STOP = STOP_WORDS["en"]


@dataclass(frozen=True, slots=True)
class Group:
    """What is known of the profiles of one unit group; keys of example titles with the place of their profile."""

    profiles: tuple[str, ...]
    labels: tuple[str, ...]
    label_keys: tuple[str, ...]
    titles: tuple[str, ...]
    title_keys: tuple[str, ...]
    owners: NDArray[np.int64]
    label_vectors: Vectors
    title_vectors: Vectors
    documents: tuple[csr_matrix, ...]
    told: tuple[frozenset[str], ...]
    excluded: tuple[tuple[str, ...], ...]


class Profiles:
    """All unit groups' profiles."""

    def __init__(
        self,
        oasis_profiles: pa.Table,
        oasis_example_titles: pa.Table,
        oasis_texts: pa.Table | None,
        likeness: Likeness,
    ) -> None:
        self._likeness = likeness
        self.labels: dict[str, str] = dict(_pairs(oasis_profiles, "label"))
        self.of: dict[str, list[str]] = {}
        for profile in sorted(self.labels):
            self.of.setdefault(profile[:5], []).append(profile)
        self._titles: dict[str, dict[str, str]] = {}
        for profile, title in _pairs(oasis_example_titles, "title"):
            self._titles.setdefault(profile, {}).setdefault(normalise(title), title)
        self._told: dict[str, dict[str, list[str]]] = {name: {} for name in DOCUMENTS}
        self._excluded: dict[str, list[str]] = {}
        if oasis_texts is not None:
            self._read(oasis_texts)
        written = [self._document(profile) for profile in sorted(self.labels)]
        readers = (
            TfidfVectorizer(sublinear_tf=True, dtype=np.float32, token_pattern=TOKEN, stop_words=sorted(_STOP)),
            TfidfVectorizer(sublinear_tf=True, dtype=np.float32, analyzer="char_wb", ngram_range=(4, 5)),
        )
        self._by_words, self._by_pieces = (reader.fit(written) for reader in readers)
        self._groups: dict[str, Group] = {}
        self._bags: dict[str, _Bags] = {}

    def _read(self, texts: pa.Table) -> None:
        for profile, attribute, text in zip(
            *(texts[name].to_pylist() for name in ("profile", "attribute_id", "text")), strict=True
        ):
            domain = attribute.removeprefix("oasis.")
            if domain in self._told:
                self._told[domain].setdefault(profile, []).append(normalise(text))
            elif domain == "exclusions":
                code, _, title = text.partition(" ")
                if title:
                    self._excluded.setdefault(code, []).append(normalise(title))

    def _document(self, profile: str) -> str:
        parts = [" ".join(self._told[name].get(profile, ())) for name in DOCUMENTS]
        return " ".join([*parts, normalise(self.labels[profile])])

    def group(self, unit_group: str) -> Group:
        """A unit group's profiles; raises KeyError for a unit group without any."""
        if unit_group not in self._groups:
            self._groups[unit_group] = self._gather(tuple(self.of[unit_group]))
        return self._groups[unit_group]

    def _gather(self, profiles: tuple[str, ...]) -> Group:
        titles = [
            (place, key, text)
            for place, profile in enumerate(profiles)
            for key, text in sorted(self._titles.get(profile, {}).items())
        ]
        label_keys = tuple(normalise(self.labels[profile]) for profile in profiles)
        title_keys = tuple(key for _, key, _ in titles)
        told = [[" ".join(self._told[name].get(profile, ())) for profile in profiles] for name in DOCUMENTS]
        whole = [self._document(profile) for profile in profiles]
        return Group(
            profiles,
            tuple(self.labels[profile] for profile in profiles),
            label_keys,
            tuple(text for _, _, text in titles),
            title_keys,
            np.array([place for place, _, _ in titles], dtype=np.int64),
            self._likeness.vectors(label_keys),
            self._likeness.vectors(title_keys) if titles else self._likeness.vectors([""]),
            (
                *(self._by_words.transform(texts) for texts in told),
                self._by_words.transform(whole),
                self._by_pieces.transform(whole),
            ),
            tuple(frozenset(text.split()) - _STOP for text in whole),
            tuple(tuple(self._excluded.get(profile, ())) for profile in profiles),
        )

    def features(self, unit_group: str, keys: Sequence[str]) -> Floats:
        """(titles, profiles, features), in the orders of ``keys``, of the group's profiles and of FEATURES."""
        group = self.group(unit_group)
        asked = self._likeness.vectors(keys)
        alike = [
            np.asarray((one @ other.T).toarray(), dtype=float)
            for one, other in (
                (asked.pieces, group.title_vectors.pieces),
                (asked.words, group.title_vectors.words),
                (asked.pieces, group.label_vectors.pieces),
                (asked.words, group.label_vectors.words),
            )
        ]
        words, pieces = self._by_words.transform(keys), self._by_pieces.transform(keys)
        told = [(words @ part.T).toarray() for part in group.documents[:-1]]
        told.append((pieces @ group.documents[-1].T).toarray())
        compared = [
            process.cdist(keys, choices, scorer=scorer) / 100
            for scorer, choices in (
                (fuzz.WRatio, group.label_keys),
                (fuzz.token_set_ratio, group.label_keys),
                (fuzz.WRatio, group.title_keys),
                (fuzz.token_sort_ratio, group.title_keys),
            )
        ]
        made = np.zeros((len(keys), len(group.profiles), len(FEATURES)))
        bags = self._bags.get(unit_group) or self._bags.setdefault(unit_group, _Bags(group))
        for row, key in enumerate(keys):
            other = np.array([title != key for title in group.title_keys], dtype=bool)
            count = np.bincount(group.owners[other], minlength=len(group.profiles))
            for place in range(len(group.profiles)):
                mine = other & (group.owners == place)
                made[row, place, :23] = [
                    *_likenesses(alike[0][row, mine], alike[1][row, mine]),
                    *(alike[2][row, place], alike[3][row, place], compared[0][row, place], compared[1][row, place]),
                    *(compared[2][row, mine].max(initial=0), compared[3][row, mine].max(initial=0)),
                    *_last_word(key, [group.title_keys[at] for at in np.flatnonzero(mine)], group.label_keys[place]),
                    math.log1p(count[place]),
                    *(part[row, place] for part in told),
                    max((fuzz.token_sort_ratio(key, out) for out in group.excluded[place] if out != key), default=0)
                    / 100,
                    _known(key, [group.title_keys[at] for at in np.flatnonzero(mine)]),
                ]
            made[row, :, 23:33] = bags.features(key, count)
            made[row, :, 33:] = _label_words(key, bags.label_words, self._likeness.weight_of)
        return made


def _pairs(table: pa.Table, other: str) -> list[tuple[str, str]]:
    return list(zip(table["profile"].to_pylist(), table[other].to_pylist(), strict=True))


def _likenesses(pieces: Floats, words: Floats) -> list[float]:
    if not len(pieces):
        return [0.0] * 6
    best, best_words = np.sort(pieces)[::-1], np.sort(words)[::-1]
    return [
        *(best[0], best_words[0], best[:3].sum() / 3, best_words[:3].sum() / 3),
        *(float(best.mean()), float(best_words.mean())),
    ]


def _last_word(key: str, titles: Sequence[str], label: str) -> tuple[float, float]:
    last = key.rsplit(maxsplit=1)[-1] if key else ""
    share = sum(last in title.split() for title in titles) / len(titles) if titles else 0.0
    return share, float(last in label.split())


def _known(key: str, titles: Sequence[str]) -> float:
    held = {word for title in titles for word in title.split()}
    asked = set(key.split())
    return len(asked & held) / len(asked) if asked else 0.0


def _word_bag(key: str) -> frozenset[str]:
    return frozenset(key.split()) - _STOP


def _piece_bag(key: str) -> frozenset[str]:
    found = set()
    for word in key.split():
        padded = f" {word} "
        for size in (3, 4, 5):
            found |= {padded[at : at + size] for at in range(max(1, len(padded) - size + 1))}
    return frozenset(found)


class _Bags:
    """How often words and pieces of words occur in the example titles and labels of each profile."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self.label_words = [_word_bag(key) for key in group.label_keys]
        self._label_bags = [self.label_words, [_piece_bag(key) for key in group.label_keys]]
        self._counts: list[list[Counter[str]]] = [[Counter() for _ in group.profiles] for _ in _BAGS]
        for owner, key in zip(group.owners.tolist(), group.title_keys, strict=True):
            for counts, bag in zip(self._counts, (_word_bag(key), _piece_bag(key)), strict=True):
                counts[owner].update(bag)
        self._owners_of: dict[str, set[int]] = {}
        for owner, key in zip(group.owners.tolist(), group.title_keys, strict=True):
            self._owners_of.setdefault(key, set()).add(owner)

    def features(self, key: str, titles: NDArray[np.int64]) -> Floats:
        """(profiles, 10): how much each profile's use of the title's words and pieces differs from the others'."""
        own = self._owners_of.get(key, set())
        parts = [self._told(bag, kind, own, titles) for kind, bag in enumerate((_word_bag(key), _piece_bag(key)))]
        return np.concatenate(parts, axis=1)

    def _told(self, bag: frozenset[str], kind: int, own: set[int], titles: NDArray[np.int64]) -> Floats:
        count = len(self._group.profiles)
        if not bag:
            return np.zeros((count, 5))
        asked = sorted(bag)
        often = np.zeros((count, len(asked)))
        for place in range(count):
            counts, label, told = self._counts[kind][place], self._label_bags[kind][place], self._group.told[place]
            for at, word in enumerate(asked):
                often[place, at] = counts[word] - (place in own) + 2 * (word in label)
                if kind == 0:
                    often[place, at] += 0.5 * (word in told)
        logs = np.log((often + _SMOOTHING) / (titles[:, None] + 3))
        differing = logs - logs.mean(axis=0)
        shares = np.exp(logs)
        shares /= shares.sum(axis=0)
        present = (often > 0) / np.maximum((often > 0).sum(axis=0), 1)
        return np.stack(
            [
                differing.sum(axis=1) / math.sqrt(len(asked)),
                differing.max(axis=1),
                shares.mean(axis=1),
                shares.max(axis=1),
                present.mean(axis=1),
            ],
            axis=1,
        )


def _label_words(key: str, labels: Sequence[frozenset[str]], weight_of: Mapping[str, float]) -> Floats:
    """(profiles, 5): how much of the words that tell a label from the others is in the title, and the other way."""
    asked = _word_bag(key)
    common = frozenset.intersection(*labels) if len(labels) > 1 else frozenset()
    rows = []
    for label in labels:
        own = label - common
        shared = sum(weight_of.get(word, _UNKNOWN_WEIGHT) for word in asked & own)
        rows.append(
            [
                shared / (sum(weight_of.get(word, _UNKNOWN_WEIGHT) for word in own) + 1),
                shared / (sum(weight_of.get(word, _UNKNOWN_WEIGHT) for word in asked) + 1e-9),
                _nearly(asked, own, weight_of),
                _nearly(own, asked, weight_of),
                max(
                    (
                        fuzz.partial_ratio(word, other)
                        for word in sorted(asked)
                        for other in sorted(own | (label & common))
                        if min(len(word), len(other)) >= _LONG
                    ),
                    default=0,
                )
                / 100,
            ]
        )
    return np.array(rows)


def _nearly(words: frozenset[str], others: frozenset[str], weight_of: Mapping[str, float]) -> float:
    weights = [weight_of.get(word, _UNKNOWN_WEIGHT) for word in sorted(words)]
    alike = [max((fuzz.ratio(word, other) / 100 for other in others), default=0) ** 3 for word in sorted(words)]
    return sum(a * b for a, b in zip(weights, alike, strict=True)) / (sum(weights) + 1e-9)
