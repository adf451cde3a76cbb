"""Findings of lists: tasks and technologies of any of the occupations, and distributions of answers.

A list is a JSON array: of texts for tasks and technologies, each once, those of most occupations first; of objects
with category, label and per cent for distributions (a category that is not there has 0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from imputer.onet.findings import FINDINGS
from imputer.onet.queries import answer
from imputer.sources.onet_scales import LISTS

if TYPE_CHECKING:
    import duckdb

    from imputer.onet.rules import OnetRules
    from imputer.sources.onet_database import OnetDatabase

# What is central to an occupation goes first, and every occupation's first item before any one's second.
_TASKS = """
    select soc, task as item, task_type is not distinct from 'Core' as central, false as rising, source_row,
        row_number() over (partition by soc order by task_type is distinct from 'Core', source_row) as place
    from tasks
"""
_TECHNOLOGIES = """
    select soc, example as item, hot_technology as central, in_demand as rising, source_row, 0 as place
    from technology_skills
"""
_UNION = """
with stated as (select l.unit_group, s.* from links l join ({items}) s on s.soc = l.soc),
counted as (
    select unit_group, item, count(distinct soc) as n, bool_or(central) as central, bool_or(rising) as rising,
        min(place) as place
    from stated group by unit_group, item
),
ordered as (
    select *, row_number() over (
        partition by unit_group order by n desc, central desc, rising desc, place, lower(item), item
    ) as number
    from counted
),
lists as (
    select unit_group, count(*) as total, avg(n) as shared,
        to_json(list(item order by number) filter (number <= $listed))::varchar as value_text,
        list(n order by number) filter (number <= $listed) as counts
    from ordered group by unit_group
),
cells as (
    select unit_group, count(*)::integer as n_rated, to_json(list(soc order by soc))::varchar as occupations,
        string_agg(first || '-' || last, ', ' order by soc) as rows
    from (
        select unit_group, soc, min(source_row) as first, max(source_row) as last
        from stated group by unit_group, soc
    )
    group by unit_group
)
select
    unit_group, $attribute as attribute_id, null::varchar as scale, null::double as value_number, value_text, n_rated,
    null::double as spread, case when n_rated > 1 then 'share' end as spread_kind,
    case when n_rated > 1 then shared / n_rated else $assumed end as dispersion,
    null::double as agreement, null::double as first_value,
    null::double as second_value, 0 as n_suppressed, 0 as n_not_relevant,
    null::varchar as newest, occupations,
    json_object('listed', len(counts), 'shared_by', list_transform(
        list_reverse_sort(list_distinct(counts)), lambda n: [n, len(list_filter(counts, lambda other: other = n))]
    ), 'total', total)::varchar as details,
    'Union' as summary, $source as source_id, rows
from lists join cells using (unit_group)
"""

# The spread of a distribution is the mean share of answers by which the occupations differ from their mean.
_SHARES = """
with stated as (
    select l.unit_group, a.attribute_id, s.scale_id, s.soc, l.weight, s.category, s.label, s.value,
        s.recommend_suppress, s.date, s.source_id, s.source_row
    from links l join shares s on s.soc = l.soc
    join share_attributes a on a.element_id = s.element_id and a.scale_id = s.scale_id
),
mixed as (
    select unit_group, attribute_id, category, any_value(label) as label, sum(weight * value) / sum(weight) as per_cent
    from stated group by unit_group, attribute_id, category
),
lists as (
    select unit_group, attribute_id, to_json(list(
        {'category': category, 'label': label, 'per_cent': round(per_cent, 2)} order by category
    ) filter (round(per_cent, 2) > 0))::varchar as value_text
    from mixed group by unit_group, attribute_id
),
apart as (
    select unit_group, attribute_id, scale_id, soc, sum(abs(value - per_cent)) / 200 as distance, max(date) as newest,
        coalesce(bool_or(recommend_suppress), false) as suppressed, any_value(source_id) as source_id,
        min(source_row) as first, max(source_row) as last
    from stated join mixed using (unit_group, attribute_id, category)
    group by unit_group, attribute_id, scale_id, soc
),
cells as (
    select unit_group, attribute_id, any_value(scale_id) as scale, count(*)::integer as n_rated,
        round(avg(distance), 4) as distance, max(newest) as newest,
        count(*) filter (suppressed)::integer as n_suppressed, any_value(source_id) as source_id,
        to_json(list(soc order by soc))::varchar as occupations,
        string_agg(first || '-' || last, ', ' order by soc) as rows
    from apart group by unit_group, attribute_id
)
select
    unit_group, attribute_id, scale, null::double as value_number, value_text, n_rated,
    case when n_rated > 1 then distance end as spread,
    case when n_rated > 1 then 'distance' end as spread_kind,
    case when n_rated > 1 then 1 - least(distance, 1.0) else $assumed end as dispersion,
    null::double as agreement, null::double as first_value,
    null::double as second_value, n_suppressed, 0 as n_not_relevant, newest, occupations,
    null::varchar as details, 'Mean distribution' as summary, source_id, rows
from lists join cells using (unit_group, attribute_id)
"""


def list_findings(connection: duckdb.DuckDBPyConnection, database: OnetDatabase, rules: OnetRules) -> pa.Table:
    """One finding per unit group and list; at most ``rules.listed`` items, their total in the details."""
    connection.register("tasks", database.tasks)
    connection.register("technology_skills", database.technology_skills)
    connection.register("shares", database.shares)
    connection.register("share_attributes", _share_attributes(database.shares))
    found = []
    software = next((name for name in _SOFTWARE if name in database.versions), _SOFTWARE[0])
    for items, attribute, source in (
        (_TASKS, "onet.tasks", "onet_tasks"),
        (_TECHNOLOGIES, "onet.technology_skills", software),
    ):
        given = {
            "attribute": attribute,
            "source": source,
            "listed": rules.listed,
            "assumed": rules.assumed_dispersion,
        }
        found.append(answer(connection, _UNION.replace("{items}", items), given).cast(FINDINGS))
    found.append(answer(connection, _SHARES, {"assumed": rules.assumed_dispersion}).cast(FINDINGS))
    return pa.concat_tables(found)


_SOFTWARE = ("onet_technology_skills", "onet_software_skills")


def _share_attributes(shares: pa.Table) -> pa.Table:
    kinds = shares.group_by(["element_id", "scale_id"]).aggregate([])
    pairs = sorted((kind["element_id"], kind["scale_id"]) for kind in kinds.to_pylist())
    return pa.table(
        {
            "element_id": pa.array([element for element, _ in pairs], pa.string()),
            "scale_id": pa.array([scale for _, scale in pairs], pa.string()),
            "attribute_id": pa.array(
                [LISTS.get(scale, f"onet.{element}.{scale}") for element, scale in pairs], pa.string()
            ),
        }
    )
