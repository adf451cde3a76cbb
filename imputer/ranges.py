"""Entities in ranges of their key: what bounds the memory of a run, whatever their number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imputer.gold import append_gold
from imputer.precedence import CHANGE_SQL, choose_winners, note_overrides
from imputer.statements import append, create_log_tables
from imputer.tiers import descriptions, hierarchical, llm, measured, neighbours, onet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import duckdb

    from imputer.table_files import TableFiles
    from schemas import Table

#: Entities worked on at a time, nearly all job titles: about 200,000 statements.
TITLES_PER_RANGE = 500


def entity_ranges(connection: duckdb.DuckDBPyConnection, size: int = TITLES_PER_RANGE) -> Iterator[tuple[str, str]]:
    """First and last key of each range of ``dim_entity``, which holds what was published before, in order of key."""
    query = (
        "SELECT min(entity_id), max(entity_id) FROM ("
        "SELECT entity_id, (row_number() OVER (ORDER BY entity_id) - 1) // $size AS number FROM ("
        "SELECT entity_id FROM dim_entity)) GROUP BY number ORDER BY number"
    )
    yield from connection.execute(query, {"size": size}).fetchall()


def publish_ranges(
    connection: duckdb.DuckDBPyConnection,
    files: TableFiles,
    wide: Table,
    moment: tuple[str, str],
    progress: Callable[[int], None],
    size: int = TITLES_PER_RANGE,
) -> dict[str, int]:
    """State, log, judge and publish every range; returns how many statements, withdrawals and overrides are new.

    ``moment`` is the run id and its ISO time; ``progress`` is told the titles done after each range. Leaves
    ``run_withdrawals``, the withdrawals of the whole run. A value that is only stated anew is no override that counts.
    """
    added = withdrawn = overridden = 0
    create_log_tables(connection)
    connection.execute("CREATE OR REPLACE TEMP TABLE run_withdrawals AS SELECT * FROM previous_withdrawals LIMIT 0")
    for first, last in list(entity_ranges(connection, size)) or [("", "")]:  # without a title, empty tables
        state_range(connection, first, last)
        append(connection, *moment, first, last)
        choose_winners(connection)
        note_overrides(connection, *moment, first, last)
        append_gold(connection, files, wide)
        connection.execute("INSERT INTO run_withdrawals SELECT * FROM new_withdrawals")
        added += _count(connection, "log WHERE added")
        withdrawn += _count(connection, "new_withdrawals")
        overridden += _count(connection, f"new_events WHERE {CHANGE_SQL}")
        progress(_count(connection, "resolved"))
    return {"statements_added": added, "statements_withdrawn": withdrawn, "override_events": overridden}


def state_range(connection: duckdb.DuckDBPyConnection, first: str, last: str) -> None:
    """Fill ``stated`` with what every tier states for the entities from ``first`` to ``last``."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE range_entities AS SELECT entity_type, entity_id, current FROM dim_entity "
        "WHERE entity_id BETWEEN $first AND $last",
        {"first": first, "last": last},
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE resolved AS SELECT * FROM resolutions WHERE entity_id BETWEEN $first AND $last",
        {"first": first, "last": last},
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE entity_range AS SELECT $first AS first, $last AS last",
        {"first": first, "last": last},
    )
    connection.execute("DELETE FROM stated")
    hierarchical.state(connection)
    descriptions.state(connection)
    onet.state(connection)
    llm.state(connection)
    neighbours.state(connection)
    measured.state(connection)


def _count(connection: duckdb.DuckDBPyConnection, what: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {what}").fetchone()
    assert row is not None
    return int(row[0])
