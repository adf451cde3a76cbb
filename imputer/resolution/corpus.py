"""What titles are compared with: example titles, labels and names of unit groups, per language, by unit group."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from imputer.resolution.normalise import forms, normalise
from imputer.resolution.words import STOP_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

UNIT_GROUP_LEVEL = 5
LANGUAGES = ("en", "fr")


@dataclass(frozen=True, slots=True)
class Corpus:
    """The texts of one language, in the order of the unit groups, equal keys of a unit group once.

    ``groups`` holds each text's place in ``unit_groups``; ``starts`` the first text of each unit group, and at the end
    the number of texts. ``about`` describes each unit group (name and definition) as one key; ``words`` are the words
    of all that is known of it, less those that say nothing.
    """

    language: str
    unit_groups: tuple[str, ...]
    texts: tuple[str, ...]
    keys: tuple[str, ...]
    groups: NDArray[np.int64]
    starts: NDArray[np.int64]
    names: tuple[str, ...]
    about: tuple[str, ...]
    words: tuple[frozenset[str], ...]
    by_form: Mapping[str, tuple[int, ...]]

    def of(self, place: int) -> range:
        """The texts of a unit group."""
        return range(int(self.starts[place]), int(self.starts[place + 1]))


def build_corpora(
    noc_classes: pa.Table,
    noc_example_titles: pa.Table,
    oasis_profiles: pa.Table,
    oasis_example_titles: pa.Table,
    oasis_texts: pa.Table | None,
) -> dict[str, Corpus]:
    """One corpus per language, over the unit groups in ``noc_classes``."""
    classes = {
        row["code"]: row
        for row in noc_classes.select(
            ["code", "level", "title_en", "title_fr", "definition_en", "definition_fr"]
        ).to_pylist()
        if row["level"] == UNIT_GROUP_LEVEL
    }
    codes = tuple(sorted(classes))
    titles = noc_example_titles.select(["unit_group", "title", "language"]).to_pylist()
    oasis = [*_pairs(oasis_profiles, "unit_group", "label"), *_pairs(oasis_example_titles, "unit_group", "title")]
    told = [] if oasis_texts is None else [(p[:5], t) for p, t in _pairs(oasis_texts, "profile", "text")]
    corpora = {}
    for language in LANGUAGES:
        named = [(code, classes[code][f"title_{language}"]) for code in codes]
        examples = [(row["unit_group"], row["title"]) for row in titles if row["language"] == language]
        about = {code: f"{name} {classes[code][f'definition_{language}'] or ''}" for code, name in named}
        english = language == "en"
        corpora[language] = _corpus(
            language, [*examples, *(oasis if english else []), *named], dict(named), about, told if english else []
        )
    return corpora


def _pairs(table: pa.Table, one: str, other: str) -> list[tuple[str, str]]:
    return list(zip(table[one].to_pylist(), table[other].to_pylist(), strict=True))


def _corpus(
    language: str,
    pairs: Iterable[tuple[str, str]],
    names: Mapping[str, str],
    about: Mapping[str, str],
    told: Iterable[tuple[str, str]],
) -> Corpus:
    codes = tuple(names)
    place_of = {code: place for place, code in enumerate(codes)}
    first: dict[tuple[int, str], str] = {}
    for code, text in pairs:
        if code in place_of and (key := normalise(text, language)):
            first.setdefault((place_of[code], key), text)
    ordered = sorted(first)
    groups = np.array([group for group, _ in ordered], dtype=np.int64)
    starts = np.searchsorted(groups, np.arange(len(codes) + 1))
    texts = tuple(first[one] for one in ordered)
    words: list[set[str]] = [set(normalise(about[code], language).split()) for code in codes]
    for group, key in ordered:
        words[group] |= set(key.split())
    for code, text in told:
        if code in place_of:
            words[place_of[code]] |= set(normalise(text, language).split())
    by_form: dict[str, list[int]] = {}
    for place, text in enumerate(texts):
        for form in forms(text, language):
            by_form.setdefault(form, []).append(place)
    assert all(low < high for low, high in pairwise(starts)), "every unit group has its name at least"
    return Corpus(
        language,
        codes,
        texts,
        tuple(key for _, key in ordered),
        groups,
        starts.astype(np.int64),
        tuple(names.values()),
        tuple(normalise(about[code], language) for code in codes),
        tuple(frozenset(found - STOP_WORDS[language]) for found in words),
        {form: tuple(places) for form, places in by_form.items()},
    )
