"""A finished run as DuckDB views over its Parquet files, for whatever reads one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import duckdb

from schemas import arrow_schema, load_tables
from schemas.errors import Incomplete
from schemas.runs import LATEST, latest_run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """The tables of one run, read in place; use it in a ``with``.

    Every published table can be queried by its name. One that the run does not hold is empty, so that a question
    about it has an answer.
    """

    folder: Path
    connection: duckdb.DuckDBPyConnection
    tables: frozenset[str]

    def __enter__(self) -> Self:
        """Return the run itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.connection.close()

    def rows(self, query: str, values: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        """The answer to a query with ``$name`` values, as records. Timestamps are in UTC."""
        table: pa.Table = self.connection.sql(query, params=dict(values or {})).to_arrow_table()
        records: list[dict[str, Any]] = table.to_pylist()
        return records

    def first(self, query: str, values: Mapping[str, object] | None = None) -> dict[str, Any] | None:
        """The first record of an answer, None where there is none."""
        found = self.rows(query, values)
        return found[0] if found else None


def open_latest(root: Path) -> FinishedRun:
    """Open the last good run below ``root`` (``output/wiq``); a run promoted meanwhile does not disturb.

    Raises Incomplete where there is none.
    """
    folder = latest_run(root)
    if folder is None:
        raise Incomplete(
            "there is no finished run to read",
            str(root / LATEST),
            "nothing",
            next_step="run «imputer impute», or set WIQ_OUTPUT to the folder it wrote to",
        )
    return open_folder(folder)


def open_folder(folder: Path) -> FinishedRun:
    """Open the folder of a run. Raises Incomplete where it has no statements."""
    if not (folder / "statements.parquet").is_file():
        raise Incomplete(f"{folder} holds no run", "statements.parquet", "no such file")
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    held: set[str] = set()
    for path in sorted(folder.glob("*.parquet")):
        name = path.stem
        held.add(name)
        connection.execute(f"CREATE VIEW \"{name}\" AS SELECT * FROM read_parquet('{quoted(path)}')")
    for name, table in load_tables("wiq").items():
        if name not in held:
            connection.register("_shape", arrow_schema(table).empty_table())
            connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM _shape')
            connection.unregister("_shape")
    return FinishedRun(folder, connection, frozenset(held))


def quoted(path: Path) -> str:
    """A path inside single quotes of SQL."""
    return str(path).replace("'", "''")
