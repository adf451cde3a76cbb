"""SQL over Arrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


def open_database(tables: Mapping[str, pa.Table]) -> duckdb.DuckDBPyConnection:
    """An in-memory database with these tables; one thread, so that sums come out the same to the last digit."""
    connection = duckdb.connect()
    connection.execute("set threads = 1")
    for name, table in tables.items():
        connection.register(name, table)
    return connection


def answer(connection: duckdb.DuckDBPyConnection, query: str, given: Mapping[str, object] | None = None) -> pa.Table:
    """What a query gives, as one table; ``given`` are its ``$named`` values."""
    relation = connection.sql(query, params=dict(given)) if given else connection.sql(query)
    assert relation is not None
    return relation.to_arrow_table()
