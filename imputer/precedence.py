"""Who wins a cell, and what that changed.

The winner is a pure function of the standing statements of a cell: the higher source type, then the higher stated
confidence, then the later statement, then the greater key. It does not depend on the order in which they came.

The mean of similar job titles (NEIGHBOURS), made only where it is asked for, stands below a model's answer: it is what
the model is measured against, and it keeps no cell from being asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

#: The fixed precedence of source types, highest first.
SOURCE_TYPES = ("AUTHORITATIVE", "ONET", "LLM", "NEIGHBOURS")

RANK_SQL = "CASE source_type " + " ".join(f"WHEN '{name}' THEN {n}" for n, name in enumerate(SOURCE_TYPES)) + " END"
ORDER_SQL = f"{RANK_SQL}, confidence DESC, created_at DESC, statement_id DESC"
#: Which override events count as changes of winner: not those in which the same value was merely stated anew.
CHANGE_SQL = "reason <> 'RESTATED'"


#: What gold says of a cell beside what it beat.
_GOLD = (
    "entity_type, entity_id, attribute_id, language, value_number, value_text, scale, source_type, method, confidence, "
    "confidence_calibrated, interval_low, interval_high, statement_id"
)


def choose_winners(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``winners`` from the standing statements in ``log``: one row per cell, with what it beat."""
    # Ranked by key alone: a sort that carries texts along costs several times as much.
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE ranked AS "
        f"SELECT statement_id, count(*) OVER cell - 1 AS statements_beaten, "
        f"lead(statement_id) OVER ranked AS runner_up_statement_id FROM log WHERE standing "
        f"WINDOW cell AS (PARTITION BY entity_id, attribute_id, language), "
        f"ranked AS (PARTITION BY entity_id, attribute_id, language ORDER BY {ORDER_SQL}) "
        f"QUALIFY row_number() OVER ranked = 1"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE winners AS SELECT {_GOLD}, statements_beaten, runner_up_statement_id "
        f"FROM log JOIN ranked USING (statement_id)"
    )


def note_overrides(connection: duckdb.DuckDBPyConnection, run_id: str, created_at: str, first: str, last: str) -> None:
    """Make ``new_events``: one row per cell of the range whose winner is no longer the one published before.

    A cell that had no winner before is no override. ``reason``: the same value was RESTATED with other confidence or
    evidence, the old statement was WITHDRAWN, or the new one is of a HIGHER_SOURCE, of HIGHER_CONFIDENCE, REINSTATED or
    just NEWER.
    """
    rank = RANK_SQL.replace("source_type", "{}.source_type")
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE new_events AS
        SELECT old.entity_type, old.entity_id, old.attribute_id, old.language,
            old.statement_id AS old_statement_id, new.statement_id AS new_statement_id,
            old.source_type AS old_source_type, new.source_type AS new_source_type,
            CASE
                WHEN (new.value_number, new.value_text, new.source_type, new.method)
                    IS NOT DISTINCT FROM (old.value_number, old.value_text, old.source_type, old.method) THEN 'RESTATED'
                WHEN {rank.format("new")} < {rank.format("old")} THEN 'HIGHER_SOURCE'
                WHEN withdrawn.action = 'WITHDRAWN' THEN 'WITHDRAWN'
                WHEN reinstated.action = 'REINSTATED' THEN 'REINSTATED'
                WHEN new.confidence > old.confidence THEN 'HIGHER_CONFIDENCE'
                ELSE 'NEWER'
            END AS reason,
            $run AS run_id, $created::TIMESTAMPTZ AS created_at
        FROM previous_values old
        LEFT JOIN winners new USING (entity_id, attribute_id, language)
        LEFT JOIN new_withdrawals withdrawn ON withdrawn.statement_id = old.statement_id
        LEFT JOIN new_withdrawals reinstated ON reinstated.statement_id = new.statement_id
        WHERE old.entity_id BETWEEN $first AND $last AND new.statement_id IS DISTINCT FROM old.statement_id""",
        {"run": run_id, "created": created_at, "first": first, "last": last},
    )
