"""Tier 3: what a model answered, for cells that no higher source fills.

The answers were accepted by the batch engine, each within the bounds of its contract (imputer.batch). They are added to
the log whatever their confidence; a value of a higher source overrides them by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imputer.statements import STATED_COLUMNS, statement_schema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb
    import pyarrow as pa

# An answer is no statement about what the sources no longer name.
_STATE = """
INSERT INTO stated BY NAME
SELECT v.* REPLACE (coalesce(s.retention_class, v.retention_class) AS retention_class)
FROM llm_answers v SEMI JOIN range_entities USING (entity_id) SEMI JOIN attributes USING (attribute_id)
LEFT JOIN source_versions s USING (source_id)
"""


def prepare(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], given_up: pa.Table) -> None:
    """Make ``llm_answers`` of the Parquet files of accepted answers (``batch.accepted.accepted_files``), once a run.

    They are read where they lie, a range of entities at a time: memory does not grow with their number. ``given_up``
    (``batch.given_up.given_up_cells``) becomes a table of that name.
    """
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
