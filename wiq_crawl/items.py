"""What a page yields: records by table. Nothing of Scrapy, and no list of columns (those are in ``schemas/``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import orjson

if TYPE_CHECKING:
    from wiq_crawl.errors import InvalidItem

Record = dict[str, Any]


@dataclass(slots=True)
class PageRecords:
    """All records read from one page.

    ``tables`` maps a table's name to its records in page order; ``depth`` counts the links followed
    from the main table page.
    """

    url: str
    language: str
    kind: str
    depth: int
    tables: dict[str, list[Record]] = field(default_factory=dict)


class Lines(NamedTuple):
    """Records as lines of JSON: all of them, how many, and the bytes of the longest."""

    data: bytes
    number: int
    longest: int

    @classmethod
    def of(cls, records: list[Record]) -> Self:
        """Write records as lines, each with its end."""
        lines = [orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records]
        return cls(b"".join(lines), len(lines), max(map(len, lines), default=0))


class DocumentLink(NamedTuple):
    """A link to a document of the crawl: its address, the main table's column it stands in, its fragment."""

    url: str
    column: str | None
    fragment: str | None


@dataclass(slots=True)
class CheckedPage:
    """A page as the pipelines take it: its records as lines, and all that checking it by itself brought out.

    A few hundred kilobytes that another process may have made: of the records themselves only what English and
    French share is here (``to_pair``). ``extracted`` and ``valid`` count records; ``violations`` are named
    ``<table>/<column>/<rule>``; ``invalid`` and ``doubled`` are the errors for the pipelines to raise. The pair
    pipeline adds ``paired`` (bilingual records by table) and ``pair_issues`` to the page that completes a pair.
    """

    url: str
    language: str
    kind: str
    depth: int
    content_sha256: str
    lines: dict[str, Lines]
    documents: list[DocumentLink]
    to_pair: dict[str, list[Record]]
    extracted: int
    valid: int
    violations: list[str] = field(default_factory=list)
    invalid: InvalidItem | None = None
    doubled: InvalidItem | None = None
    paired: dict[str, list[Record]] = field(default_factory=dict)
    pair_issues: list[Record] = field(default_factory=list)
