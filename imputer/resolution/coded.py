"""Titles that stewards have coded: what is known of them beside their texts, for titles like them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from imputer.resolution.normalise import normalise, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

CONTEXT = ("job_function", "job_family", "managerial_level")
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Coded:
    """Coded titles in the order of their unit groups; context as numbers, UNKNOWN where blank.

    ``numbers`` maps each context value, in either language, to its number.
    """

    keys: dict[str, tuple[str, ...]]
    groups: NDArray[np.int64]
    context: NDArray[np.int64]
    numbers: tuple[dict[str, int], ...]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.groups)


def coded_titles(titles: pa.Table | None, unit_groups: Sequence[str]) -> Coded:
    """The rows of ``job_titles`` that have a unit group of ``unit_groups``, whatever their order."""
    place_of = {code: place for place, code in enumerate(unit_groups)}
    rows = [] if titles is None else titles.to_pylist()
    numbers: tuple[dict[str, int], ...] = tuple({} for _ in CONTEXT)
    for known, name in zip(numbers, CONTEXT, strict=True):
        spelled = {tuple(_keys(row, name)) for row in rows}
        for number, keys in enumerate(sorted(keys for keys in spelled if keys)):
            for key in keys:
                known.setdefault(key, number)
    used = sorted(
        (row for row in rows if row["unit_group"] in place_of and row["title_en"]),
        key=lambda row: (row["unit_group"], row["title_en"], row["title_fr"] or "", row["job_title_id"]),
    )
    texts = {
        language: tuple(normalise(row[f"title_{language}"] or "", language) for row in used)
        for language in ("en", "fr")
    }
    context = [[_number(row, name, known) for name, known in zip(CONTEXT, numbers, strict=True)] for row in used]
    groups = np.array([place_of[row["unit_group"]] for row in used], dtype=np.int64)
    return Coded(texts, groups, np.array(context, dtype=np.int64).reshape(-1, len(CONTEXT)), numbers)


def context_numbers(coded: Coded, values: Sequence[str | None]) -> list[int]:
    """Function, family and level as numbers; UNKNOWN for a blank and for what no coded title has."""
    return [
        known.get(plain(value).strip(), UNKNOWN) if value else UNKNOWN
        for known, value in zip(coded.numbers, values, strict=True)
    ]


def _keys(row: dict[str, Any], name: str) -> list[str]:
    return [plain(value).strip() for language in ("en", "fr") if (value := row[f"{name}_{language}"])]


def _number(row: dict[str, Any], name: str, known: dict[str, int]) -> int:
    keys = _keys(row, name)
    return known[keys[0]] if keys else UNKNOWN
