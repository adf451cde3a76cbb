"""Findings of measured attributes: the mean, how far the occupations lie apart, how far the crosswalks do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imputer.onet.aggregate import means, population
from imputer.onet.findings import FINDINGS
from imputer.onet.queries import answer

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from imputer.onet.links import Links
    from imputer.onet.rules import OnetRules

# Distances count by how far occupations lie apart anyway: 1 / (1 + (distance / population deviation)²), and 1 where
# nothing lies apart.
_ALIKE = """
create or replace temp macro alike(distance, deviation) as
    coalesce(1 / (1 + (distance / nullif(deviation, 0)) ** 2), case when distance is not null then 1.0 end)
"""
_NUMBERS = """
select
    m.unit_group, m.attribute_id, m.scale_id as scale, m.value as value_number, null::varchar as value_text, m.n_rated,
    coalesce(m.deviation, m.standard_error) as spread,
    case when m.deviation is not null then 'deviation' when m.standard_error is not null then 'standard error' end
        as spread_kind,
    case when m.n_rated > 1 then alike(m.deviation, p.population_deviation)
        else $assumed * coalesce(alike(m.standard_error, p.population_deviation), 1) end as dispersion,
    alike(a.value - b.value, p.population_deviation) as agreement,
    a.value as first_value, b.value as second_value,
    m.n_suppressed, m.n_not_relevant, m.newest,
    to_json(map(m.socs, m.socs_values))::varchar as occupations,
    case when m.value <> m.mean then json_object('mean', m.mean)::varchar end as details,
    case when m.scale_id = 'JZ' then 'Median' else 'Mean' end as summary,
    m.source_id,
    array_to_string(m.source_rows, ', ') as rows
from own m
join population p on p.domain = m.domain and p.scale_id = m.scale_id
left join first_means a on a.unit_group = m.unit_group and a.attribute_id = m.attribute_id
left join second_means b on b.unit_group = m.unit_group and b.attribute_id = m.attribute_id
"""


def number_findings(connection: duckdb.DuckDBPyConnection, links: Links, rules: OnetRules) -> pa.Table:
    """One finding per unit group and measured attribute; ``spread`` in points of the attribute's scale.

    For one occupation the spread is the standard error of its rating, and the dispersion starts from the assumed one:
    an occupation is no surer for being alone.
    Leaves the means in the table ``own``.
    """
    connection.execute(_ALIKE)
    own = means(connection)
    connection.register("own", own)
    for name, compared in (("first", links.first), ("second", links.second)):
        connection.register("compared_links", compared)
        connection.register(f"{name}_means", own if compared is links.used else means(connection, "compared_links"))
    connection.register("population", population(connection))
    return answer(connection, _NUMBERS, {"assumed": rules.assumed_dispersion}).cast(FINDINGS)
