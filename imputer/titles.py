"""Every job title resolved, as gold publishes it (``job_title_noc``) and as the tiers need it (``resolutions``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from imputer.calibration import inherited_probabilities
from imputer.resolution import Resolver
from imputer.resolution.miscodings import suspected_miscodings
from imputer.resolution.tables import job_title_noc, job_title_requests
from imputer.tiers.hierarchical import UNIT_GROUP_ONLY

if TYPE_CHECKING:
    import duckdb

    from imputer.sources import Inputs

_PROBABILITIES = pa.schema([("method", pa.string()), ("domain", pa.string()), ("probability", pa.float64())])

# The first candidate's score is the probability of the unit group alone; the confidence is that of the profile too.
_RESOLUTIONS = """
CREATE OR REPLACE TEMP TABLE resolutions AS
SELECT job_title_id AS entity_id, unit_group, profile, method AS resolution_method, confidence, matched_text,
    coded_unit_group IS NOT NULL AS coded,
    profile IS NULL OR (list_contains($unit_group_only, method) AND profiles > 1) AS unit_group_only,
    CASE WHEN coded_unit_group IS NULL THEN candidates[1].score ELSE 1 END AS unit_group_confidence,
    CASE WHEN coded_unit_group IS NULL THEN candidates[1].score ELSE 1 END AS unit_group_probability
FROM _resolved
LEFT JOIN (SELECT unit_group, count(*) AS profiles FROM oasis_profiles GROUP BY unit_group) USING (unit_group)
ORDER BY entity_id
"""


def resolve_titles(connection: duckdb.DuckDBPyConnection, inputs: Inputs) -> dict[str, pa.Table]:
    """Resolve every job title; returns the published tables that say how.

    Makes ``resolutions``, and ``inheritance_calibration``: how often values inherited so were right when measured.
    """
    resolver = Resolver.build(
        inputs.noc_classes,
        inputs.noc_example_titles,
        inputs.oasis_profiles,
        inputs.oasis_example_titles,
        inputs.oasis_texts,
        inputs.job_titles,
    )
    found = resolver.resolve_many(job_title_requests(inputs.job_titles))
    resolved = job_title_noc(inputs.job_titles, found)
    connection.register("_resolved", resolved)
    connection.execute(_RESOLUTIONS, {"unit_group_only": list(UNIT_GROUP_ONLY)})
    connection.unregister("_resolved")
    measured = [{name: one[name] for name in _PROBABILITIES.names} for one in inherited_probabilities()]
    connection.register("_measured", pa.Table.from_pylist(measured, schema=_PROBABILITIES))
    connection.execute("CREATE OR REPLACE TEMP TABLE inheritance_calibration AS FROM _measured")
    connection.unregister("_measured")
    return {
        "job_title_noc": resolved,
        "suspected_miscodings": suspected_miscodings(resolver, inputs.job_titles, found),
    }
