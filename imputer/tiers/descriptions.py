"""Descriptions of job titles, families and functions: what sources say of them, in English and French.

In the order of precedence: the OaSIS lead statement of the very profile that a title was resolved to; for a unit group
whose only profile that is, in French, the NOC's definition of the unit group, for the OaSIS files that are read are in
English; the description of the O*NET occupation, where unit group and occupation stand for each other. A title of a
unit group with several profiles never gets the text of one that it was not resolved to. No source describes job
families and job functions.

Their confidence is as stated by the method: how often people accept such a description, nobody has measured.
"""

from __future__ import annotations

import json
from math import prod
from typing import TYPE_CHECKING

import pyarrow as pa

from imputer.sources.attributes import Attribute, attribute_table
from imputer.tiers.hierarchical import PROFILE_OF_TITLE, RESOLVED_BY, UNLIKE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

#: The attribute of descriptions, one for each kind of thing.
DESCRIPTION = Attribute(
    "wiq.description",
    "WiQ",
    "description",
    None,
    "Description",
    "Description",
    value_type="text",
    entity_types=("job_title", "job_family", "job_function"),
    languages=("en", "fr"),
    imputable=True,
)
_LEAD = "oasis.lead_statement"

# The French definition of each unit group that has but one profile: both are the same class.
_DEFINITIONS = """
CREATE OR REPLACE TEMP TABLE definitions_of_profiles AS
SELECT code AS unit_group, any_value(profile) AS profile, any_value(definition_fr) AS definition_fr,
    any_value(title_fr) AS title_fr, any_value(source_row_fr) AS source_row
FROM noc_classes JOIN oasis_profiles ON unit_group = code
GROUP BY code HAVING count(*) = 1
"""
# Strong enough is one occupation for one unit group and one unit group for that occupation, where the other crosswalk
# names it too and no further one. A description is about a whole occupation: of several, one would be arbitrary, and of
# the 122 pairs that are 1:1 in the first crosswalk the other gives more occupations, or others, for 57, such as «Gas
# Compressor and Gas Pumping Station Operators» for service station attendants. An occupation called as one profile of
# several, such as «Dental Hygienists» for hygienists and therapists, is that profile alone. Occupations without any
# rating are what is left over («All Other»), and their texts describe nothing.
_FROM_ONET = """
INSERT INTO onet_statements BY NAME
SELECT unit_group, $attribute AS attribute_id, description_en AS value_text, $strength AS confidence,
    'O*NET ' || release || ' on ' || soc || ' «' || title_en || '», the one occupation that both crosswalks give for '
        || 'unit group ' || unit_group || ' and the first for no other (1:1).' AS rationale,
    to_json({cardinality: cardinality, components: $components::JSON, release: release, soc: soc, title: title_en,
        unit_group: unit_group})::VARCHAR AS evidence,
    $origin || ' row ' || source_row || '; crosswalk row'
        || CASE WHEN len(source_rows) > 1 THEN 's ' ELSE ' ' END || array_to_string(source_rows, ', ') AS locator,
    o.source_id, source_version, 'CROSSWALK' AS method
FROM crosswalk_cardinality JOIN dim_onet_occupation o USING (soc) JOIN crosswalk_agreement USING (unit_group)
JOIN source_versions v ON v.source_id = o.source_id
WHERE cardinality = '1:1' AND overlap = 1 AND n_ratings > 0 AND description_en IS NOT NULL AND NOT EXISTS (
    FROM oasis_profiles p JOIN oasis_profiles another USING (unit_group)
    WHERE p.unit_group = crosswalk_cardinality.unit_group AND lower(p.label) = lower(title_en)
        AND another.profile <> p.profile
)
"""

_STATE_LEAD = f"""
INSERT INTO stated BY NAME
SELECT 'job_title' AS entity_type, entity_id, $attribute AS attribute_id, v.language, value_text,
    'AUTHORITATIVE' AS source_type, 'INHERITED_PROFILE' AS method, confidence,
    'Lead statement of OaSIS profile ' || profile || ' «' || label || '», ' || {PROFILE_OF_TITLE} || '.' AS rationale,
    v.source_id, source_version, locator,
    to_json({{profile: profile, label: label, unit_group: unit_group, resolution: resolution_method,
        matched_text: matched_text, text: v.attribute_id}})::VARCHAR AS evidence,
    retention_class
FROM resolved JOIN profile_values v USING (profile) JOIN profile_labels USING (profile)
JOIN source_versions USING (source_id)
WHERE NOT unit_group_only AND v.attribute_id = $lead
"""
_STATE_DEFINITION = f"""
INSERT INTO stated BY NAME
SELECT 'job_title' AS entity_type, entity_id, $attribute AS attribute_id, 'fr' AS language, definition_fr AS value_text,
    'AUTHORITATIVE' AS source_type, 'INHERITED_UNIT_GROUP' AS method, confidence,
    'French definition of unit group ' || unit_group || ' «' || title_fr || '», '
        || CASE WHEN {UNLIKE} THEN 'to which the title is coded and whose only OaSIS profile is ' || profile
            ELSE 'whose only OaSIS profile is ' || profile || ', ' || {RESOLVED_BY} END
        || '. The OaSIS files that are read are in English.' AS rationale,
    s.source_id, source_version, 'row ' || source_row || ', column «Définitions de la classe»' AS locator,
    to_json({{unit_group: unit_group, title_fr: title_fr, profile: profile, profiles: 1, coded: coded,
        resolution: resolution_method, matched_text: matched_text}})::VARCHAR AS evidence,
    retention_class
FROM resolved JOIN definitions_of_profiles USING (unit_group, profile)
JOIN source_versions s ON s.source_id = 'noc_structure_fr'
WHERE NOT unit_group_only
"""


def with_description(attributes: pa.Table) -> pa.Table:
    """The catalogue of attributes with the description in it."""
    return pa.concat_tables([attributes, attribute_table([DESCRIPTION])])


def prepare(connection: duckdb.DuckDBPyConnection, strength: Mapping[str, float], origin: str) -> None:
    """Gather the texts, once a run; those of O*NET go to ``onet_statements``, which the O*NET tier spreads over titles.

    ``strength`` holds the components of the confidence that O*NET's texts have (imputer.onet.confidence), ``origin``
    names the file or address of its occupations. Needs ``crosswalk_cardinality``, ``crosswalk_agreement`` and
    ``dim_onet_occupation`` as published.
    """
    connection.execute(_DEFINITIONS)
    given = {
        "attribute": DESCRIPTION.attribute_id,
        "strength": round(prod(strength.values()), 4),
        "components": json.dumps(strength, sort_keys=True),
        "origin": origin,
    }
    connection.execute(_FROM_ONET, given)


def state(connection: duckdb.DuckDBPyConnection) -> None:
    """Add to ``stated`` the authoritative descriptions of the titles in ``resolved``."""
    connection.execute(_STATE_LEAD, {"attribute": DESCRIPTION.attribute_id, "lead": _LEAD})
    connection.execute(_STATE_DEFINITION, {"attribute": DESCRIPTION.attribute_id})
