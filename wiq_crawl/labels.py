"""The words expected on the pages, from ``labels.toml``."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

LANGUAGES = ("en", "fr")
FILE = Path(__file__).with_name("labels.toml")

Match = Literal["equals", "contains", "pattern"]

_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'"})


def normalise(text: str) -> str:
    """Text as labels are compared: NFC, case folded, straight apostrophes, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_APOSTROPHES).casefold().split())


_wanted = cache(normalise)  # the labels’ own texts: few, and compared with every heading


@dataclass(frozen=True, slots=True)
class Label:
    """The words expected for one thing in one language."""

    key: str
    language: str
    texts: tuple[str, ...]
    match: Match
    confirmed: bool

    def matches(self, text: str) -> bool:
        """Whether the text found on a page is this label."""
        found = normalise(text)
        if self.match == "pattern":
            return any(re.search(pattern, found) for pattern in self.texts)
        if self.match == "contains":
            return any(_wanted(wanted) in found for wanted in self.texts)
        return any(_wanted(wanted) == found for wanted in self.texts)

    def __str__(self) -> str:
        """The label as error messages name it."""
        words = " or ".join(f"«{text}»" for text in self.texts)
        return f"{words} ({self.match})" if self.match != "equals" else words

    @property
    def next_step(self) -> str:
        """What a maintainer does when a page does not carry the label."""
        if self.confirmed:
            return f"if the site changed, correct {self.key} in wiq_crawl/labels.toml"
        return (
            f"{self.key} ({self.language}) is not confirmed yet: run «scrapy crawl tbs -a probe=1», "
            "then correct it in wiq_crawl/labels.toml"
        )


@cache
def labels(language: str) -> dict[str, Label]:
    """All labels of a language by key, in the order of the file."""
    loaded = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {
        key: Label(
            key, language, tuple(entry[language]["texts"]), entry[language]["match"], entry[language]["confirmed"]
        )
        for key, entry in loaded.items()
    }


def label(key: str, language: str) -> Label:
    """One label; KeyError where ``labels.toml`` has no such key."""
    return labels(language)[key]


def main_table_columns() -> tuple[str, ...]:
    """Names of the main table's columns, in order."""
    return tuple(key.removeprefix("header.") for key in labels("en") if key.startswith("header."))


def unconfirmed() -> list[Label]:
    """Labels that nobody has compared with the live page yet."""
    return [found for language in LANGUAGES for found in labels(language).values() if not found.confirmed]
