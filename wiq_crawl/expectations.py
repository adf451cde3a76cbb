"""Envelopes and known exceptions, from ``expectations.toml`` (or the file that WIQ_EXPECTATIONS names)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from schemas import load_tables
from wiq_crawl.errors import BadArgument

FILE = Path(__file__).with_name("expectations.toml")


@dataclass(frozen=True, slots=True)
class Envelope:
    """A count and the numbers it may take: outside minimum..maximum is failure, not ``known`` is a warning."""

    name: str
    minimum: int
    maximum: int
    known: int | None


@dataclass(frozen=True, slots=True)
class Expectations:
    """All that a run is held against beside the pages' structure."""

    counts: tuple[Envelope, ...]
    twins: frozenset[frozenset[str]]
    missing_fragments: frozenset[tuple[str, str]]
    unavailable: dict[str, str]


def count_names() -> frozenset[str]:
    """Names a count may have: the verdict knows how to take these."""
    tables = load_tables("tbs")
    columns = next(column for column in tables["links"].columns if column.name == "table_column").schema["enum"]
    return frozenset(
        ["documents", "abbreviations", "distinct definitions"]
        + [f"rows of {name}" for name in tables]
        + [f"links of {name}" for name in columns if name]
    )


def load_expectations(path: Path = FILE) -> Expectations:
    """Read an expectations file; BadArgument where it is missing or malformed."""
    try:
        loaded = tomllib.loads(path.read_text(encoding="utf-8"))
        known = loaded["known"]
        counts = tuple(
            Envelope(count["name"], count["minimum"], count["maximum"], count.get("known"))
            for count in loaded.get("count", [])
        )
        unknown = {count.name for count in counts} - count_names()
        if unknown:
            raise ValueError("no count is named " + ", ".join(map(str, unknown)))  # noqa: TRY301
        return Expectations(
            counts=counts,
            twins=frozenset(frozenset(pair) for pair in known["twins"]),
            missing_fragments=frozenset(
                (entry["path"], entry["fragment"]) for entry in known.get("missing_fragment", [])
            ),
            unavailable=dict(known.get("unavailable", {})),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadArgument(
            "the expectations file cannot be read", "a file like wiq_crawl/expectations.toml", f"{path}: {error}"
        ) from error
