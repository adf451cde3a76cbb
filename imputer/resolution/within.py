"""The five tiers: which profile of a given unit group is a title's, and how sure that is by construction.

The best tier that holds wins. A unit group with one profile leaves no choice, but only a title that has anything in
common with the unit group is told as UG_DOMINANT: for any other the coding itself is in doubt, and UG_IMPUTATION says
so. Where profiles are weighed, the best one is always kept, and ties are named; it is settled where a text of it is
like the title and it is as likely as the tier states.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from rapidfuzz import fuzz, process

from imputer.resolution.answer import (
    DIRECT_MATCH,
    EXAMPLE_MATCH,
    LABEL_IMPUTATION,
    STATED,
    UG_DOMINANT,
    UG_IMPUTATION,
)
from imputer.resolution.choice import probabilities, utilities, widened
from imputer.resolution.normalise import forms, normalise, plain
from imputer.resolution.words import STOP_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from imputer.resolution.corpus import Corpus
    from imputer.resolution.profiles import Group, Profiles

#: rapidfuzz WRatio, 0 to 100, from which a title is like a label or an example title.
ALIKE: Final = 70.0
_SAME: Final = 1e-9
# Below this length a word shared with a unit group says nothing.
_SHORT: Final = 3


@dataclass(frozen=True, slots=True)
class Chosen:
    """The profile of one title: ``score`` is what its method's calibration curve is asked with."""

    profile: str | None
    method: str
    score: float
    measured: bool
    matched_text: str | None
    runner_up: str | None
    margin: float | None
    tied: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True)
class Spelled:
    """A title by language; ``held_out`` in backtests: texts that are spelled like it are not to be seen."""

    texts: Mapping[str, str]
    held_out: bool = False

    def hides(self, text: str) -> bool:
        """Whether a text must not be seen."""
        return self.held_out and plain(text) in {plain(own) for own in self.texts.values()}


def choose(
    unit_group: str,
    titles: Sequence[Spelled],
    profiles: Profiles,
    corpora: Mapping[str, Corpus],
    weights: NDArray[np.float64],
) -> list[Chosen]:
    """Answer for titles of one unit group, in their order."""
    if unit_group not in profiles.of:
        return [_without_profiles(unit_group) for _ in titles]
    if len(profiles.of[unit_group]) == 1:
        place = corpora["en"].unit_groups.index(unit_group)
        return [_only(unit_group, place, title, profiles, corpora) for title in titles]
    group = profiles.group(unit_group)
    # Labels and example titles of profiles are English: a French title is compared with them as it is.
    keys = [normalise(*_first(title)) for title in titles]
    features = profiles.features(unit_group, keys)
    wide = widened(features, np.abs(features).max(axis=1, keepdims=True))
    shares = probabilities(utilities(wide, np.ones(wide.shape[:2], dtype=bool), weights))
    return [_several(title, key, group, row) for title, key, row in zip(titles, keys, shares, strict=True)]


def _first(title: Spelled) -> tuple[str, str]:
    language = "en" if "en" in title.texts else "fr"
    return title.texts[language], language


def _without_profiles(unit_group: str) -> Chosen:
    because = f"Unit group {unit_group} has no OaSIS profile among the sources."
    return Chosen(None, UG_IMPUTATION, STATED[UG_IMPUTATION], False, None, None, None, (), because)  # noqa: FBT003


def _several(title: Spelled, key: str, group: Group, shares: NDArray[np.float64]) -> Chosen:
    order = sorted(range(len(shares)), key=lambda place: (-shares[place], group.profiles[place]))
    exact = _exact(title, group)
    if exact:
        method, matches = exact
        order = [place for place in order if place in matches] + [place for place in order if place not in matches]
        tied = [place for place in order[1:] if place in matches]
        matched, score = matches[order[0]], STATED[method]
        because = f"The title is the {'name' if method == DIRECT_MATCH else 'example title'} «{matched}» of the profile"
    else:
        tied = [place for place in order[1:] if shares[order[0]] - shares[place] <= _SAME]
        matched, alike = _likest(title, key, order[0], group)
        score = float(shares[order[0]])
        sure = alike >= ALIKE and score >= STATED[LABEL_IMPUTATION] and "en" in title.texts
        method = LABEL_IMPUTATION if sure else UG_IMPUTATION
        because = (
            f"Of {len(order)} profiles the likeliest ({score:.0%}); nearest text «{matched}» (likeness {alike:.0f})"
        )
        if method == UG_IMPUTATION:
            because += "; that is not enough, so that only the unit group is settled"
    names = tuple(group.profiles[place] for place in tied)
    because += f"; as good: {', '.join(names)}." if names else "."
    best, second = order[0], order[1]
    margin = round(float(shares[best] - shares[second]), 6)
    return Chosen(
        group.profiles[best],
        method,
        score,
        exact is not None or "en" in title.texts,
        matched,
        group.profiles[second],
        margin,
        names,
        because,
    )


