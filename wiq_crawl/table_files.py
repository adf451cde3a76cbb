"""Tables on disk: spooled page by page as they come, then written in their published order.

Pages arrive in the order the site answers; the files do not depend on it. Memory holds one small index
entry per page and table.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING

import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq

from schemas import Table, arrow_schema, load_tables, paired_table
from schemas.errors import OutputUnwritable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from wiq_crawl.items import Lines

SPOOL = "spool"
# JSON is read in blocks of this many bytes (larger where one record is), and goes to Parquet in row groups of at
# least this many bytes of Arrow data: small blocks keep memory low, row groups of a fair size keep files small.
_BLOCK_BYTES = 1 << 18
_ROW_GROUP_BYTES = 1 << 21

# Arrow's own pool keeps what it once had; the system's gives it back, which halves the peak while files are written.
pa.set_memory_pool(pa.system_memory_pool())

# Place of a page's records in a file: depth, address, then page (0) before pairing (1).
Place = tuple[int, str, int]


class Spool:
    """Records of one file, appended page by page."""

    def __init__(self, path: Path, table: Table) -> None:
        self.table = table
        self.longest = 0
        self.bytes = 0
        self._path = path
        self._file: IO[bytes] = path.open("wb+")
        self._index: list[tuple[Place, int, int]] = []

    def append(self, place: Place, lines: Lines) -> int:
        """Write a page's records; returns how many."""
        if lines.data:
            self.longest = max(self.longest, lines.longest)
            written = self._file.write(lines.data)
            self._index.append((place, self.bytes, written))
            self.bytes += written
        return lines.number

    def write_jsonl(self, path: Path) -> None:
        """Write the records in their published order."""
        self._file.flush()
        with path.open("xb") as out:
            for _, offset, length in sorted(self._index):
                self._file.seek(offset)
                out.write(self._file.read(length))

    def close(self) -> None:
        """Close and delete the spool file."""
        self._file.close()
        self._path.unlink(missing_ok=True)


class TableFiles:
    """Every table file of a run: ``<table>_<language>.jsonl`` and ``.parquet``, and the paired Parquet files."""

    def __init__(self, folder: Path, languages: Iterable[str], program: str = "tbs") -> None:
        self.folder = folder
        self.spool_folder = folder / SPOOL
        try:
            self.spool_folder.mkdir()
            tables = load_tables(program)
            self._single = {
                (name, language): Spool(self.spool_folder / f"{name}_{language}", table)
                for name, table in tables.items()
                for language in languages
            }
            self._paired: dict[str, Spool] = {}
            if len(set(languages)) > 1:
                self._paired = {
                    name: Spool(self.spool_folder / name, paired_table(program, name))
                    for name, table in tables.items()
                    if table.pairing_key
                }
        except OSError as error:
            raise _unwritable(folder, error) from error

    def append(self, table: str, language: str, place: Place, lines: Lines) -> int:
        """Spool a page's records of one table; returns how many."""
        try:
            return self._single[table, language].append(place, lines)
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def append_paired(self, table: str, lines: Lines) -> int:
        """Spool bilingual records; returns how many."""
        try:
            return self._paired[table].append((0, "", 0), lines)
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def publish(self) -> None:
        """Write every file in its published order, and delete the spools."""
        try:
            waiting = [
                *((spool, self.folder, f"{name}_{language}") for (name, language), spool in self._single.items()),
                *((spool, self.spool_folder, name) for name, spool in self._paired.items()),
            ]
            waiting.sort(key=lambda item: item[0].bytes)
            # Arrow lets go of the interpreter while it works, so that a second thread takes half of the time. It is
            # one beside this one, because each further thread has memory of its own.
            pa.default_memory_pool().release_unused()  # what the pages took
            with ThreadPoolExecutor(1) as second:
                others = second.submit(self._publish, waiting)
                self._publish(waiting)
                others.result()
            for name in self._paired:
                (self.spool_folder / f"{name}.jsonl").unlink()
            self.spool_folder.rmdir()
            pa.default_memory_pool().release_unused()  # for the verdict, which reads the files again
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def _publish(self, waiting: list[tuple[Spool, Path, str]]) -> None:
        """Write one table after the other, the largest first, until none is left; two threads take from one list."""
        while True:
            try:
                spool, jsonl_folder, name = waiting.pop()
            except IndexError:
                return
            jsonl = jsonl_folder / f"{name}.jsonl"
            spool.write_jsonl(jsonl)
            write_parquet(jsonl, self.folder / f"{name}.parquet", spool.table, longest=spool.longest)
            spool.close()


def write_parquet(jsonl: Path, path: Path, table: Table, *, longest: int) -> None:
    """Write a JSONL file as Parquet (zstd) with the table's types; ``longest`` is its longest line in bytes."""
    schema = arrow_schema(table)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        if jsonl.stat().st_size:
            waiting: list[pa.RecordBatch] = []
            size = 0
            for batch in _batches(jsonl, schema, block_bytes=max(_BLOCK_BYTES, 2 * longest)):
                waiting.append(batch)
                size += batch.nbytes
                if size >= _ROW_GROUP_BYTES:
                    writer.write_table(pa.Table.from_batches(waiting))
                    waiting.clear()
                    size = 0
            if waiting:
                writer.write_table(pa.Table.from_batches(waiting))


def _batches(jsonl: Path, schema: pa.Schema, *, block_bytes: int) -> Iterator[pa.RecordBatch]:
    """Record batches of a JSONL file; dates come as text in JSON and are cast."""
    as_text = pa.schema(
        [pa.field(field.name, pa.string() if pa.types.is_temporal(field.type) else field.type) for field in schema]
    )
    reader = pj.open_json(
        jsonl,
        read_options=pj.ReadOptions(block_size=block_bytes, use_threads=False),
        parse_options=pj.ParseOptions(explicit_schema=as_text, unexpected_field_behavior="error"),
    )
    for batch in reader:
        columns = [batch.column(field.name).cast(field.type) for field in schema]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _unwritable(folder: Path, error: OSError) -> OutputUnwritable:
    return OutputUnwritable(
        "the tables cannot be written",
        "space and permission",
        f"{folder}: {error.strerror or error}",
        next_step="free space or name another folder with WIQ_OUTPUT",
    )
