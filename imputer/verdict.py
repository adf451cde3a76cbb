"""Was the run good: what the files hold, read again from disk, and whether every key leads somewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pyarrow.parquet as pq

from imputer.errors import BrokenKey, InvalidRecord
from schemas.errors import Incomplete, RunError
from schemas.validation import TableValidator

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import duckdb

    from schemas import Table


def check_files(folder: Path, tables: Mapping[str, Table], counts: Mapping[str, int]) -> list[RunError]:
    """Read every JSONL line against its schema: as many valid lines as Parquet rows as rows that were made."""
    problems: list[RunError] = []
    for name, table in tables.items():
        path = folder / f"{name}.jsonl"
        validator = TableValidator(table)
        lines = invalid = 0
        first: str | None = None
        with path.open("rb") as file:
            for lines, line in enumerate(file, 1):  # noqa: B007
                record = orjson.loads(line)
                if not validator.is_valid(record):
                    invalid += 1
                    first = first or str(validator.violations(record)[0])
        if invalid:
            problems.append(InvalidRecord(f"{invalid} records of {path.name} break their schema", found=first))
        rows = pq.read_metadata(path.with_suffix(".parquet")).num_rows
        if not lines == rows == counts[name]:
            problems.append(
                Incomplete(
                    f"{path.name} does not hold what was made",
                    f"{counts[name]} lines and as many Parquet rows",
                    f"{lines} lines, {rows} rows",
                )
            )
    return problems


def check_keys(connection: duckdb.DuckDBPyConnection, folder: Path, tables: Mapping[str, Table]) -> list[RunError]:
    """Every primary key is there and unique; every foreign key that is not null leads to a row."""
    problems: list[RunError] = []
    for name, table in tables.items():
        keys = ", ".join(f'"{column}"' for column in table.primary_key)
        null = " OR ".join(f'"{column}" IS NULL' for column in table.primary_key)
        wrong = f"HAVING count(*) > 1 OR bool_or({null}) LIMIT 1"
        doubled = _one(connection, f"SELECT ({keys}) FROM {_file(folder, name)} GROUP BY {keys} {wrong}")
        if doubled is not None:
            key_columns = ", ".join(table.primary_key)
            problems.append(BrokenKey(f"{name}: its key ({key_columns}) is not unique", found=str(doubled)))
        for key in table.foreign_keys:
            there = " AND ".join(f'o."{a}" = t."{b}"' for a, b in zip(key.columns, key.references, strict=True))
            present = " AND ".join(f'o."{column}" IS NOT NULL' for column in key.columns)
            lost = _one(
                connection,
                f'SELECT o."{key.columns[0]}" FROM {_file(folder, name)} o '
                f"ANTI JOIN {_file(folder, key.table)} t ON {there} WHERE {present} LIMIT 1",
            )
            if lost is not None:
                problems.append(
                    BrokenKey(
                        f"{name}.{', '.join(key.columns)} leads nowhere",
                        f"a row of {key.table}.{', '.join(key.references)}",
                        str(lost),
                    )
                )
    return problems


def _file(folder: Path, name: str) -> str:
    path = str(folder / f"{name}.parquet").replace("'", "''")
    return f"read_parquet('{path}')"


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> object:
    row = connection.execute(query).fetchone()
    return None if row is None else row[0]
