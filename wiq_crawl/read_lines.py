"""The JSONL files of a run, read again line by line: each against its schema, and what the verdict wants of it.

Without Arrow, so that a second process can do half of it at little cost.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from schemas import load_tables
from schemas.validation import TableValidator
from wiq_crawl.addresses import on_host

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from schemas.errors import RunError
    from wiq_crawl.arguments import CrawlArguments
    from wiq_crawl.items import Record

# Tables whose records say more than that they are there.
_NOTED = frozenset({"documents", "links", "occupational_groups", "definitions"})


@dataclass(slots=True)
class Contents:
    """What the files hold, and what is wrong with them.

    ``rows``, ``invalid`` and ``links`` count by (table or column, language); ``documents`` maps addresses to
    depths; ``targets`` maps a depth to the documents that the links of its pages lead to; ``problems`` are files
    that are missing, invalid or do not agree.
    """

    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    invalid: Counter[tuple[str, str]] = field(default_factory=Counter)
    documents: dict[str, int] = field(default_factory=dict)
    targets: dict[int, set[str]] = field(default_factory=dict)
    links: Counter[tuple[str, str]] = field(default_factory=Counter)
    abbreviations: dict[str, set[str]] = field(default_factory=dict)
    texts: dict[str, set[str]] = field(default_factory=dict)
    fetched_at: str | None = None
    problems: list[RunError] = field(default_factory=list)

    def add(self, other: Contents) -> None:
        """Take what other files hold."""
        self.rows += other.rows
        self.invalid += other.invalid
        self.links += other.links
        for name in ("documents", "targets", "abbreviations", "texts"):
            getattr(self, name).update(getattr(other, name))
        self.fetched_at = self.fetched_at or other.fetched_at
        self.problems += other.problems


def read_lines(
    folder: Path, arguments: CrawlArguments, tables: Iterable[str], depths: Mapping[str, int] | None = None
) -> Contents:
    """Read the files of some tables, those that are there; ``depths`` are those of the documents, for their links."""
    found = Contents()
    for name in tables:
        validator = TableValidator(load_tables("tbs")[name])
        for language in arguments.languages:
            path = folder / f"{name}_{language}.jsonl"
            if not path.is_file():
                continue
            rows = invalid = 0
            with path.open("rb") as lines:
                for rows, line in enumerate(lines, 1):  # noqa: B007
                    record = orjson.loads(line)
                    invalid += not validator.is_valid(record)
                    if name in _NOTED:
                        _note(name, language, record, arguments, depths or {}, found)
            found.rows[name, language] = rows
            found.invalid[name, language] = invalid
    found.targets = {depth: {on_host(url, arguments.base_url) for url in urls} for depth, urls in found.targets.items()}
    return found


def _note(
    name: str, language: str, record: Record, arguments: CrawlArguments, depths: Mapping[str, int], found: Contents
) -> None:
    if name == "documents":
        found.documents[record["url"]] = record["depth"]
        found.fetched_at = max(found.fetched_at or "", record["fetched_at"])
    elif name == "links":
        column = record["table_column"]
        if column:
            found.links[column, language] += 1
        if record["target"] == "tbs_document":
            depth = depths.get(record["document_url"], 0)
            if depth > 0 or column in arguments.columns:
                found.targets.setdefault(depth, set()).add(record["url"])
    elif name == "occupational_groups":
        found.abbreviations.setdefault(language, set()).add(record["abbreviation"])
    elif name == "definitions":
        found.texts.setdefault(language, set()).add(record["text_sha256"])
