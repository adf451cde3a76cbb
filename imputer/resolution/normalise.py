"""Titles as they are compared: case, accents, punctuation, number, gender and word order of inversions taken away."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from imputer.resolution.gender import one_gender
from imputer.resolution.words import reduce_word

_APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "‘": "'", "–": "-", "—": "-", "‑": "-", "\u00a0": " ", "\u202f": " "})
_ELISION = re.compile(r"\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu)'")
_POSSESSIVE = re.compile(r"'(?=s\b)")
_WORD = re.compile(r"[a-z0-9+#]+")
_ACRONYM = re.compile(r"\(\s*[A-Z][A-Z0-9&./-]{1,7}s?\s*\)")
_DASH = re.compile(r"\s+[-–—]+\s+")


def plain(text: str) -> str:
    """Lower case without accents or ligatures; typographic apostrophes, dashes and spaces made plain."""
    text = text.translate(_APOSTROPHES).replace("œ", "oe").replace("Œ", "OE").replace("æ", "ae").replace("Æ", "AE")
    letters = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()


@lru_cache(maxsize=131072)
def normalise(title: str, language: str = "en") -> str:
    """The key of a title: its words in order, reduced, one space between; empty where it has no word.

    A key is its own key. «Graphic designers» and «Graphic Designer» have the same; so have «Adjoint(e)
    administratif(ive)», «Adjointe administrative» and «Adjoint administratif/adjointe administrative».
    """
    text = one_gender(plain(title), language)
    text = _POSSESSIVE.sub("", text.replace("&", " and ")) if language == "en" else _ELISION.sub(" ", text)
    return " ".join(reduce_word(word, language) for word in _WORD.findall(text))


@lru_cache(maxsize=131072)
def forms(title: str, language: str = "en") -> frozenset[str]:
    """The keys that a title may be written by: itself, «Manager, Sales» turned round, «Supervisor - Painting» too.

    An acronym in parentheses may be left out. Empty where the title has no word.
    """
    spelled = {title, _ACRONYM.sub(" ", title)}
    spelled |= {turned for text in spelled for turned in _turned(text)}
    return frozenset(key for text in spelled if (key := normalise(text, language)))


def _turned(title: str) -> list[str]:
    halves = (_DASH.split(title), re.split(r",\s*", title))
    # Of three parts and more, none is known to be the head.
    return [f"{parts[1]} {parts[0]}" for parts in halves if len(parts) == 2 and all(map(str.strip, parts))]  # noqa: PLR2004
