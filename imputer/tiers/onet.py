"""Tier 2: what O*NET says of the occupations that a crosswalk ties to a title's unit group.

The values are made per unit group (imputer.onet, imputer.descriptors) and spread over its job titles; where the unit
group itself is inferred, its own confidence lowers theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_STATE = """
INSERT INTO stated BY NAME
SELECT 'job_title' AS entity_type, entity_id, attribute_id,
    CASE WHEN value_type = 'number' THEN 'zxx' ELSE 'en' END AS language, value_number, value_text, v.scale,
    'ONET' AS source_type, v.method, v.confidence * unit_group_confidence AS confidence,
    v.confidence_calibrated * CASE WHEN coded THEN 1 ELSE unit_group_probability END AS confidence_calibrated,
    v.rationale, v.source_id, v.source_version, v.locator, v.evidence, retention_class
FROM resolved JOIN onet_statements v USING (unit_group)
JOIN attributes USING (attribute_id) JOIN source_versions USING (source_id)
"""


def prepare(connection: duckdb.DuckDBPyConnection, values: pa.Table, calibrated: pa.Table) -> None:
    """Gather the values of unit groups, once a run: pure O*NET attributes and calibrated OaSIS descriptors."""
    connection.register("_values", values)
    connection.register("_calibrated", calibrated)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE onet_statements AS "
        "SELECT *, 'CROSSWALK' AS method, NULL::DOUBLE AS confidence_calibrated FROM _values "
        "UNION ALL BY NAME SELECT *, 'CROSSWALK_CALIBRATED' AS method FROM _calibrated"
    )
    connection.unregister("_values")
    connection.unregister("_calibrated")


def state(connection: duckdb.DuckDBPyConnection) -> None:
    """Add to ``stated`` what O*NET says of the unit groups of the titles in ``resolved``."""
    connection.execute(_STATE)
