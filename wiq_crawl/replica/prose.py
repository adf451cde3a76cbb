"""Synthetic sentences in English and French, the same for the same seed and key.

The choice of words depends on a hash of seed, key and position, not on the language: a text and its
counterpart say the same thing.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

from wiq_crawl.replica.fixed_facts import TWIN_SUBGROUPS

NO_BREAK_SPACE: Final = "\u00a0"

_VOCABULARY_FILE: Final = Path(__file__).with_name("vocabulary.toml")
_ENGLISH_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_FRENCH_MONTHS: Final = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)


class Prose:
    """A stream of sentences about one subject."""

    def __init__(self, seed: int, language: str, key: str, subject: str = "") -> None:
        """Start the stream of a key; the subject is a lower-case code that decides the vocabulary."""
        self.language = language
        self._stem = f"{seed}/{key}"
        self._position = 0
        vocabulary = _vocabulary()
        self._actions: list[list[str]] = vocabulary["actions"]
        self._contexts: list[list[str]] = vocabulary["contexts"]
        self._sentences: dict[str, list[list[str]]] = vocabulary["sentences"]
        # Twice the words of the subject: they shall prevail over the general ones.
        own = vocabulary["objects"].get(_theme(subject), [])
        self._objects: list[list[str]] = [*own, *own, *vocabulary["objects"]["general"]]

    def number(self, below: int) -> int:
        """Return the next number of the stream, from 0 to below - 1."""
        self._position += 1
        digest = hashlib.blake2b(f"{self._stem}/{self._position}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) % below

    def phrase(self, kind: str) -> str:
        """Return one sentence, or one list item without its final punctuation, of a kind."""
        return self._filled(self._sentences[kind][self.number(len(self._sentences[kind]))])

    def _filled(self, template: list[str]) -> str:
        first = self._objects[self.number(len(self._objects))]
        others = [pair for pair in self._objects if pair != first]
        one, other = first[self._side], others[self.number(len(others))][self._side]
        action, action_other = self._two(len(self._actions))
        noun = 0 if self.language == "en" else 2
        return template[self._side].format(
            action=self._actions[action][noun],
            verb=self._actions[action][noun + 1],
            verb2=self._actions[action_other][noun + 1],
            object=one,
            object2=other,
            of_object=one.replace("les ", "des ", 1),
            of_object2=other.replace("les ", "des ", 1),
            to_object=one.replace("les ", "aux ", 1),
            context=self._contexts[self.number(len(self._contexts))][self._side],
        )

    def paragraph(self, kind: str, sentences: int) -> str:
        """Return several different sentences of a kind."""
        return " ".join(self._different(kind, sentences))

    def items(self, count: int) -> list[str]:
        """Return list items: all but the last end with a semicolon, the last with a full stop."""
        phrases = self._different("item", count)
        joint = {"en": "; and", "fr": "; et"}[self.language]
        endings = [";"] * (count - 2) + [joint] * (count > 1) + ["."]
        return [phrase + ending for phrase, ending in zip(phrases, endings, strict=True)]

    @property
    def _side(self) -> int:
        return 0 if self.language == "en" else 1

    def _two(self, below: int) -> tuple[int, int]:
        first = self.number(below)
        second = self.number(below)
        return first, (second + 1) % below if second == first else second

    def _different(self, kind: str, count: int) -> list[str]:
        templates = self._sentences[kind]
        start = self.number(len(templates))
        phrases: list[str] = []
        while len(phrases) < count:
            phrase = self._filled(templates[(start + len(phrases)) % len(templates)])
            if phrase not in phrases:
                phrases.append(phrase)
        return phrases


def text_key(anchor: str) -> str:
    """Return the key of an anchor's text: the same for the two anchors of a twin pair."""
    match = re.fullmatch(r"def-sr[ew]-(.+)", anchor)
    return f"def-sr-{match[1]}" if match and match[1] in TWIN_SUBGROUPS else anchor


def subject_of(anchor: str) -> str:
    """Return the code an anchor or a fragment begins with."""
    return anchor.removeprefix("def-").partition("-")[0]


def long_date(day: str, language: str) -> str:
    """Return a date such as 1999-03-18 in words; a first of the month is ``1er`` in French."""
    year, month, number = (int(part) for part in day.split("-"))
    if language == "en":
        return f"{_ENGLISH_MONTHS[month - 1]} {number}, {year}"
    return f"{'1er' if number == 1 else number} {_FRENCH_MONTHS[month - 1]} {year}"


def colon(language: str) -> str:
    """Return a colon with the space that French puts before it."""
    return ":" if language == "en" else f"{NO_BREAK_SPACE}:"


@cache
def _vocabulary() -> dict[str, Any]:
    return tomllib.loads(_VOCABULARY_FILE.read_text(encoding="utf-8"))


@cache
def _theme(subject: str) -> str:
    themes: dict[str, list[str]] = _vocabulary()["themes"]
    return next((theme for theme, codes in themes.items() if subject in codes), "")
