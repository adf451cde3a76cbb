"""Which occupations stand for a unit group, and with which weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from imputer.errors import SourceMissing
from imputer.onet.rules import BOTH, DEFAULT_CROSSWALK

if TYPE_CHECKING:
    from imputer.onet.rules import OnetRules

# The weight by which the second crosswalk came closest to OaSIS.
COMPARED = "base_weight"
_ORDER = [("unit_group", "ascending"), ("soc", "ascending")]


def plain_links(crosswalk: pa.Table) -> pa.Table:
    """The first crosswalk's distinct pairs, all with weight 1: unit_group, soc, weight, rows."""
    pairs = crosswalk.sort_by(_ORDER)
    weight = pa.repeat(pa.scalar(1.0), pairs.num_rows)
    return pa.table([pairs["unit_group"], pairs["soc"], weight, pairs["source_rows"]], _NAMES)


def weighted_links(weighted: pa.Table, weight: str) -> pa.Table:
    """The second crosswalk's pairs with one of its weights, in the same columns."""
    pairs = weighted.sort_by(_ORDER)
    rows = pa.array([[row] for row in pairs["source_row"].to_pylist()], pa.list_(pa.int32()))
    return pa.table([pairs["unit_group"], pairs["soc"], pairs[weight], rows], _NAMES)


def merged_links(crosswalk: pa.Table, weighted: pa.Table, weight: str) -> pa.Table:
    """Every pair that either crosswalk has; each one's weights add up to a half per unit group that it covers."""
    first, second = plain_links(crosswalk), weighted_links(weighted, weight)
    counts = first.group_by("unit_group").aggregate([("soc", "count")])
    of_group = dict(zip(counts["unit_group"].to_pylist(), counts["soc_count"].to_pylist(), strict=True))
    merged: dict[tuple[str, str], tuple[float, list[int]]] = {}
    for link in first.to_pylist():
        merged[link["unit_group"], link["soc"]] = (0.5 / of_group[link["unit_group"]], link["rows"])
    for link in second.to_pylist():
        before, rows = merged.get((link["unit_group"], link["soc"]), (0.0, []))
        merged[link["unit_group"], link["soc"]] = (before + 0.5 * link["weight"], rows)
    pairs = sorted(merged)
    return pa.table(
        {
            "unit_group": [group for group, _ in pairs],
            "soc": [soc for _, soc in pairs],
            "weight": pa.array([merged[pair][0] for pair in pairs], pa.float64()),
            "rows": pa.array([merged[pair][1] for pair in pairs], pa.list_(pa.int32())),
        }
    )


@dataclass(frozen=True, slots=True)
class Links:
    """The links to aggregate over (``used``), and either crosswalk's own to compare with each other."""

    used: pa.Table
    first: pa.Table
    second: pa.Table


def chosen_links(crosswalk: pa.Table, weighted: pa.Table | None, rules: OnetRules) -> Links:
    """What the rules ask for; ``second`` is empty where the second crosswalk is not there (None or without rows).

    Raises SourceMissing where the rules ask for the second crosswalk and it is not there.
    """
    first = plain_links(crosswalk)
    if weighted is None or not weighted.num_rows:
        if rules.crosswalk == DEFAULT_CROSSWALK:
            return Links(first, first, first.slice(0, 0))
        raise SourceMissing(
            "the weighted crosswalk is not there",
            f"it, for the crosswalk setting {rules.crosswalk!r}",
            next_step="get it with `imputer sources fetch`, or set the crosswalk to `mean`",
        )
    second = weighted_links(weighted, COMPARED if rules.crosswalk in (DEFAULT_CROSSWALK, BOTH) else rules.crosswalk)
    if rules.crosswalk == BOTH:
        return Links(merged_links(crosswalk, weighted, COMPARED), first, second)
    return Links(first if rules.crosswalk == DEFAULT_CROSSWALK else second, first, second)


_NAMES = ["unit_group", "soc", "weight", "rows"]
