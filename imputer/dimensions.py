"""The dimensions: what values are about, made of the sources alone, with keys that are stable and unique."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from schemas import arrow_schema, load_table

if TYPE_CHECKING:
    import duckdb

_NOC = """
SELECT code, level, parent_code, structure_en, structure_fr, title_en, title_fr, definition_en, definition_fr,
    code[1:1] AS broad_category_code,
    CASE WHEN level >= 2 THEN code[1:2] END AS major_group_code,
    CASE WHEN level >= 3 THEN code[1:3] END AS sub_major_group_code,
    CASE WHEN level >= 4 THEN code[1:4] END AS minor_group_code,
    CASE WHEN level = 5 THEN code END AS unit_group_code,
    CASE WHEN level >= 2 THEN code[2:2]::BIGINT END AS teer,
    'noc_structure_en' AS source_id, source_row
FROM noc_classes ORDER BY code
"""
_PROFILES = """
SELECT profile, unit_group, label AS label_en, NULL::VARCHAR AS label_fr,
    count(*) OVER (PARTITION BY unit_group) AS profiles_in_unit_group, 'oasis_labels' AS source_id, source_row
FROM oasis_profiles ORDER BY profile
"""
_EXAMPLE_TITLES = """
SELECT *,
    sha256(concat_ws(chr(31), source_id, coalesce(profile, unit_group), language, title))[1:16] AS example_title_id
FROM (
    SELECT title, 'en' AS language, unit_group, profile, kind, 'oasis_example_titles' AS source_id, source_row
    FROM oasis_example_titles
    UNION ALL
    SELECT title, language, unit_group, NULL, NULL, 'noc_example_titles_' || language, source_row
    FROM noc_example_titles
)
QUALIFY row_number() OVER (PARTITION BY example_title_id ORDER BY source_row) = 1
ORDER BY example_title_id
"""
_FUNCTIONS = """
SELECT job_function_id, job_function_en AS name_en,
    mode(job_function_fr ORDER BY job_function_fr) AS name_fr, count(*) AS job_titles
FROM job_titles WHERE job_function_id IS NOT NULL GROUP BY ALL ORDER BY job_function_id
"""
_FAMILIES = """
SELECT job_family_id, job_function_id, job_family_en AS name_en,
    mode(job_family_fr ORDER BY job_family_fr) AS name_fr, count(*) AS job_titles
FROM job_titles WHERE job_family_id IS NOT NULL GROUP BY ALL ORDER BY job_family_id
"""
_JOB_TITLES = """
SELECT *, unit_group AS coded_unit_group, 'job_architecture' AS source_id FROM job_titles ORDER BY job_title_id
"""
# Statements are never deleted, so what they are about stays, even where the sources have dropped it.
_ENTITIES = """
WITH now AS (
    SELECT job_title_id AS entity_id, 'job_title' AS entity_type, title_en AS name_en, title_fr AS name_fr
    FROM dim_job_title
    UNION ALL SELECT job_family_id, 'job_family', name_en, name_fr FROM dim_job_family
    UNION ALL SELECT job_function_id, 'job_function', name_en, name_fr FROM dim_job_function
)
SELECT *, true AS current FROM now
UNION ALL BY NAME
SELECT * REPLACE (false AS current) FROM previous_entities ANTI JOIN now USING (entity_id)
ORDER BY entity_id
"""
_ATTRIBUTES = """
SELECT *, system <> 'O*NET' AS authoritative, attribute_id IN (SELECT attribute_id FROM onet_statements) AS onet,
    true AS current
FROM attributes
UNION ALL BY NAME
SELECT * REPLACE (false AS current) FROM previous_attributes ANTI JOIN attributes USING (attribute_id)
ORDER BY attribute_id
"""

# In the order in which they rest on one another.
_DIMENSIONS = {
    "dim_noc": _NOC,
    "dim_oasis_profile": _PROFILES,
    "dim_example_title": _EXAMPLE_TITLES,
    "dim_job_function": _FUNCTIONS,
    "dim_job_family": _FAMILIES,
    "dim_job_title": _JOB_TITLES,
    "dim_entity": _ENTITIES,
    "dim_attribute": _ATTRIBUTES,
    "dim_occupational_group": "SELECT * FROM occupational_groups ORDER BY row_key",
}


def create_dimensions(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Make every dimension as a table of its published name, from the registered sources; returns the names.

    Needs ``onet_statements`` of the O*NET tier, which says what O*NET can supply, and what the last good run had.
    """
    for name, query in _DIMENSIONS.items():
        make_table(connection, name, query)
    return tuple(_DIMENSIONS)


def make_table(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    """Make ``name`` from a query with the columns and types of its schema, in the schema's order."""
    schema = arrow_schema(load_table("wiq", name))
    connection.register("_shape", schema.empty_table())
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM _shape")
    connection.unregister("_shape")
    columns = ", ".join(f'"{field.name}"' for field in schema)
    connection.execute(f"INSERT INTO {name} SELECT {columns} FROM ({query})")


def register(connection: duckdb.DuckDBPyConnection, tables: dict[str, pa.Table]) -> None:
    """Make in-memory tables of what the sources gave."""
    for name, table in tables.items():
        connection.register("_given", table)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM _given")
        connection.unregister("_given")


def with_keys(job_titles: pa.Table) -> pa.Table:
    """Job titles with ``job_function_id`` and ``job_family_id``."""
    rows = job_titles.select(["job_function_en", "job_family_en"]).to_pylist()
    functions = [function_key(row["job_function_en"]) for row in rows]
    families = [family_key(row["job_function_en"], row["job_family_en"]) for row in rows]
    return job_titles.append_column("job_function_id", pa.array(functions, pa.string())).append_column(
        "job_family_id", pa.array(families, pa.string())
    )


def function_key(name: str | None) -> str | None:
    """Key of a job function: ``function/`` and its English name in lower-case words joined by hyphens."""
    return None if name is None else f"function/{_slug(name)}"


def family_key(function: str | None, family: str | None) -> str | None:
    """Key of a job family: ``family/``, its function, its own name; two functions may use the same family name."""
    return None if family is None else f"family/{_slug(function or 'none')}/{_slug(family)}"


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))


def rows_of(connection: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    """All rows of a small table, as records."""
    table: pa.Table = connection.table(name).to_arrow_table()
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows
