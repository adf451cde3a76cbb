"""Ratings of the occupations of a unit group, brought to one value: the weighted mean, with its spread and its reach.

Each occupation counts once, however often the crosswalk states it. Ratings whose suppression O*NET recommends and
those not relevant to the occupation are part of the mean and counted (see `rules`). Job Zones are steps of a ladder:
their median is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from imputer.onet.queries import answer
from imputer.sources.onet_scales import HIGH_POINTS

if TYPE_CHECKING:
    import duckdb

    from imputer.sources.onet_database import OnetDatabase

_MEANS = """
with rated as (
    select l.unit_group, r.attribute_id, r.domain, r.scale_id, r.soc, l.weight as w, r.value as v, r.*
        exclude (attribute_id, domain, scale_id, soc, value)
    from links l join rated_attributes r on r.soc = l.soc
)
select
    unit_group, attribute_id, domain, scale_id,
    case when scale_id = 'JZ' then median(v) else round(sum(w * v) / sum(w), 6) end as value,
    round(sum(w * v) / sum(w), 6) as mean,
    count(*)::integer as n_rated,
    case when count(*) > 1 then
        round(sqrt(greatest(sum(w * v * v) / sum(w) - (sum(w * v) / sum(w)) ** 2, 0) * count(*) / (count(*) - 1)), 4)
    end as deviation,
    case when count(*) = 1 then round(any_value(standard_error), 4) end as standard_error,
    count(*) filter (recommend_suppress)::integer as n_suppressed,
    count(*) filter (not_relevant)::integer as n_not_relevant,
    max(date) as newest,
    list(soc order by soc) as socs,
    list(v order by soc) as socs_values,
    list(source_row order by soc) as source_rows,
    any_value(source_id) as source_id
from rated group by unit_group, attribute_id, domain, scale_id order by unit_group, attribute_id
"""


def rated_attributes(database: OnetDatabase) -> pa.Table:
    """Every rating that measures an amount, with its attribute id; Job Zones on a scale JZ of their own.

    Nominal high points are left out, and so is DR, a rank among work styles in which 0 stands for no rank.
    """
    ratings = database.ratings
    kept = ratings.filter(pc.invert(pc.is_in(ratings["scale_id"], pa.array([*HIGH_POINTS, "DR"]))))
    attribute = pc.binary_join_element_wise("onet", kept["element_id"], kept["scale_id"], ".")
    columns = ["soc", "scale_id", "value", "standard_error", "recommend_suppress", "not_relevant", "date", "domain"]
    rated = kept.select([*columns, "source_id", "source_row"]).append_column("attribute_id", attribute)
    zones = database.job_zones
    count = zones.num_rows
    steps = pa.table(
        {
            "soc": zones["soc"],
            "scale_id": pa.repeat("JZ", count),
            "value": pc.cast(zones["job_zone"], pa.float64()),
            "standard_error": pa.nulls(count, pa.float64()),
            "recommend_suppress": pa.nulls(count, pa.bool_()),
            "not_relevant": pa.nulls(count, pa.bool_()),
            "date": zones["date"],
            "domain": pa.repeat("job_zone", count),
            "source_id": pa.repeat("onet_job_zones", count),
            "source_row": zones["source_row"],
            "attribute_id": pa.repeat("onet.job_zone", count),
        }
    )
    return pa.concat_tables([rated, steps])


def means(connection: duckdb.DuckDBPyConnection, links: str = "links") -> pa.Table:
    """One row per unit group and attribute that any of its occupations has a rating for, sorted.

    Reads the tables ``links`` (or another name) and ``rated_attributes``. ``deviation`` is the sample standard
    deviation over occupations (null for one), ``standard_error`` the rating's own where there is but one, ``mean``
    differs from ``value`` for Job Zones only. No rating, no row.
    """
    return answer(connection, _MEANS.replace("from links l", f"from {links} l"))


def population(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Per domain and scale: how far occupations lie apart, as the root mean variance within elements.

    About 0.6 for the importance of skills, 0.9 for their level. Reads the table ``rated_attributes``.
    """
    return answer(
        connection,
        """
        select domain, scale_id, round(sqrt(avg(variance)), 6) as population_deviation
        from (select domain, scale_id, attribute_id, var_samp(value) as variance from rated_attributes group by all)
        group by all order by all
        """,
    )
