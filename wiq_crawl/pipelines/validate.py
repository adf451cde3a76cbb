"""Every record against its schema; the first violation is an error, all are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from schemas import load_tables
from schemas.validation import TableValidator
from wiq_crawl.errors import InvalidItem

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector

    from wiq_crawl.items import PageRecords, Record


class ValidatePipeline:
    """Counts ``wiq/validated``, and ``wiq/invalid/<table>/<column>/<rule>`` per violation."""

    def __init__(self, stats: StatsCollector) -> None:
        self.stats = stats
        self.validators = {name: TableValidator(table) for name, table in load_tables("tbs").items()}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Take the crawl's statistics."""
        return cls(crawler.stats)

    def process_item(self, item: PageRecords) -> PageRecords:
        """Validate a page's records; raises InvalidItem for the first that is wrong."""
        wrong = [
            (table, record)
            for table, records in item.tables.items()
            for record in records
            if not self.validators[table].is_valid(record)
        ]
        if wrong:
            raise self.report(item, *wrong[0], others=len(wrong) - 1)
        self.stats.inc_value("wiq/validated", sum(len(records) for records in item.tables.values()))
        return item

    def report(self, item: PageRecords, table: str, record: Record, *, others: int) -> InvalidItem:
        """What is wrong with a record."""
        violations = self.validators[table].violations(record)
        for violation in violations:
            self.stats.inc_value(f"wiq/invalid/{table}/{violation.path.split('/')[0]}/{violation.rule}")
        first = violations[0]
        more = f" (and {others} more records of the page)" if others else ""
        return InvalidItem(
            f"a record of {table} breaks its schema in column {first.path}{more}",
            f"schemas/tbs/{table}.schema.json",
            first.message,
            item.url,
            record.get("selector"),
            record.get("row_number"),
        )
