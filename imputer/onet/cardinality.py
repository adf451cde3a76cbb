"""How many unit groups and occupations stand on either side of the crosswalk: 1:1, 1:N, N:1 or N:M.

The first figure counts unit groups, the second occupations: 1:N is one unit group with several occupations that
are all its own, N:1 several unit groups that share their only occupation.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from imputer.onet.tables import conform

_ORDER = [("unit_group", "ascending"), ("soc", "ascending")]


def unit_group_cardinality(crosswalk: pa.Table) -> pa.Table:
    """Per unit group, sorted: unit_group, n_occupations, most_unit_groups (of any of its occupations), cardinality."""
    pairs = pair_cardinality(crosswalk)
    grouped = pairs.group_by("unit_group").aggregate([("n_occupations", "max"), ("n_unit_groups", "max")])
    grouped = grouped.sort_by("unit_group")
    own, shared = grouped["n_occupations_max"], grouped["n_unit_groups_max"]
    names = ["unit_group", "n_occupations", "most_unit_groups", "cardinality"]
    return pa.table([grouped["unit_group"], own, shared, _class(own, shared)], names)


def pair_cardinality(crosswalk: pa.Table) -> pa.Table:
    """Per pair, sorted: unit_group, soc, n_occupations (of the unit group), n_unit_groups (of the soc), cardinality."""
    pairs = crosswalk.select(["unit_group", "soc"])
    occupations = pairs.group_by("unit_group").aggregate([("soc", "count")]).rename_columns(["unit_group", "n"])
    groups = pairs.group_by("soc").aggregate([("unit_group", "count")]).rename_columns(["soc", "m"])
    joined = pairs.join(occupations, "unit_group").join(groups, "soc").sort_by(_ORDER)
    own, shared = (pc.cast(joined[name], pa.int64()) for name in ("n", "m"))
    names = ["unit_group", "soc", "n_occupations", "n_unit_groups", "cardinality"]
    return pa.table([joined["unit_group"], joined["soc"], own, shared, _class(own, shared)], names)


def crosswalk_cardinality(crosswalk: pa.Table) -> pa.Table:
    """The published table ``crosswalk_cardinality``: every pair, with its own class and its unit group's."""
    groups = unit_group_cardinality(crosswalk).select(["unit_group", "cardinality"])
    groups = groups.rename_columns(["unit_group", "unit_group_cardinality"])
    pairs = pair_cardinality(crosswalk).join(groups, "unit_group").sort_by(_ORDER)
    rows = crosswalk.sort_by(_ORDER)["source_rows"]
    stated = pairs.append_column("source_rows", rows)
    return conform(stated.append_column("source_id", pa.repeat("crosswalk", len(rows))), "crosswalk_cardinality")


def _class(occupations: pa.ChunkedArray, unit_groups: pa.ChunkedArray) -> pa.ChunkedArray:
    one, alone = pc.equal(occupations, 1), pc.equal(unit_groups, 1)
    return pc.if_else(one, pc.if_else(alone, "1:1", "N:1"), pc.if_else(alone, "1:N", "N:M"))
