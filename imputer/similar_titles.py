"""What the most similar job titles say of a cell: their mean, weighted by likeness. It needs no key and no network.

The estimate alone, in DuckDB: whose neighbours and which values is the caller's business, so a run and a backtest make
it in the same way. Only numbers have a mean; texts and lists get none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

#: Neighbours that have a value of the attribute and are averaged, at most.
NEIGHBOURS_AVERAGED = 5
#: Neighbours looked at, at most: not each has a value of every attribute.
NEIGHBOURS_LOOKED_AT = 24

_NEIGHBOURS = pa.schema(
    [("entity_id", pa.string()), ("other", pa.string()), ("place", pa.int32()), ("likeness", pa.float64())]
)

# Sums run along lists in the order of places: the order of rows does not change the last digit. The mean of equal
# numbers may miss them by a rounding, hence the bounds. A quarter of the scale as spread halves the confidence, as it
# does for the mean over a unit group's profiles.
_ESTIMATE = """
CREATE OR REPLACE TEMP TABLE {made} AS
WITH known AS (
    SELECT c.entity_id, c.attribute_id, width, other, place, likeness, v.value_number
    FROM {cells} c JOIN {neighbours} n ON n.entity_id = c.entity_id
    JOIN {values} v ON v.entity_id = n.other AND v.attribute_id = c.attribute_id
    WHERE likeness > 0 AND v.value_number IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY c.entity_id, c.attribute_id ORDER BY place) <= $most
), gathered AS (
    SELECT entity_id, attribute_id, any_value(width) AS width, count(*) AS n, min(value_number) AS lowest,
        max(value_number) AS highest,
        list({{other: other, likeness: likeness, value_number: value_number}} ORDER BY place) AS neighbours
    FROM known GROUP BY entity_id, attribute_id
), weighed AS (
    SELECT *, list_sum([one.likeness FOR one IN neighbours]) AS weight FROM gathered
), averaged AS (
    SELECT *, weight / n AS likeness,
        greatest(lowest, least(highest,
            list_sum([one.likeness * one.value_number FOR one IN neighbours]) / weight)) AS value_number
    FROM weighed
), spread AS (
    SELECT *, sqrt(list_sum([one.likeness * pow(one.value_number - value_number, 2) FOR one IN neighbours]) / weight)
        AS spread
    FROM averaged
)
SELECT entity_id, attribute_id, value_number, n, spread, lowest, highest, likeness,
    likeness / (1 + coalesce(pow(spread / (nullif(width, 0) / 4), 2), 0)) AS confidence, neighbours
FROM spread
"""


def estimate_cells(
    connection: duckdb.DuckDBPyConnection, *, cells: str, neighbours: str, values: str, made: str = "estimated"
) -> None:
    """Make the temporary table ``made``: one row per cell that has a neighbour with a value; the others have none.

    The rest are names of relations of ``connection``, or queries in brackets::

        cells       entity_id, attribute_id, width: what is wanted, each once; width of the attribute's scale (or null)
        neighbours  entity_id, other, place, likeness: place 0 or 1 is the nearest, each once; likeness 0 to 1
        values      entity_id, attribute_id, value_number: what the others have, one row per cell

    ``made`` holds entity_id, attribute_id, value_number (mean over the first five neighbours that have a value,
    weighted by likeness), n, spread (weighted standard deviation), lowest, highest, likeness (mean), confidence (mean
    likeness, lowered by the spread; 0 to 1) and neighbours, a list of {other, likeness, value_number}, nearest first.
    """
    connection.execute(
        _ESTIMATE.format(made=made, cells=cells, neighbours=neighbours, values=values), {"most": NEIGHBOURS_AVERAGED}
    )


def register_neighbours(
    connection: duckdb.DuckDBPyConnection, likened: Mapping[str, Sequence[tuple[str, float]]], name: str
) -> None:
    """Make the temporary table ``name`` for ``estimate_cells`` of what ``Neighbours.likened`` found.

    Likeness is rounded to four digits, as evidence shows it, so an estimate can be made again from its evidence.
    """
    rows = [
        {"entity_id": key, "other": other, "place": place, "likeness": round(likeness, 4)}
        for key, near in likened.items()
        for place, (other, likeness) in enumerate(near, start=1)
    ]
    connection.register("_likened", pa.Table.from_pylist(rows, schema=_NEIGHBOURS))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM _likened")
    connection.unregister("_likened")
