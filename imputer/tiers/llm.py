"""Tier 3: what a model answered, for cells that no higher source fills.

The answers were accepted by the batch engine, each within the bounds of its contract (imputer.batch). They are added to
the log whatever their confidence; a value of a higher source overrides them by itself. An answer counts as long as its
subject is what it was: a job title that is coded to another unit group is another job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imputer.statements import STATED_COLUMNS, statement_schema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb
    import pyarrow as pa

#: ``subject_of`` in SQL, of columns of these names.
SUBJECT_SQL = "concat_ws('|', name_en, coalesce(unit_group, ''), coalesce(profile, ''))"

# An answer is no statement about what the sources no longer name, nor about what has become something else. Of several
# answers for a cell the last one counts.
_STATE = f"""
INSERT INTO stated BY NAME
SELECT v.* REPLACE (coalesce(s.retention_class, v.retention_class) AS retention_class)
FROM llm_answers v JOIN known_questions q USING (custom_id)
JOIN (
    SELECT entity_id, {SUBJECT_SQL} AS subject
    FROM dim_entity SEMI JOIN range_entities USING (entity_id) LEFT JOIN resolved USING (entity_id)
    WHERE dim_entity.current
) now ON now.entity_id = v.entity_id AND now.subject = q.subject
SEMI JOIN attributes USING (attribute_id)
LEFT JOIN source_versions s USING (source_id)
QUALIFY row_number() OVER (PARTITION BY v.entity_id, v.attribute_id, v.language ORDER BY q.place DESC, custom_id) = 1
"""


def subject_of(name: str, unit_group: str | None = None, profile: str | None = None) -> str:
    """The subject of a question: English name, and for a job title the unit group and profile it was resolved to."""
    return f"{name}|{unit_group or ''}|{profile or ''}"


def prepare(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path], subjects: pa.Table, given_up: pa.Table
) -> None:
    """Make ``llm_answers`` of the Parquet files of accepted answers (``batch.accepted.accepted_files``), once a run.

    They are read where they lie, a range of entities at a time. ``subjects`` (``batch.subjects.asked_subjects``)
    becomes ``known_questions``, ``given_up`` (``batch.given_up.given_up_cells``) a table of that name.
    """
    connection.register("_subjects", subjects)
    connection.execute("CREATE OR REPLACE TEMP TABLE known_questions AS FROM _subjects")
    connection.unregister("_subjects")
    connection.register("_given_up", given_up)
    connection.execute("CREATE OR REPLACE TEMP TABLE given_up AS SELECT * EXCLUDE (entity_type) FROM _given_up")
    connection.unregister("_given_up")
    columns = ", ".join(STATED_COLUMNS)
    if files:
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW llm_answers AS SELECT {columns} FROM read_parquet([{_listed(files)}])"
        )
        return
    connection.register("_statements", statement_schema().empty_table())
    connection.execute(f"CREATE OR REPLACE TEMP TABLE no_answers AS SELECT {columns} FROM _statements")
    connection.execute("CREATE OR REPLACE TEMP VIEW llm_answers AS FROM no_answers")
    connection.unregister("_statements")


def state(connection: duckdb.DuckDBPyConnection) -> None:
    """Add to ``stated`` what was answered about the entities in ``range_entities``."""
    connection.execute(_STATE)


def _listed(files: Sequence[Path]) -> str:
    return ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
