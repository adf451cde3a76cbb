"""Where the two crosswalks part: per unit group, the occupations that only one of them gives, and what that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imputer.onet.aggregate import means, population, rated_attributes
from imputer.onet.links import COMPARED, plain_links, weighted_links
from imputer.onet.queries import answer, open_database
from imputer.onet.tables import conform

if TYPE_CHECKING:
    import pyarrow as pa

    from imputer.sources.onet_database import OnetDatabase

_AGREEMENT = """
with occupations as (
    select coalesce(a.unit_group, b.unit_group) as unit_group, coalesce(a.soc, b.soc) as soc,
        a.soc is not null as in_first, b.soc is not null as in_second
    from first_links a full join second_links b on a.unit_group = b.unit_group and a.soc = b.soc
),
counted as (
    select unit_group,
        count(*) filter (in_first) as n_first,
        count(*) filter (in_second) as n_second,
        count(*) filter (in_first and in_second) as n_both,
        round(count(*) filter (in_first and in_second) / count(*), 4) as overlap,
        coalesce(list(soc order by soc) filter (not in_second), []) as only_first,
        coalesce(list(soc order by soc) filter (not in_first), []) as only_second
    from occupations group by unit_group
),
distances as (
    select a.unit_group, round(avg(abs(a.value - b.value) / p.population_deviation), 4) as mean_distance
    from first_means a
    join second_means b on a.unit_group = b.unit_group and a.attribute_id = b.attribute_id
    join population p on p.domain = a.domain and p.scale_id = a.scale_id
    group by a.unit_group
)
select c.*, d.mean_distance from counted c left join distances d using (unit_group) order by unit_group
"""


def crosswalk_agreement(database: OnetDatabase, crosswalk: pa.Table, weighted: pa.Table | None) -> pa.Table:
    """The published table ``crosswalk_agreement``: every unit group that either crosswalk has.

    ``mean_distance`` is the mean difference between the values that either gives, over the measured attributes, in
    population deviations; null where only one gives any. Without the second crosswalk (None) every occupation stands
    in the first only.
    """
    first = plain_links(crosswalk)
    tables = {
        "first_links": first,
        "second_links": weighted_links(weighted, COMPARED) if weighted else first.slice(0, 0),
        "rated_attributes": rated_attributes(database),
    }
    with open_database(tables) as connection:
        connection.register("population", population(connection))
        connection.register("first_means", means(connection, "first_links"))
        connection.register("second_means", means(connection, "second_links"))
        return conform(answer(connection, _AGREEMENT), "crosswalk_agreement")
