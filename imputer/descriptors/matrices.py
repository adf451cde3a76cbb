"""Unit groups by ratings: the long tables of the sources as matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: O*NET scales that name a category or a rank: not quantities to compare by.
_NOT_QUANTITIES = ("IH", "VH", "CXP", "CTP")


@dataclass(frozen=True, slots=True)
class Matrix:
    """Values by row key (sorted) and column key (sorted); NaN where there is none."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: NDArray[np.float64]

    def column(self, name: str) -> NDArray[np.float64]:
        """One column's values, in the order of the rows."""
        return self.values[:, self.columns.index(name)]

    def at_rows(self, rows: Sequence[str]) -> Matrix:
        """The same columns for other rows, in their order; NaN for rows that it does not have."""
        places = {row: place for place, row in enumerate(self.rows)}
        values = np.full((len(rows), len(self.columns)), np.nan)
        for place, row in enumerate(rows):
            if row in places:
                values[place] = self.values[places[row]]
        return Matrix(tuple(rows), self.columns, values)


def pivot(table: pa.Table, row: str, column: str, value: str) -> Matrix:
    """A long table as a matrix; several values of one cell are averaged, nulls left out."""
    table = table.filter(pc.is_valid(table[value])).select([row, column, value])
    means = table.group_by([row, column]).aggregate([(value, "mean")])
    row_codes, rows = _codes(means[row])
    column_codes, columns = _codes(means[column])
    values = np.full((len(rows), len(columns)), np.nan)
    values[row_codes, column_codes] = means[f"{value}_mean"].to_numpy()
    return Matrix(rows, columns, values)


def unit_group_ratings(oasis_ratings: pa.Table, oasis_profiles: pa.Table) -> Matrix:
    """OaSIS ratings averaged over the profiles of each unit group; 0, «not applicable», counts as 0."""
    profiles = oasis_profiles.select(["profile", "unit_group"])
    joined = oasis_ratings.select(["profile", "attribute_id", "value"]).join(profiles, "profile", join_type="inner")
    return pivot(joined, "unit_group", "attribute_id", "value")


def onet_quantities(onet_values: pa.Table) -> Matrix:
    """The numeric O*NET values of unit groups that are quantities, by attribute id (``onet.2.A.1.a.LV``)."""
    table = onet_values.select(["unit_group", "attribute_id", "value_number"])
    names = pc.unique(table["attribute_id"]).to_pylist()
    kept = [name for name in names if name.rpartition(".")[2] not in _NOT_QUANTITIES]
    table = table.filter(pc.is_in(table["attribute_id"], value_set=pa.array(kept, pa.string())))
    return pivot(table, "unit_group", "attribute_id", "value_number")


def _codes(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    names, codes = np.unique(column.to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    return codes.astype(np.int64), tuple(names.tolist())
