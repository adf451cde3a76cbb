"""English and French describe the same things: rows and definitions are paired by key, never by position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from schemas import Table, load_tables, paired_table
from wiq_crawl.errors import PairingMismatch
from wiq_crawl.pages.issues import source_issue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector

    from wiq_crawl.items import CheckedPage, Record

LANGUAGES = ("en", "fr")
_SHOWN = 5
# Link columns known to be filled in the same rows of both languages.
_SAME_PRESENCE = ("definition", "job_evaluation_standard", "qualification_standard")


class PairPipeline:
    """Holds the paired tables of one language until the other comes; with one language asked for it does nothing."""

    def __init__(self, languages: tuple[str, ...], stats: StatsCollector) -> None:
        self.languages = languages
        self.stats = stats
        self.tables = {name: table for name, table in load_tables("tbs").items() if table.pairing_key}
        self.waiting: dict[str, dict[str, list[Record]]] = {name: {} for name in self.tables}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Take the languages the crawl was asked for."""
        return cls(crawler.spider.arguments.languages, crawler.stats)  # type: ignore[union-attr]

    def process_item(self, item: CheckedPage) -> CheckedPage:
        """Add the bilingual records to the page that completes a pair; raises PairingMismatch."""
        if len(self.languages) < len(LANGUAGES):
            return item
        for name, table in self.tables.items():
            if name not in item.to_pair:
                continue
            waiting = self.waiting[name]
            waiting[item.language] = item.to_pair[name]
            if len(waiting) == len(LANGUAGES):
                item.paired[name] = pair(table, waiting["en"], waiting["fr"])
                if name == "occupational_groups":
                    item.pair_issues += list(row_issues(waiting["en"], waiting["fr"]))
                    self.stats.inc_value("wiq/pair_issues", len(item.pair_issues))
                waiting.clear()
        return item


def pair(table: Table, english: list[Record], french: list[Record]) -> list[Record]:
    """Bilingual records in the English order; raises PairingMismatch for a key or shared value that differs."""
    key = table.pairing_key or ""
    by_key = {record[key]: record for record in french}
    keys = {record[key] for record in english}
    only = {"en": sorted(keys - set(by_key)), "fr": sorted(set(by_key) - keys)}
    if only["en"] or only["fr"]:
        shown = "; ".join(
            f"only in {language}: {', '.join(found[:_SHOWN])}{_more(found)}"
            for language, found in only.items()
            if found
        )
        raise PairingMismatch(
            f"{table.name} do not pair",
            f"the same {key} in English and French",
            shown,
            french[0]["document_url"] if french else None,
        )
    columns = paired_table("tbs", table.name).columns
    return [_merge(table, columns, record, by_key[record[key]]) for record in english]


def row_issues(english: list[Record], french: list[Record]) -> Iterator[Record]:
    """What differs between the two main tables and is kept; raises PairingMismatch for a link in one only."""
    by_key = {record["row_key"]: record for record in french}
    for first in english:
        second = by_key[first["row_key"]]
        for column in _SAME_PRESENCE:
            if (first[f"{column}_url"] is None) != (second[f"{column}_url"] is None):
                raise PairingMismatch(
                    f"column {column} has a link in one language only",
                    str(first[f"{column}_url"]),
                    str(second[f"{column}_url"]),
                    second["document_url"],
                    second["selector"],
                    second["row_number"],
                )
        for rule, column in (("code_differs_between_languages", "code"), ("row_order_differs", "row_number")):
            if first[column] != second[column]:
                expected = f"{first[column]}, as in English"
                yield source_issue(
                    "fr", rule, f"{first['row_key']}#{column}", expected, str(second[column] or ""), second
                )


def _merge(table: Table, columns: tuple[Any, ...], english: Record, french: Record) -> Record:
    for column in table.columns:
        if column.shared and english[column.name] != french[column.name]:
            key = english[table.pairing_key or ""]
            raise PairingMismatch(
                f"{column.name} of {key} differs between English and French",
                repr(english[column.name]),
                repr(french[column.name]),
                french["document_url"],
                french["selector"],
            )
    by_language = {f"{name}_en": value for name, value in english.items()} | {
        f"{name}_fr": value for name, value in french.items()
    }
    return {column.name: english[column.name] if column.shared else by_language[column.name] for column in columns}


def _more(found: list[str]) -> str:
    return f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