def _exact(title: Spelled, group: Group) -> tuple[str, dict[int, str]] | None:
    """The tier of an exact match and, by profile, the text matched; None without one."""
    if "en" not in title.texts:
        return None
    asked = forms(title.texts["en"])
    labels = {
        place: label for place, label in enumerate(group.labels) if forms(label) & asked and not title.hides(label)
    }
    if labels:
        return DIRECT_MATCH, labels
    titles: dict[int, str] = {}
    for owner, text in zip(group.owners.tolist(), group.titles, strict=True):
        if forms(text) & asked and not title.hides(text):
            titles.setdefault(owner, text)
    return (EXAMPLE_MATCH, titles) if titles else None


def _likest(title: Spelled, key: str, place: int, group: Group) -> tuple[str, float]:
    """The text of a profile that is most like the title, and its WRatio."""
    texts = [(group.label_keys[place], group.labels[place])]
    texts += [
        (other, text)
        for owner, other, text in zip(group.owners.tolist(), group.title_keys, group.titles, strict=True)
        if owner == place and not title.hides(text)
    ]
    found = process.extractOne(key, [other for other, _ in texts], scorer=fuzz.WRatio)
    return texts[found[2]][1], float(found[1])


def _only(unit_group: str, place: int, title: Spelled, profiles: Profiles, corpora: Mapping[str, Corpus]) -> Chosen:
    """The answer in a unit group with one profile."""
    profile = profiles.of[unit_group][0]
    label = profiles.labels[profile]

    def settled(method: str, matched: str | None, because: str) -> Chosen:
        # No backtest has titles that are wrongly coded.
        measured = method != UG_IMPUTATION
        return Chosen(profile, method, STATED[method], measured, matched, None, None, (), because)

    if "en" in title.texts and forms(label) & forms(title.texts["en"]) and not title.hides(label):
        return settled(DIRECT_MATCH, label, f"The title is the name «{label}» of the profile.")
    for language, text in title.texts.items():
        for matched in _spelled_alike(text, place, corpora[language]):
            if not title.hides(matched):
                because = f"The title is «{matched}», a title of unit group {unit_group}."
                return settled(EXAMPLE_MATCH, matched, because)
    shared = sorted(
        {word for language, text in title.texts.items() for word in _shared(text, place, corpora[language])}
    )
    nearest = _nearest(title, place, corpora)
    only = f"{profile} is the only profile of unit group {unit_group}"
    if shared or (nearest and nearest[1] >= ALIKE):
        told = f"shares «{', '.join(shared)}» with it" if shared else f"is like «{nearest and nearest[0]}»"
        return settled(UG_DOMINANT, nearest and nearest[0], f"{only}, and the title {told}.")
    because = f"{only}, but the title has nothing in common with it: the coding itself is in doubt."
    return settled(UG_IMPUTATION, nearest and nearest[0], because)


def _spelled_alike(text: str, place: int, corpus: Corpus) -> Iterable[str]:
    own = corpus.of(place)
    found = sorted({at for form in forms(text, corpus.language) for at in corpus.by_form.get(form, ()) if at in own})
    return [corpus.texts[at] for at in found]


def _shared(text: str, place: int, corpus: Corpus) -> list[str]:
    asked = {word for word in normalise(text, corpus.language).split() if len(word) >= _SHORT}
    return sorted((asked - STOP_WORDS[corpus.language]) & corpus.words[place])


def _nearest(title: Spelled, place: int, corpora: Mapping[str, Corpus]) -> tuple[str, float] | None:
    best: tuple[str, float] | None = None
    for language, text in title.texts.items():
        corpus = corpora[language]
        own = [at for at in corpus.of(place) if not title.hides(corpus.texts[at])]
        found = process.extractOne(normalise(text, language), [corpus.keys[at] for at in own], scorer=fuzz.WRatio)
        if found and (best is None or found[1] > best[1]):
            best = corpus.texts[own[found[2]]], float(found[1])
    return best
