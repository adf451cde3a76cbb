"""The words in which people read a run, English and French, and numbers and dates as each language writes them."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

LANGUAGES = ("en", "fr")
LABELS = Path(__file__).with_name("labels.toml")

#: Narrow no-break space: what French puts between thousands and before % : ; ! ?
THIN_SPACE = "\u202f"


@cache
def labels() -> dict[str, dict[str, dict[str, str]]]:
    """Every label, by section and key, in both languages (labels.toml)."""
    return tomllib.loads(LABELS.read_text(encoding="utf-8"))


def word(section: str, key: str | None, language: str) -> str:
    """A label; a key that has none is shown as it is, with spaces for underscores. Empty for None."""
    if key is None:
        return ""
    known = labels()[section].get(key)
    return known[language] if known else key.replace("_", " ")


def text(key: str, language: str, /, **given: object) -> str:
    """A sentence or heading of section ``text``, with its blanks filled. Raises KeyError for an unknown key."""
    return labels()["text"][key][language].format(**given)


def number(value: float | None, language: str, digits: int = 2, *, exactly: bool = False) -> str:
    """A number with at most (``exactly``: just) so many decimals: «1,234.5» or «1 234,5»; a dash for None."""
    if value is None:
        return "–"
    shown = f"{value:,.{digits}f}"
    if "." in shown and not exactly:
        shown = shown.rstrip("0").rstrip(".")
    shown = _unsigned_zero(shown)
    if language == "fr":
        shown = shown.replace(",", THIN_SPACE).replace(".", ",")
    return shown


def percent(share: float | None, language: str, digits: int = 1) -> str:
    """A share from 0 to 1 in percent: «45.2%» or «45,2 %»; a dash for None."""
    if share is None:
        return "–"
    shown = _unsigned_zero(f"{share * 100:.{digits}f}")
    return f"{shown.replace('.', ',')}{THIN_SPACE}%" if language == "fr" else f"{shown}%"


def _unsigned_zero(shown: str) -> str:
    """What rounds to zero has no sign."""
    return shown if shown.strip("-0.") else shown.removeprefix("-")


def quote(given: str, language: str) -> str:
    """A text in the language's quotation marks."""
    return f"« {given} »" if language == "fr" else f"“{given}”"


def moment(given: datetime | None) -> str:
    """A time in UTC, to the minute, the same in both languages (ISO 8601); a dash for None."""
    return "–" if given is None else f"{given:%Y-%m-%d %H:%M} UTC"
