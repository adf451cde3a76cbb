"""Below all others, and only where asked for: the mean of the most similar job titles, for numbers no source fills.

The baseline that works without a key, and that a model's answers are measured against. What similar titles are said to
have is what the hierarchical and the O*NET tier state for them, the former first; no answer of a model, no other mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imputer.neighbours import Neighbours
from imputer.precedence import RANK_SQL
from imputer.similar_titles import NEIGHBOURS_LOOKED_AT, estimate_cells, register_neighbours
from imputer.statements import create_log_tables
from imputer.tiers import hierarchical, onet

if TYPE_CHECKING:
    import duckdb

#: The source of these statements in the registry.
SOURCE_ID = "similar_titles"

# Ways of resolution whose values are stated at a time: as many statements as a range of titles has.
_TOGETHER = 500


def _shown(column: str) -> str:
    """SQL of a number with two decimals at most, none of them a final zero."""
    return f"regexp_replace(format('{{:.2f}}', round({column}, 4)), '\\.?0+$', '')"


_AVERAGED = """
CREATE OR REPLACE TEMP TABLE averaged_attributes AS
SELECT attribute_id, scale_id, maximum - minimum AS width FROM attributes
WHERE imputable AND value_type = 'number' AND list_contains(entity_types, 'job_title')
"""
# Titles resolved alike have the same values: one of each kind is asked, and stands for all of them.
_WAYS = """
CREATE OR REPLACE TEMP TABLE known_titles AS
SELECT entity_id, title_en, r.unit_group,
    min(entity_id) OVER (PARTITION BY r.unit_group, profile, unit_group_only) AS way
FROM resolutions r JOIN job_titles ON job_title_id = entity_id WHERE r.unit_group IS NOT NULL
"""
_SOME_WAYS = """
CREATE OR REPLACE TEMP TABLE resolved AS
SELECT * FROM resolutions WHERE list_contains($ways, entity_id)
"""
_WAY_VALUES = f"""
INSERT INTO way_values
SELECT entity_id, attribute_id, arg_min(value_number, {RANK_SQL})
FROM stated SEMI JOIN averaged_attributes USING (attribute_id) WHERE value_number IS NOT NULL GROUP BY ALL
"""
# Titles that have every value need no neighbours.
_LACKING = """
SELECT entity_id FROM resolutions LEFT JOIN known_titles k USING (entity_id)
LEFT JOIN (SELECT way, count(*) AS held FROM way_values GROUP BY way) USING (way)
WHERE coalesce(held, 0) < (SELECT count(*) FROM averaged_attributes) ORDER BY entity_id
"""

_WANTED = """(
    FROM (SELECT entity_id, attribute_id, width FROM resolved CROSS JOIN averaged_attributes)
    SEMI JOIN similar_titles USING (entity_id)
    ANTI JOIN (FROM stated WHERE source_type IN ('AUTHORITATIVE', 'ONET')) USING (entity_id, attribute_id)
)"""
_KNOWN_VALUES = "(SELECT entity_id, attribute_id, value_number FROM known_titles JOIN way_values USING (way))"
_STATE = f"""
INSERT INTO stated BY NAME
WITH told AS (
    SELECT e.entity_id, e.attribute_id, string_agg(other || ' «' || title_en || '»', ', ' ORDER BY place) AS titles,
        string_agg(other, ', ' ORDER BY place) AS others,
        list({{job_title_id: other, unit_group: unit_group, likeness: likeness, value: round(value, 4)}} ORDER BY place)
            AS neighbours
    FROM (
        SELECT entity_id, attribute_id, unnest(neighbours).other AS other, unnest(neighbours).likeness AS likeness,
            unnest(neighbours).value_number AS value, generate_subscripts(neighbours, 1) AS place FROM estimated
    ) e JOIN known_titles k ON k.entity_id = other
    GROUP BY ALL
)
SELECT 'job_title' AS entity_type, entity_id, attribute_id, 'zxx' AS language, value_number, scale_id AS scale,
    'NEIGHBOURS' AS source_type, 'NEAREST_NEIGHBOURS' AS method, confidence,
    CASE WHEN n = 1 THEN 'Value of the one job title with a similar name that has a value: '
        ELSE 'Mean, weighted by likeness, over the ' || n
            || ' job titles with the most similar names that have a value ('
            || {_shown("lowest")} || ' to ' || {_shown("highest")} || '): '
        END || titles || '.' AS rationale,
    source_id, source_version, 'job titles ' || others AS locator,
    to_json({{neighbours: t.neighbours, n: n, spread: round(spread, 4), minimum: round(lowest, 4),
        maximum: round(highest, 4)}})::VARCHAR AS evidence,
    retention_class
FROM estimated JOIN told t USING (entity_id, attribute_id) JOIN averaged_attributes USING (attribute_id)
JOIN source_versions ON source_id = $source
"""


def prepare(connection: duckdb.DuckDBPyConnection, *, wanted: bool) -> None:
    """Find the neighbours of titles that lack a number, and what they have, once a run; nothing if not ``wanted``.

    Neighbours are job titles with a unit group, given or inferred. Needs what the other tiers and ``resolutions``
    prepared; memory grows with the kinds of resolution, not with the titles.
    """
    register_neighbours(connection, {}, "similar_titles")
    if not wanted:
        return
    connection.execute(_AVERAGED)
    connection.execute(_WAYS)
    _state_ways(connection)
    titles = dict(connection.execute("SELECT job_title_id, title_en FROM job_titles").fetchall())
    groups = dict(connection.execute("SELECT entity_id, unit_group FROM known_titles").fetchall())
    lacking = [key for (key,) in connection.execute(_LACKING).fetchall()]
    likened = Neighbours(titles, list(groups), groups).likened(lacking, NEIGHBOURS_LOOKED_AT)
    register_neighbours(connection, likened, "similar_titles")


def state(connection: duckdb.DuckDBPyConnection) -> None:
    """Add to ``stated`` a mean for every number of the titles in ``resolved`` that no source states in it."""
    if not connection.execute("SELECT 1 FROM resolved SEMI JOIN similar_titles USING (entity_id) LIMIT 1").fetchall():
        return
    estimate_cells(connection, cells=_WANTED, neighbours="similar_titles", values=_KNOWN_VALUES)
    connection.execute(_STATE, {"source": SOURCE_ID})
    connection.execute("DROP TABLE estimated")


def _state_ways(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``way_values``: the number that wins each cell of the titles that stand for their kind of resolution."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE way_values (way VARCHAR, attribute_id VARCHAR, value_number DOUBLE)"
    )
    ways = [way for (way,) in connection.execute("SELECT DISTINCT way FROM known_titles ORDER BY way").fetchall()]
    create_log_tables(connection)
    for start in range(0, len(ways), _TOGETHER):
        connection.execute(_SOME_WAYS, {"ways": ways[start : start + _TOGETHER]})
        hierarchical.state(connection)
        onet.state(connection)
        connection.execute(_WAY_VALUES)
        connection.execute("DELETE FROM stated")
    connection.execute("DROP TABLE IF EXISTS resolved")
