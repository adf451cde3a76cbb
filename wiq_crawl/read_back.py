"""What a run's files hold, read again from disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from schemas import load_tables, paired_table
from schemas.errors import Incomplete
from wiq_crawl.errors import PairingMismatch
from wiq_crawl.helper import Helper
from wiq_crawl.read_lines import Contents, read_lines

if TYPE_CHECKING:
    from pathlib import Path

    from wiq_crawl.arguments import CrawlArguments

# Half of a run's bytes are links; their depth is that of their documents, which are few.
_FIRST, _HALF = "documents", "links"
# Bytes of links that take about as long to read as a second process to start.
_WORTH_HELP = 1 << 24


def read_back(folder: Path, arguments: CrawlArguments, *, helped: bool = False) -> Contents:
    """Read every table file: each JSONL line against its schema, as many Parquet rows as lines.

    Where it is ``helped``, a second process reads half of many; what comes out is the same.
    """
    contents = read_lines(folder, arguments, [_FIRST])
    others = [name for name in load_tables("tbs") if name not in (_FIRST, _HALF)]
    if helped and _bytes(folder, _HALF) > _WORTH_HELP:
        asyncio.run(_read_helped(folder, arguments, others, contents))
    else:
        contents.add(read_lines(folder, arguments, others))
        contents.add(read_lines(folder, arguments, [_HALF], contents.documents))
    _check_files(folder, arguments.languages, contents)
    if len(arguments.languages) > 1:
        _check_paired(folder, arguments.languages, contents)
    return contents


async def _read_helped(folder: Path, arguments: CrawlArguments, others: list[str], contents: Contents) -> None:
    helper = Helper()
    try:
        half = asyncio.ensure_future(helper.call(read_lines, folder, arguments, [_HALF], contents.documents))
        await asyncio.sleep(0)  # the call is on its way
        contents.add(read_lines(folder, arguments, others))
        contents.add(await half)
    finally:
        helper.close()


def _bytes(folder: Path, table: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(f"{table}_*.jsonl"))


def _check_files(folder: Path, languages: tuple[str, ...], contents: Contents) -> None:
    """Every file is there, every line is valid, and the Parquet file has as many rows."""
    for name in load_tables("tbs"):
        for language in languages:
            path = folder / f"{name}_{language}.jsonl"
            if not path.is_file():
                contents.problems.append(Incomplete("a table file is missing", path.name, "no such file"))
                continue
            lines, invalid = contents.rows[name, language], contents.invalid[name, language]
            rows = pq.read_metadata(path.with_suffix(".parquet")).num_rows
            if invalid or rows != lines:
                contents.problems.append(
                    Incomplete(
                        f"{path.name} does not hold what was extracted",
                        f"{lines} valid lines, as many Parquet rows",
                        f"{invalid} invalid lines, {rows} Parquet rows",
                    )
                )


def _check_paired(folder: Path, languages: tuple[str, ...], contents: Contents) -> None:
    """Every row of a paired table stands in both languages and in the bilingual file."""
    for name, table in load_tables("tbs").items():
        if not table.pairing_key:
            continue
        rows = {language: contents.rows[name, language] for language in languages}
        metadata = pq.read_metadata(folder / f"{name}.parquet")
        whole = len(metadata.schema.to_arrow_schema()) == len(paired_table("tbs", name).columns)
        if not whole or set(rows.values()) != {metadata.num_rows}:
            shown = ", ".join(f"{count} {language}" for language, count in rows.items())
            contents.problems.append(
                PairingMismatch(f"{name} are not paired", f"as many bilingual rows as {shown}", str(metadata.num_rows))
            )
