"""Which statements are due for disposal: withdrawn ones whose period has passed, and on which no hold lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from datetime import datetime

    from imputer.finished import FinishedRun
    from imputer.retention.schedule import Schedule

_RULES = pa.schema(
    [("retention_class", pa.string()), ("months", pa.int32()), ("days", pa.int32()), ("authority", pa.string())]
)
_HOLDS = pa.schema([(name, pa.string()) for name in ("reason", "entity_id", "attribute_id", "source_id")])

# Of all that a run publishes, withdrawals alone say what no longer stands; a gold cell that names a statement all the
# same keeps it, whatever they say.
_WITHDRAWN = """
CREATE OR REPLACE TEMP TABLE retained AS
WITH last AS (
    SELECT statement_id, max(created_at) AS withdrawn_at, arg_max(run_id, (created_at, run_id)) AS withdrawn_run_id
    FROM withdrawals GROUP BY statement_id HAVING arg_max(action, (created_at, run_id)) = 'WITHDRAWN'
),
named AS (
    SELECT statement_id, max(created_at) AS named_at FROM (
        SELECT old_statement_id AS statement_id, created_at FROM override_events
        UNION ALL SELECT new_statement_id, created_at FROM override_events WHERE new_statement_id IS NOT NULL
    ) GROUP BY statement_id
),
in_gold AS (
    SELECT statement_id FROM attribute_values
    UNION SELECT runner_up_statement_id FROM attribute_values WHERE runner_up_statement_id IS NOT NULL
),
dated AS (
    SELECT s.statement_id, s.entity_type, s.entity_id, s.attribute_id, s.language, s.source_type, s.method, s.source_id,
        s.retention_class, l.withdrawn_at, l.withdrawn_run_id, r.authority, r.retention_class IS NOT NULL AS ruled,
        greatest(l.withdrawn_at, coalesce(n.named_at, l.withdrawn_at))
            + to_months(r.months) + to_days(r.days) AS due_at
    FROM statements s JOIN last l USING (statement_id) LEFT JOIN named n USING (statement_id)
    LEFT JOIN rules r ON r.retention_class = s.retention_class
    ANTI JOIN in_gold g ON g.statement_id = s.statement_id
)
SELECT d.*, coalesce(d.due_at <= $now, false) AS due, (
    SELECT string_agg(DISTINCT h.reason, '; ' ORDER BY h.reason) FROM holds h
    WHERE d.entity_id GLOB h.entity_id AND d.attribute_id GLOB h.attribute_id AND d.source_id GLOB h.source_id
) AS held
FROM dated d ORDER BY entity_id, attribute_id, language, statement_id
"""
_BY_CLASS = """
SELECT retention_class, any_value(authority) AS authority, bool_or(ruled) AS ruled, count(*) AS withdrawn,
    count(*) FILTER (due AND held IS NULL) AS due, count(*) FILTER (due AND held IS NOT NULL) AS held,
    min(due_at) FILTER (NOT due) AS next_due_at
FROM retained GROUP BY retention_class ORDER BY retention_class
"""


def find_withdrawn(run: FinishedRun, schedule: Schedule, now: datetime) -> None:
    """Make ``retained``: every statement that no longer stands, when it is due, whether it is, and what holds it.

    ``due_at`` is the period of its class after the withdrawal, or after the last change of winner that names it if
    that is later; null where the schedule has no rule for its class.
    """
    rules = [
        {"retention_class": rule.retention_class, "months": rule.months, "days": rule.days, "authority": rule.authority}
        for rule in schedule.rules.values()
    ]
    holds = [
        {
            "reason": hold.reason,
            "entity_id": hold.entity_id,
            "attribute_id": hold.attribute_id,
            "source_id": hold.source_id,
        }
        for hold in schedule.holds
    ]
    run.connection.register("rules", pa.Table.from_pylist(rules, schema=_RULES))
    run.connection.register("holds", pa.Table.from_pylist(holds, schema=_HOLDS))
    run.connection.execute(_WITHDRAWN, {"now": now})


def by_class(run: FinishedRun) -> list[dict[str, Any]]:
    """Per retention class of ``retained``: how many are withdrawn, due, held though due, and when the next is due."""
    return run.rows(_BY_CLASS)


def due_statements(run: FinishedRun, authority: str | None = None) -> list[dict[str, Any]]:
    """The statements that are due and on no hold, in order of cell; only those under ``authority`` where given."""
    return run.rows(
        "SELECT * FROM retained WHERE due AND held IS NULL AND ($authority IS NULL OR authority = $authority) "
        "ORDER BY entity_id, attribute_id, language, statement_id",
        {"authority": authority},
    )


def held_statements(run: FinishedRun) -> list[dict[str, Any]]:
    """Per hold: how many statements it keeps that are due otherwise."""
    return run.rows(
        "SELECT held AS reason, count(*) AS held FROM retained WHERE due AND held IS NOT NULL "
        "GROUP BY retained.held ORDER BY retained.held"
    )
