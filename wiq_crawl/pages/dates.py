"""Dates as the two languages write them."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

MONTHS = {
    "en": "january february march april may june july august september october november december".split(),
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
}
_PATTERNS = {
    "en": re.compile(
        rf"\b(?P<month>{'|'.join(MONTHS['en'])})\s*(?P<day>\d{{1,2}})\s*,\s*(?P<year>\d{{4}})\b", re.IGNORECASE
    ),
    "fr": re.compile(
        rf"\b(?P<day>\d{{1,2}})\s*(?:er)?\s+(?P<month>{'|'.join(MONTHS['fr'])})\s+(?P<year>\d{{4}})\b", re.IGNORECASE
    ),
}
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class FoundDate(NamedTuple):
    """A date in a text, with the characters it covers."""

    value: date
    start: int
    end: int


def find_dates(text: str, language: str) -> list[FoundDate]:
    """Every written date of the text in order; impossible ones (February 30) are left out."""
    found = []
    for match in _PATTERNS[language].finditer(text):
        month = MONTHS[language].index(match["month"].lower()) + 1
        value = _date(int(match["year"]), month, int(match["day"]))
        if value:
            found.append(FoundDate(value, *match.span()))
    return found


def iso_date(text: str) -> str | None:
    """The text as an ISO date where it is one that exists, else None."""
    text = text.strip()
    if not ISO_DATE.fullmatch(text):
        return None
    year, month, day = (int(part) for part in text.split("-"))
    return text if _date(year, month, day) else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
