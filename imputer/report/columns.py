"""What several tables of the report have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imputer.wording import number

if TYPE_CHECKING:
    Rows = list[dict[str, Any]]


def numbers(words: int, columns: list[str]) -> list[bool]:
    """Which columns hold numbers: all but the first ``words``."""
    return [place >= words for place in range(len(columns))]


def listed(names: list[str], rows: Rows, key: str, language: str) -> str:
    """Names with their counts, in a sentence."""
    return "; ".join(f"{name}: {number(row[key], language)}" for name, row in zip(names, rows, strict=True))
