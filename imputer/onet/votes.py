"""Findings of nominal attributes, the high points of interests and work values: what most occupations have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from imputer.errors import SourceMalformed
from imputer.onet.findings import FINDINGS
from imputer.onet.queries import answer
from imputer.sources.onet_scales import HIGH_POINTS

if TYPE_CHECKING:
    import duckdb

    from imputer.onet.rules import OnetRules
    from imputer.sources.onet_database import OnetDatabase

_LETTERS = "abcdef"
# A tie goes to the alternative with the higher mean rating, then to the one that O*NET lists first.
_VOTES = """
with voted as (
    select l.unit_group, 'onet.' || r.element_id || '.' || r.scale_id as attribute_id, r.scale_id, r.soc, r.value,
        n.name, n.rated, l.weight, r.date, r.source_id, r.source_row
    from links l
    join high_points r on r.soc = l.soc
    join alternatives n on n.scale_id = r.scale_id and n.number = r.value
),
counted as (
    select unit_group, attribute_id, scale_id, value, name, sum(weight) as votes, any_value(rated) as rated,
        round(sum(weight) / sum(sum(weight)) over (partition by unit_group, attribute_id), 4) as share
    from voted group by unit_group, attribute_id, scale_id, value, name
),
elected as (
    select c.*, row_number() over (
        partition by c.unit_group, c.attribute_id order by c.share desc, m.value desc nulls last, c.value
    ) as place
    from counted c left join own m on m.unit_group = c.unit_group and m.attribute_id = c.rated
),
shares as (
    select unit_group, attribute_id, json_object('shares', map(list(name order by name), list(share order by name)))
        ::varchar as details
    from elected group by unit_group, attribute_id
),
cells as (
    select unit_group, attribute_id, count(*)::integer as n_rated, max(date) as newest,
        to_json(map(list(soc order by soc), list(name order by soc)))::varchar as occupations,
        any_value(source_id) as source_id, array_to_string(list(source_row order by soc), ', ') as rows
    from voted group by unit_group, attribute_id
)
select
    e.unit_group, e.attribute_id, e.scale_id as scale, null::double as value_number, e.name as value_text, c.n_rated,
    null::double as spread, case when c.n_rated > 1 then 'share' end as spread_kind,
    case when c.n_rated > 1 then e.share else $assumed end as dispersion,
    null::double as agreement, null::double as first_value,
    null::double as second_value, 0 as n_suppressed, 0 as n_not_relevant, c.newest,
    c.occupations, case when c.n_rated > 1 then s.details end as details, 'Most frequent' as summary,
    c.source_id, c.rows
from elected e
join cells c using (unit_group, attribute_id)
join shares s using (unit_group, attribute_id)
where e.place = 1
"""


def vote_findings(connection: duckdb.DuckDBPyConnection, database: OnetDatabase, rules: OnetRules) -> pa.Table:
    """One finding per unit group and high point: a name. Needs the means (``own``) for breaking ties.

    Raises SourceMalformed where a number stands for none of the release's interests or work values.
    """
    ratings = database.ratings
    high_points = ratings.filter(pc.is_in(ratings["scale_id"], pa.array([*HIGH_POINTS])))
    alternatives = _alternatives(ratings)
    _check_named(high_points, alternatives)
    connection.register("high_points", high_points)
    connection.register("alternatives", alternatives)
    return answer(connection, _VOTES, {"assumed": rules.assumed_dispersion}).cast(FINDINGS)


def _check_named(high_points: pa.Table, alternatives: pa.Table) -> None:
    known = {(record["scale_id"], record["number"]) for record in alternatives.to_pylist()}
    for record in high_points.group_by(["scale_id", "value"]).aggregate([("source_row", "min")]).to_pylist():
        if (record["scale_id"], record["value"]) not in known:
            raise SourceMalformed(
                "a high point of O*NET stands for nothing that the release rates",
                f"the number of an element under {HIGH_POINTS[record['scale_id']]}",
                f"{record['value']:g} on scale {record['scale_id']}",
                row=record["source_row_min"],
                next_step="compare it with the published table of that release",
            )


def _alternatives(ratings: pa.Table) -> pa.Table:
    """The number of each interest or work value with its name and the attribute that rates it."""
    kinds = ratings.group_by(["element_id", "element_name", "scale_id"]).aggregate([]).to_pylist()
    found = []
    for record in sorted(kinds, key=lambda kind: (kind["element_id"], kind["scale_id"])):
        parent, _, letter = record["element_id"].rpartition(".")
        for scale, elements in HIGH_POINTS.items():
            if parent == elements and letter in _LETTERS and record["scale_id"] not in HIGH_POINTS:
                rated = f"onet.{record['element_id']}.{record['scale_id']}"
                found.append((scale, float(_LETTERS.index(letter) + 1), record["element_name"], rated))
    columns = list(zip(*found, strict=True)) or [(), (), (), ()]
    types = [pa.string(), pa.float64(), pa.string(), pa.string()]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    return pa.table(arrays, ["scale_id", "number", "name", "rated"])
