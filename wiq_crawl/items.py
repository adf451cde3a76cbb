"""What a page yields: records by table. Nothing of Scrapy, and no list of columns (those are in ``schemas/``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]


@dataclass(slots=True)
class PageRecords:
    """All records read from one page.

    ``tables`` maps a table's name to its records in page order; ``depth`` counts the links followed
    from the main table page. The pair pipeline adds ``paired`` (bilingual records by table) and
    ``pair_issues`` to the page that completes a pair.
    """

    url: str
    language: str
    kind: str
    depth: int
    tables: dict[str, list[Record]] = field(default_factory=dict)
    paired: dict[str, list[Record]] = field(default_factory=dict)
    pair_issues: list[Record] = field(default_factory=list)
