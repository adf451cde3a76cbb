"""The curated map: which O*NET element says the same as an OaSIS descriptor, how surely, and why."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from imputer.errors import SourceMalformed

MAP = Path(__file__).with_name("descriptor_map.csv")
COLUMNS = ("attribute_id", "oasis_name", "element_id", "element_name", "relation", "confidence", "reason")

#: ``exact``: same name and meaning; ``synonym``: same meaning; ``broader``, ``narrower``: the element says more or
#: less than the descriptor; ``weak``: they touch; ``none``: O*NET has no such element.
RELATIONS = ("exact", "synonym", "broader", "narrower", "weak", "none")


@dataclass(frozen=True, slots=True)
class Link:
    """One OaSIS descriptor and one O*NET element (None where there is none), from row ``row`` of the map.

    ``confidence`` (0 to 1) is the curator's, that the two mean the same.
    """

    attribute_id: str
    oasis_name: str
    element_id: str | None
    element_name: str | None
    relation: str
    confidence: float
    reason: str
    row: int


def read_descriptor_map(path: Path = MAP) -> tuple[Link, ...]:
    """Every row of the map, in its order; a descriptor's surest element comes first.

    Raises SourceMalformed for other columns, an unknown relation or a confidence outside 0 to 1.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise SourceMalformed(
            "the descriptor map has other columns",
            ", ".join(COLUMNS),
            ", ".join(rows[0]) if rows else "nothing",
            url=str(path),
        )
    return tuple(_link(path, number, row) for number, row in enumerate(rows[1:], start=1))


def links_by_attribute(links: tuple[Link, ...]) -> dict[str, tuple[Link, ...]]:
    """The links of each descriptor, in the order of the map; none for a descriptor without an element."""
    found: dict[str, tuple[Link, ...]] = {}
    for link in links:
        found[link.attribute_id] = found.get(link.attribute_id, ()) + ((link,) if link.element_id else ())
    return found


def _link(path: Path, number: int, row: list[str]) -> Link:
    if len(row) != len(COLUMNS) or row[4] not in RELATIONS or bool(row[2]) == (row[4] == "none"):
        expected = (
            f"{len(COLUMNS)} cells, an element, and one of the relations {', '.join(RELATIONS)} (none: no element)"
        )
        raise SourceMalformed("a row of the descriptor map is broken", expected, str(row), url=str(path), row=number)
    confidence = float(row[5])
    if not 0 <= confidence <= 1:
        raise SourceMalformed(
            "a confidence of the descriptor map is out of bounds", "0 to 1", row[5], str(path), row=number
        )
    return Link(row[0], row[1], row[2] or None, row[3] or None, row[4], confidence, row[6], number)
