"""The log of statements: what a tier states, its key, and what is new or no longer supported.

A statement is a value for one cell with where it comes from. Its key is a digest of what identifies it, so the
same evidence gives the same key and a second run adds nothing. The log only grows: a statement that the sources
no longer support is withdrawn by a row of its own (``withdrawals``), and may be reinstated by another.

The work is done in DuckDB, a range of entities at a time: memory does not grow with their number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas import arrow_schema, load_table

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    import pyarrow as pa

# What the log adds to a statement; everything else a tier gives.
_ADDED_BY_LOG = ("statement_id", "run_id", "created_at")
#: What a tier gives for each statement, in the order of the schema.
STATED_COLUMNS = tuple(
    column.name for column in load_table("wiq", "statements").columns if column.name not in _ADDED_BY_LOG
)
# Where a value stands in its file may shift without the value having changed: locator and version are not identity.
IDENTIFYING_COLUMNS = (
    "entity_type",
    "entity_id",
    "attribute_id",
    "language",
    "value_number",
    "value_text",
    "scale",
    "source_type",
    "method",
    "confidence",
    "confidence_calibrated",
    "interval_low",
    "interval_high",
    "source_id",
    "evidence",
    "model",
    "prompt_sha256",
)
_SEPARATOR = "chr(31)"  # ASCII unit separator: in no value

# Statements of these tiers are made anew by every run; one that is not made again has lost its support. So are those of
# a model whose questions are known; where the ledger of questions is not at hand, they stay.
_DERIVED = "('AUTHORITATIVE', 'ONET', 'NEIGHBOURS')"


def statement_schema() -> pa.Schema:
    """The Arrow schema of the log."""
    return arrow_schema(load_table("wiq", "statements"))


def create_log_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create ``stated`` and ``log``, empty; and ``known_questions``, where the model tier has not made it."""
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS known_questions (custom_id VARCHAR)")
    schema = statement_schema()
    connection.register("_statements", schema.empty_table())
    columns = ", ".join(STATED_COLUMNS)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE stated AS SELECT {columns} FROM _statements")
    connection.execute("CREATE OR REPLACE TEMP TABLE log AS SELECT * FROM _statements")
    connection.unregister("_statements")


def statement_id_sql() -> str:
    """SQL of the key: sha256 of the identifying fields as text, null as empty, joined by U+001F."""
    fields = ", ".join(f"coalesce({column}::VARCHAR, '')" for column in IDENTIFYING_COLUMNS)
    return f"sha256(concat_ws({_SEPARATOR}, {fields}))"


def load_previous(connection: duckdb.DuckDBPyConnection, previous: Path | None) -> None:
    """Make ``previous_log``, ``previous_standing`` and ``previous_values`` of the last good run, or empty."""
    for name, table in (
        ("previous_log", "statements"),
        ("previous_withdrawals", "withdrawals"),
        ("previous_values", "attribute_values"),
        ("previous_events", "override_events"),
        ("previous_runs", "dim_run"),
        ("previous_entities", "dim_entity"),
        ("previous_attributes", "dim_attribute"),
    ):
        path = previous / f"{table}.parquet" if previous else None
        # A column that the table has gained since is null there.
        there = f"UNION ALL BY NAME SELECT * FROM read_parquet('{_quoted(path)}')" if path and path.exists() else ""
        connection.register("_empty", arrow_schema(load_table("wiq", table)).empty_table())
        connection.execute(f"CREATE OR REPLACE TEMP TABLE _{name} AS SELECT * FROM _empty")
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM _{name} {there}")
        connection.unregister("_empty")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE withdrawn_before AS "
        "SELECT statement_id FROM previous_withdrawals "
        "GROUP BY statement_id HAVING arg_max(action, (created_at, run_id)) = 'WITHDRAWN'"
    )


def append(connection: duckdb.DuckDBPyConnection, run_id: str, created_at: str, first: str, last: str) -> None:
    """Bring the log of the entities from ``first`` to ``last`` up to date with ``stated``.

    Makes ``log`` (old and new statements of the range, with ``standing``) and ``new_withdrawals``.
    """
    # Only keys are compared; the statements themselves are copied once, into ``log``.
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE keyed AS SELECT statement_id, arg_min(place, locator) AS place "
        f"FROM (SELECT {statement_id_sql()} AS statement_id, rowid AS place, locator FROM stated) GROUP BY statement_id"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE old AS "
        "SELECT statement_id, source_type, custom_id, w.statement_id IS NULL AS stood "
        "FROM previous_log LEFT JOIN withdrawn_before w USING (statement_id) WHERE entity_id BETWEEN $first AND $last",
        {"first": first, "last": last},
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE new_withdrawals AS "
        "SELECT statement_id, CASE WHEN stood THEN 'WITHDRAWN' ELSE 'REINSTATED' END AS action, "
        "$run AS run_id, $created::TIMESTAMPTZ AS created_at "
        "FROM old LEFT JOIN keyed USING (statement_id) "
        f"WHERE (source_type IN {_DERIVED} OR custom_id IN (SELECT custom_id FROM known_questions)) "
        "AND stood <> (place IS NOT NULL)",
        {"run": run_id, "created": created_at},
    )
    columns = ", ".join(field.name for field in statement_schema())
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE log AS "
        f"SELECT {columns}, coalesce(action = 'REINSTATED', stood) AS standing, false AS added "
        "FROM previous_log JOIN (SELECT statement_id, stood FROM old) USING (statement_id) "
        "LEFT JOIN (SELECT statement_id, action FROM new_withdrawals) USING (statement_id) "
        "WHERE entity_id BETWEEN $first AND $last "
        "UNION ALL BY NAME "
        f"SELECT statement_id, {', '.join(f'stated.{column}' for column in STATED_COLUMNS)}, $run AS run_id, "
        "$created::TIMESTAMPTZ AS created_at, true AS standing, true AS added "
        "FROM (FROM keyed ANTI JOIN old USING (statement_id)) JOIN stated ON stated.rowid = place",
        {"run": run_id, "created": created_at, "first": first, "last": last},
    )
    connection.execute("DELETE FROM stated")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
