"""Every record against its schema; the first violation is an error, all are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector

    from wiq_crawl.items import CheckedPage


class ValidatePipeline:
    """Counts ``wiq/validated``, and ``wiq/invalid/<table>/<column>/<rule>`` per violation found by ``checks``."""

    def __init__(self, stats: StatsCollector) -> None:
        self.stats = stats

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Take the crawl's statistics."""
        return cls(crawler.stats)

    def process_item(self, item: CheckedPage) -> CheckedPage:
        """Let a valid page pass; raises InvalidItem for the first record that is wrong."""
        for violation in item.violations:
            self.stats.inc_value(f"wiq/invalid/{violation}")
        if item.invalid is not None:
            raise item.invalid
        self.stats.inc_value("wiq/validated", item.valid)
        return item
