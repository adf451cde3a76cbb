"""The occupations of O*NET-SOC 2019 as a dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imputer.onet.queries import answer, open_database
from imputer.onet.tables import conform

if TYPE_CHECKING:
    import pyarrow as pa

    from imputer.sources.onet_database import OnetDatabase

_OCCUPATIONS = """
select o.soc, o.title as title_en, o.description as description_en, z.job_zone,
    coalesce(r.n_ratings, 0) as n_ratings, coalesce(c.n_unit_groups, 0) as n_unit_groups,
    'onet_occupations' as source_id, $release as release, o.source_row
from occupations o
left join job_zones z using (soc)
left join (select soc, count(*) as n_ratings from ratings group by soc) r using (soc)
left join (select soc, count(distinct unit_group) as n_unit_groups from crosswalk group by soc) c using (soc)
order by o.soc
"""


def dim_onet_occupation(database: OnetDatabase, crosswalk: pa.Table) -> pa.Table:
    """The published table ``dim_onet_occupation``; titles are O*NET's, never the crosswalk's.

    ``n_ratings`` counts ratings of elements: occupations without any stand in the crosswalk all the same.
    """
    tables = {
        "occupations": database.occupations,
        "job_zones": database.job_zones,
        "ratings": database.ratings.select(["soc"]),
        "crosswalk": crosswalk.select(["unit_group", "soc"]),
    }
    with open_database(tables) as connection:
        found = answer(connection, _OCCUPATIONS, {"release": database.release})
        return conform(found, "dim_onet_occupation")
