"""What a run's files hold, read again from disk."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from schemas import load_tables, paired_table
from schemas.errors import Incomplete, RunError
from schemas.validation import TableValidator
from wiq_crawl.addresses import on_host
from wiq_crawl.errors import PairingMismatch
from wiq_crawl.table_files import read_jsonl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wiq_crawl.arguments import CrawlArguments


# Tables whose records say more than that they are there.
_NOTED = frozenset({"documents", "links", "occupational_groups", "definitions"})


@dataclass(slots=True)
class Contents:
    """What the files hold, and what is wrong with them.

    ``rows`` and ``links`` count by (table or column, language); ``documents`` maps addresses to depths;
    ``targets`` maps a depth to the documents that the links of its pages lead to; ``problems`` are files
    that are missing, invalid or do not agree.
    """

    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    documents: dict[str, int] = field(default_factory=dict)
    targets: dict[int, set[str]] = field(default_factory=dict)
    links: Counter[tuple[str, str]] = field(default_factory=Counter)
    abbreviations: dict[str, set[str]] = field(default_factory=dict)
    texts: dict[str, set[str]] = field(default_factory=dict)
    fetched_at: str | None = None
    problems: list[RunError] = field(default_factory=list)


def read_back(folder: Path, arguments: CrawlArguments) -> Contents:
    """Read every table file: each JSONL line against its schema, as many Parquet rows as lines."""
    contents = Contents()
    for name, table in load_tables("tbs").items():
        validator = TableValidator(table)
        for language in arguments.languages:
            path = folder / f"{name}_{language}.jsonl"
            if not path.is_file():
                contents.problems.append(Incomplete("a table file is missing", path.name, "no such file"))
                continue
            lines = invalid = 0
            for lines, record in enumerate(read_jsonl(path), 1):  # noqa: B007
                invalid += not validator.is_valid(record)
                if name in _NOTED:
                    _note(name, language, record, arguments, contents)
            contents.rows[name, language] = lines
            rows = pq.read_metadata(path.with_suffix(".parquet")).num_rows
            if invalid or rows != lines:
                contents.problems.append(
                    Incomplete(
                        f"{path.name} does not hold what was extracted",
                        f"{lines} valid lines, as many Parquet rows",
                        f"{invalid} invalid lines, {rows} Parquet rows",
                    )
                )
    if len(arguments.languages) > 1:
        _check_paired(folder, arguments.languages, contents)
    return contents


def _note(name: str, language: str, record: Mapping[str, Any], arguments: CrawlArguments, contents: Contents) -> None:
    if name == "documents":  # read before the links, whose depth they tell
        contents.documents[record["url"]] = record["depth"]
        contents.fetched_at = max(contents.fetched_at or "", record["fetched_at"])
    elif name == "links":
        column = record["table_column"]
        if column:
            contents.links[column, language] += 1
        depth = contents.documents.get(record["document_url"], 0)
        if record["target"] == "tbs_document" and (depth > 0 or column in arguments.columns):
            contents.targets.setdefault(depth, set()).add(on_host(record["url"], arguments.base_url))
    elif name == "occupational_groups":
        contents.abbreviations.setdefault(language, set()).add(record["abbreviation"])
    elif name == "definitions":
        contents.texts.setdefault(language, set()).add(record["text_sha256"])


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
