"""Files of titles resolved row by row in bounded memory: CSV or Parquet in; Parquet, CSV or JSON Lines out."""

from __future__ import annotations

import csv
import os
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

import orjson
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from imputer.errors import SourceMalformed, SourceMissing, WrongUsage
from imputer.resolution.tables import OPTIONAL, RESOLUTIONS, resolve_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from imputer.resolution.resolver import Resolver

#: Rows resolved and written at a time.
CHUNK: Final = 4096
_BLOCK: Final = 1 << 20
COLUMNS: Final = [name for name in RESOLUTIONS.names if name not in {"runner_up", "margin"}]
OUTPUTS: Final = (".parquet", ".csv", ".jsonl")
INPUTS: Final = (".csv", ".parquet")


def resolve_file(
    resolver: Resolver,
    source: Path,
    target: Path,
    title: str,
    language: str | None,
    told: Callable[[int], None],
) -> int:
    """Write one row per row of ``source``, in order; ``target`` appears when all is written. Returns their number.

    Raises SourceMissing, WrongUsage for another kind of file, a missing column or a bad unit group, and SourceMalformed
    for a file that is broken.
    """
    done = 0
    with _written(target) as write:
        for table in read_titles(source, title):
            try:
                found = resolve_table(resolver, table, title, language, done + 1)
            except WrongUsage as error:
                raise WrongUsage(
                    error.message, error.expected, error.found, str(source), next_step=error.next_step
                ) from error
            write(found.select(COLUMNS))
            done += table.num_rows
            told(done)
    return done


def check_paths(source: Path, target: Path, title: str) -> None:
    """Raise what stands in the way before anything long is done: files, kinds, and the column of titles."""
    if not source.is_file():
        raise SourceMissing("the file of titles is not there", url=str(source))
    for path, kinds in ((source, INPUTS), (target, OUTPUTS)):
        if path.suffix.lower() not in kinds:
            raise WrongUsage("unknown kind of file", expected=f"a name ending in {', '.join(kinds)}", found=str(path))
    if source.resolve() == target.resolve():
        raise WrongUsage("the output would replace the input", found=str(target), next_step="name another file")
    next(read_titles(source, title), None)


def read_titles(source: Path, title: str) -> Iterator[pa.Table]:
    """The columns that resolution uses, some thousand rows at a time, all as text."""
    try:
        with source.open("rb") as file:
            if source.suffix.lower() == ".parquet":
                yield from _parquet(file, source, title)
            else:
                yield from _csv(source, title)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise SourceMalformed("the file of titles cannot be read", found=str(error), url=str(source)) from error


def _parquet(file: IO[bytes], source: Path, title: str) -> Iterator[pa.Table]:
    opened = pq.ParquetFile(file)
    columns = _used(opened.schema_arrow.names, source, title)
    for batch in opened.iter_batches(CHUNK, columns=columns):
        table = pa.Table.from_batches([batch])
        yield pa.table({name: table[name].cast(pa.string()) for name in columns})


def _csv(source: Path, title: str) -> Iterator[pa.Table]:
    with source.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file), [])
    columns = _used(header, source, title)
    if len(set(header)) < len(header):
        raise WrongUsage("a column is named twice", found=", ".join(header), url=str(source))
    opened = pa_csv.open_csv(
        source,
        read_options=pa_csv.ReadOptions(block_size=_BLOCK, column_names=header, skip_rows=1),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            include_columns=columns, column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False
        ),
    )
    for batch in opened:
        for at in range(0, batch.num_rows, CHUNK):
            yield pa.Table.from_batches([batch.slice(at, CHUNK)])


def _used(names: list[str], source: Path, title: str) -> list[str]:
    if title not in names:
        raise WrongUsage(
            "the column of titles is missing",
            expected=repr(title),
            found=", ".join(map(repr, names)),
            url=str(source),
            next_step="name it with --title-column",
        )
    return [title, *(name for name in OPTIONAL if name in names and name != title)]


@contextmanager
def _written(target: Path) -> Iterator[Callable[[pa.Table], None]]:
    """A function that appends rows; the file is put in place when the block ends well, removed when it does not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    schema = pa.schema([RESOLUTIONS.field(name) for name in COLUMNS])
    try:
        with _writer(beside, target.suffix.lower(), schema) as write:
            yield write
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _writer(path: Path, kind: str, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    if kind == ".parquet":
        with pq.ParquetWriter(path, schema, compression="zstd") as parquet:
            yield parquet.write_table
        return
    with path.open("wb") as file:
        if kind == ".jsonl":
            yield lambda table: file.writelines(orjson.dumps(row) + b"\n" for row in table.to_pylist())
            return
        text = pa.schema([field.with_type(pa.string()) if field.name == "candidates" else field for field in schema])
        with pa_csv.CSVWriter(file, text) as lines:
            yield lambda table: lines.write_table(_with_text(table, text))


def _with_text(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Candidates as JSON text, for CSV."""
    texts = [orjson.dumps(value).decode() for value in table["candidates"].to_pylist()]
    place = table.column_names.index("candidates")
    return table.set_column(place, schema.field("candidates"), pa.array(texts))
