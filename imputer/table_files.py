"""The gold tables on disk: each as Parquet (zstd, described columns, stable order) and as JSONL."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from schemas import Column, Table, arrow_schema, load_table
from schemas.errors import OutputUnwritable
from schemas.runs import output_unwritable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

# Small enough that a row group of texts is read again in a few tens of megabytes.
_ROWS_PER_GROUP = 20_000


@dataclass(slots=True)
class TableFiles:
    """The Parquet files of a run, written a range of entities at a time; use it in a ``with``.

    ``notes`` are put into the metadata of every file (the attribution that a licence asks for).
    """

    folder: Path
    notes: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    _writers: dict[str, pq.ParquetWriter] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        """Return the files themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every file."""
        self._open.close()

    def append(self, connection: duckdb.DuckDBPyConnection, table: Table, query: str) -> int:
        """Append the rows of ``query`` to a table's file; returns how many. Raises OutputUnwritable."""
        schema = arrow_schema(table)
        schema = schema.with_metadata((schema.metadata or {}) | {k.encode(): v.encode() for k, v in self.notes.items()})
        path = self.folder / f"{table.name}.parquet"
        names = ", ".join(f'"{name}"' for name in schema.names)
        try:
            if table.name not in self._writers:
                writer = pq.ParquetWriter(path, schema, compression="zstd")
                self._writers[table.name] = self._open.enter_context(writer)
                self.counts[table.name] = 0
            rows = 0
            for batch in connection.sql(f"SELECT {names} FROM ({query})").to_arrow_reader(_ROWS_PER_GROUP):
                rows += batch.num_rows
                if batch.num_rows:
                    self._writers[table.name].write_table(pa.Table.from_batches([batch]).cast(schema))
        except OSError as error:
            raise output_unwritable(path, error) from error
        self.counts[table.name] += rows
        return rows


def write_jsonl(connection: duckdb.DuckDBPyConnection, parquet: Path, table: Table) -> None:
    """Write a Parquet file again as JSONL beside it: same rows, same order. Raises OutputUnwritable."""
    path = parquet.with_suffix(".jsonl")
    columns = ", ".join(_as_json(column) for column in table.columns)
    try:
        connection.execute(
            f"COPY (SELECT {columns} FROM read_parquet('{_quoted(parquet)}')) TO '{_quoted(path)}' (FORMAT json)"
        )
    except duckdb.IOException as error:  # DuckDB's own: no OSError
        next_step = "free some space, or set WIQ_OUTPUT to a folder that can be written"
        raise OutputUnwritable(f"cannot write {path}: {error}", next_step=next_step) from error


def wide_table(attributes: Iterable[tuple[str, str, str, str | None]]) -> Table:
    """The table ``job_titles_wide`` with one column per attribute: (id, value type, English name, French name)."""
    table = load_table("wiq", "job_titles_wide")
    columns = [
        Column(
            name=attribute_id,
            schema={"type": ["number" if value_type == "number" else "string", "null"]},
            description={"en": name_en, "fr": name_fr or name_en},
            unit=None,
            shared=False,
            compared=True,
        )
        for attribute_id, value_type, name_en, name_fr in attributes
    ]
    properties = {column.name: column.schema for column in (*table.columns, *columns)}
    return Table(
        name=table.name,
        title=table.title,
        description=table.description,
        primary_key=table.primary_key,
        foreign_keys=table.foreign_keys,
        pairing_key=None,
        columns=(*table.columns, *columns),
        schema=table.schema | {"properties": properties, "required": list(properties)},
    )


def _as_json(column: Column) -> str:
    if column.schema.get("format") == "date-time":
        return f"strftime(\"{column.name}\" AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ') AS \"{column.name}\""
    return f'"{column.name}"'


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
