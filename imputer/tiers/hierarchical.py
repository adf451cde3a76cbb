"""Tier 1: a job title inherits what authoritative sources say of its OaSIS profile or NOC unit group.

Resolved to a profile, it inherits that profile's values and no other's. Resolved to a unit group only, it inherits
the mean over the unit group's profiles, with their spread in the evidence and a confidence lowered by it; texts and
lists of several profiles have no mean, so nothing is stated. One statement per job title and attribute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

#: Methods of resolution that settle the unit group only, where it has several profiles.
UNIT_GROUP_ONLY = ("UG_IMPUTATION",)
#: Whether a title in ``resolved`` has no likeness to its profile. Such a profile is settled only where the unit group
#: has no other; what was matched is then but the nearest text.
UNLIKE = " OR ".join(f"resolution_method = '{method}'" for method in UNIT_GROUP_ONLY)
#: What the settled profile is to any other title, in words; and to any title.
RESOLVED_BY = (
    "'to which the title was resolved by ' || resolution_method || coalesce(' («' || matched_text || '»)', '')"
)
PROFILE_OF_TITLE = f"""CASE WHEN {UNLIKE}
    THEN 'the only one of unit group ' || unit_group || ', to which the title is coded' ELSE {RESOLVED_BY} END"""

_PROFILE_VALUES = """
CREATE OR REPLACE TEMP TABLE profile_values AS
SELECT profile, attribute_id, value AS value_number, NULL::VARCHAR AS value_text, 'zxx' AS language, source_id,
    'row ' || source_row || ', column «' || source_column || '»' AS locator
FROM oasis_ratings
UNION ALL
SELECT profile, attribute_id, NULL,
    CASE WHEN any_value(value_type) = 'list' THEN to_json(list(text ORDER BY position))::VARCHAR
        ELSE string_agg(text, chr(10) ORDER BY position) END,
    'en', any_value(source_id), 'row ' || string_agg(source_row::VARCHAR, ', ' ORDER BY position)
FROM oasis_texts JOIN attributes USING (attribute_id)
GROUP BY profile, attribute_id
"""
_UNIT_GROUP_AGGREGATES = """
CREATE OR REPLACE TEMP TABLE unit_group_aggregates AS
SELECT unit_group, attribute_id, avg(value) AS value_number, coalesce(stddev_pop(value), 0) AS spread, count(*) AS n,
    min(value) AS lowest, max(value) AS highest,
    any_value(maximum) - any_value(minimum) AS width,
    string_agg(profile, ', ' ORDER BY profile) AS profiles,
    any_value(r.source_id) AS source_id, any_value(source_column) AS source_column,
    string_agg(r.source_row::VARCHAR, ', ' ORDER BY profile) AS source_rows
FROM oasis_ratings r JOIN oasis_profiles USING (profile) JOIN attributes USING (attribute_id)
GROUP BY unit_group, attribute_id
"""

_STATE_PROFILE = f"""
INSERT INTO stated BY NAME
SELECT 'job_title' AS entity_type, entity_id, attribute_id, v.language, value_number, value_text, scale_id AS scale,
    'AUTHORITATIVE' AS source_type, 'INHERITED_PROFILE' AS method, confidence,
    k.probability AS confidence_calibrated,
    'Inherited from OaSIS profile ' || profile || ' «' || label || '», ' || {PROFILE_OF_TITLE} || '.' AS rationale,
    v.source_id, source_version, locator,
    to_json({{profile: profile, unit_group: unit_group, resolution: resolution_method,
        matched_text: matched_text}})::VARCHAR AS evidence,
    retention_class
FROM resolved JOIN profile_values v USING (profile) JOIN profile_labels USING (profile)
JOIN attributes USING (attribute_id) JOIN source_versions USING (source_id)
LEFT JOIN inheritance_calibration k ON k.method = resolution_method AND k.domain = attributes.domain
WHERE NOT unit_group_only
"""
_STATE_AGGREGATE = """
INSERT INTO stated BY NAME
SELECT 'job_title' AS entity_type, entity_id, attribute_id, 'zxx' AS language, value_number, scale_id AS scale,
    'AUTHORITATIVE' AS source_type, 'INHERITED_UNIT_GROUP_AGGREGATE' AS method,
    confidence / (1 + pow(spread / (width / 4), 2)) AS confidence, k.probability AS confidence_calibrated,
    'Mean over the ' || n || ' OaSIS profiles of unit group ' || unit_group || ' (' || lowest::INTEGER || ' to '
        || highest::INTEGER || '): the title was resolved to the unit group only.' AS rationale,
    a.source_id, source_version, 'rows ' || source_rows || ', column «' || source_column || '»' AS locator,
    to_json({unit_group: unit_group, resolution: resolution_method, profiles: profiles, n: n,
        spread: round(spread, 4), minimum: lowest, maximum: highest})::VARCHAR AS evidence,
    retention_class
FROM resolved JOIN unit_group_aggregates a USING (unit_group)
JOIN attributes USING (attribute_id) JOIN source_versions USING (source_id)
LEFT JOIN inheritance_calibration k ON k.method = resolution_method AND k.domain = attributes.domain
WHERE unit_group_only
"""
_STATE_OUTLOOK = """
INSERT INTO stated BY NAME
SELECT 'job_title' AS entity_type, entity_id, attribute_id, 'zxx' AS language, value AS value_number, scale_id AS scale,
    'AUTHORITATIVE' AS source_type, 'INHERITED_UNIT_GROUP' AS method, unit_group_confidence AS confidence,
    unit_group_probability AS confidence_calibrated,
    'Published for unit group ' || unit_group || ', to which the title '
        || CASE WHEN coded THEN 'is coded.' ELSE 'was resolved.' END AS rationale,
    o.source_id, source_version, 'row ' || source_row || ', column «' || source_column || '»' AS locator,
    to_json({unit_group: unit_group, coded: coded})::VARCHAR AS evidence, retention_class
FROM resolved JOIN outlook o USING (unit_group)
JOIN attributes USING (attribute_id) JOIN source_versions USING (source_id)
WHERE value IS NOT NULL
"""


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Gather the values of profiles and unit groups, once a run, from the registered sources."""
    connection.execute(_PROFILE_VALUES)
    connection.execute(_UNIT_GROUP_AGGREGATES)
    connection.execute("CREATE OR REPLACE TEMP TABLE profile_labels AS SELECT profile, label FROM oasis_profiles")


def state(connection: duckdb.DuckDBPyConnection) -> None:
    """Add to ``stated`` what the titles in ``resolved`` inherit."""
    for query in (_STATE_PROFILE, _STATE_AGGREGATE, _STATE_OUTLOOK):
        connection.execute(query)
