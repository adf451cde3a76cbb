"""Words reduced to what tells occupations apart: number and grammatical gender are taken off, in English and French.

The result is a key to compare by, not a word to show. Each rule is applied until nothing changes, so that reducing a
key again leaves it as it is.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

#: Words that say nothing of an occupation.
STOP_WORDS: Final = {
    "en": frozenset("a an and by for from in of on or other that the to with except related such".split()),
    "fr": frozenset("a au aux autr avec d dan de des du en et l la le les ou par pour sauf sur un une".split()),
}
_SHORTEST = 4

_ENGLISH_PEOPLE: Final = {
    "actress": "actor",
    "hostess": "host",
    "seamstress": "seamster",
    "stewardess": "steward",
    "waitress": "waiter",
    "masseuse": "masseur",
}
_SIBILANT_PLURAL = re.compile(r"(ch|sh|x|ss|zz)es$")
# Longest first; each pair keeps the masculine, which for many words is the feminine less its last letter.
_FRENCH_ENDINGS: Final = (
    ("maitresse", "maitre"),
    ("ienne", "ien"),
    ("trice", "teur"),
    ("eure", "eur"),
    ("euse", "eur"),
    ("onne", "on"),
    ("eaux", "eau"),
    ("ales", "al"),
    ("aux", "al"),
    ("ive", "if"),
)


@lru_cache(maxsize=65536)
def reduce_word(word: str, language: str) -> str:
    """The key of one lower-case word without accents; ``language`` is en or fr."""
    step = _english if language == "en" else _french
    while (shorter := step(word)) != word:
        word = shorter
    return word


def _english(word: str) -> str:
    if len(word) < _SHORTEST:
        return "man" if word == "men" else word
    word = _ENGLISH_PEOPLE.get(word, word)
    for ending in ("women", "woman", "people", "person", "men"):
        if word.endswith(ending) and (len(word) > len(ending) or ending.startswith("wom")):
            return word.removesuffix(ending) + "man"
    if word.endswith("ies") and len(word) > _SHORTEST:
        return word[:-3] + "y"
    if _SIBILANT_PLURAL.search(word):
        return word[:-2]
    return word[:-1] if word.endswith("s") and word[-2] not in "sui" else word


def _french(word: str) -> str:
    if len(word) < _SHORTEST:
        return word
    for feminine, masculine in _FRENCH_ENDINGS:
        if word.endswith(feminine) and len(word) > len(feminine) + 1:
            return word.removesuffix(feminine) + masculine
    return word[:-1] if word[-1] in "sxe" else word
